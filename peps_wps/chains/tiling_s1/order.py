"""What a client may ask of S1_TILING, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from peps_wps.chains.contract import Json
from peps_wps.chains.fields import Fields, refused
from peps_wps.chains.orders import ChainOrder
from peps_wps.chains.ortho_s1 import order as ortho
from peps_wps.errors import InvalidInputError

CALIBRATIONS = ("gamma0", "sigma0", "beta0", "gamma0_rtc")
FILTERS = ("quegan", "none", "lee", "refined_lee", "gammamap", "frost")
FORMATS = ortho.FORMATS
NAMINGS = ("peps", "s1tiling")
REFILTERS = ("new", "all")
DIRECTIONS = ("ascending", "descending")
COMPOSITES = ("monthly", "ratio", "rgb")
NONE, ALL = "none", "all"

RELATIVE_ORBITS = (1, 175)
WINDOWS = (3, 25)
MOST_IMAGES = 1000
# A filter over time needs another date; 15 are recommended.
LEAST_IMAGES = {"quegan": 2}


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    tiles
        MGRS names without leading T.
    start, end
        First and last instant of the acquisitions, UTC.
    relative_orbits
        Empty for all.
    orbit_direction, platform
        "" for all.
    polarizations
        Empty for all that the products of a series have.
    filter, window
        How speckle is filtered, and the side of its window in pixels.
    min_images
        How many dates a series must have.
    min_coverage
        Percent of a tile that an acquisition must cover.
    mask_border
        Publish a mask of the valid pixels with each date.
    naming
        "peps": one file of all polarisations; "s1tiling": one file a polarisation.
    refilter
        "new": files of earlier dates stay; "all": every date is filtered with all others.
    composites
        Further results of the whole series.
    archive
        Give a zip of all files.
    """

    tiles: tuple[str, ...]
    start: datetime
    end: datetime
    relative_orbits: tuple[int, ...] = ()
    orbit_direction: str = ""
    platform: str = ""
    polarizations: tuple[str, ...] = ()
    calibration: str = "gamma0"
    filter: str = "quegan"
    window: int = 5
    min_images: int = 2
    min_coverage: float = 10.0
    mask_border: bool = False
    format: str = "float32"
    naming: str = "peps"
    refilter: str = "new"
    composites: tuple[str, ...] = ()
    archive: bool = False

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        start, end = fields.period()
        chosen = fields.choice("filter", FILTERS)
        return cls(
            tiles=_tiles(fields),
            start=start,
            end=end,
            relative_orbits=_relative_orbits(fields),
            orbit_direction=_optional(fields, "orbit_direction", DIRECTIONS),
            platform=_platform(fields),
            polarizations=ortho.polarizations_of(fields.listed("polarizations")),
            calibration=fields.choice("calibration", CALIBRATIONS),
            filter=chosen,
            window=_window(fields),
            min_images=fields.whole("min_images", 1, MOST_IMAGES) or LEAST_IMAGES.get(chosen, 1),
            min_coverage=fields.number("min_coverage", default=10.0, low=0.0, high=100.0),
            mask_border=fields.boolean("mask_border"),
            format=fields.choice("format", FORMATS),
            naming=fields.choice("naming", NAMINGS),
            refilter=fields.choice("refilter", REFILTERS),
            composites=_composites(fields),
            archive=fields.boolean("archive"),
        )

    def to_json(self) -> Json:
        """Return the order as JSON."""
        times = {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return {**super().to_json(), **times}

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave."""
        times = {name: datetime.fromisoformat(order[name]) for name in ("start", "end")}
        return super().from_json({**order, **times})

    @property
    def is_filtered(self) -> bool:
        """Whether speckle is filtered."""
        return self.filter != NONE

    @property
    def radius(self) -> int:
        """Pixels of the window beside its middle."""
        return self.window // 2

    @property
    def parameters(self) -> Json:
        """What decides what the files of a date hold, whichever dates and tiles there are."""
        names = ("calibration", "filter", "window", "format", "mask_border", "naming")
        return {name: getattr(self, name) for name in names}

    @property
    def ortho(self) -> ortho.Order:
        """How one date is computed: as S1_ORTHO does, with what that does when not told."""
        return ortho.Order((), calibration=self.calibration, format=self.format)


_ANY_TIME = datetime.min.replace(tzinfo=UTC)
# Those of an order that says nothing: what the operator's standard departs from.
DEFAULT_PARAMETERS = Order((), _ANY_TIME, _ANY_TIME).parameters


def _tiles(fields: Fields) -> tuple[str, ...]:
    given = [word for value in fields.listed("tiles") for word in value.replace(",", " ").split()]
    if not given:
        raise InvalidInputError("tiles", "tiles is missing: give an MGRS tile such as 31TCJ")
    return tuple(dict.fromkeys(ortho.tile_named(name) for name in given))


def _relative_orbits(fields: Fields) -> tuple[int, ...]:
    low, high = RELATIVE_ORBITS
    orbits = []
    for value in fields.listed("relative_orbit"):
        for word in value.replace(",", " ").split():
            if not (word.isascii() and word.isdigit() and low <= int(word[:9]) <= high):
                raise refused("relative_orbit", word, f"a whole number from {low} to {high}")
            orbits.append(int(word))
    return tuple(sorted(set(orbits)))


def _optional(fields: Fields, name: str, words: Sequence[str]) -> str:
    """Return one of some words, "" for all of them, which may be said as "all" too."""
    chosen = fields.choice(name, (ALL, *words))
    return "" if chosen == ALL else chosen


def _platform(fields: Fields) -> str:
    text = (fields.one("platform") or ALL).upper()
    if text == ALL.upper():
        return ""
    if not (len(text) == 3 and text.startswith("S1") and text[2].isalpha() and text.isascii()):
        raise refused("platform", text, "a satellite such as S1A")
    return text


def _window(fields: Fields) -> int:
    window = fields.whole("window", *WINDOWS) or Order.window
    if window % 2 == 0:
        raise refused("window", str(window), "an odd number: windows are centred on pixels")
    return window


def _composites(fields: Fields) -> tuple[str, ...]:
    words = {
        word.lower()
        for value in fields.listed("composites")
        for word in value.replace(",", " ").split()
    }
    if not words <= {*COMPOSITES, NONE} or (NONE in words and len(words) > 1):
        expected = f"{NONE} alone, or some of {', '.join(COMPOSITES)}"
        raise refused("composites", " ".join(sorted(words)), expected)
    return tuple(name for name in COMPOSITES if name in words)
