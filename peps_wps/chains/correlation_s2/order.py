"""What a client may ask of S2_CORRELATION, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms.correlation.field import WarpModel
from peps_wps.chains.fields import Fields, refused
from peps_wps.chains.optical.products import tile_of_fields
from peps_wps.chains.optical.region import region_of
from peps_wps.chains.orders import ChainOrder
from peps_wps.errors import InvalidInputError, SafeError
from peps_wps.readers.sentinel2 import BANDS
from peps_wps.readers.sentinel2.bands import band_named

MODELS: tuple[WarpModel, ...] = ("auto", "translation", "affine")
CORRECTIONS = ("plane", "steps", "jitter")
NONE = "none"
# Days of each unit of velocity.
VELOCITIES = {"m/year": 365.25, "m/day": 1.0}
STABLE = "stable_ground"
MOST_SECONDARIES = 99
LARGEST_WINDOW, SMALLEST_WINDOW = 255, 7
LARGEST_STEP = 1_000
LARGEST_DISPLACEMENT_M = 5_000.0


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    reference
        Identifier or title, as the client gave it.
    secondaries
        The same of what is compared with it; several make a series.
    tile
        MGRS name without T; needed for products of many tiles only.
    band
        Whose images are compared.
    window, step
        Side of the windows and distance of the nodes, pixels of the band.
    max_displacement_m
        How far windows are searched along each axis.
    model
        Windows move, or move and deform, or deform where that shows.
    region
        WKT in longitude and latitude; None for all that the products have in common.
    mask_clouds
        Leave out what clouds, cirrus and shadows hide in either product.
    corrections
        What is taken off the field, in the order of `CORRECTIONS`.
    stable
        Ground that stands still, which planes are fitted to; WKT in longitude and latitude.
    vector_median
        Replace vectors by the median of their neighbours.
    velocity
        Unit of velocities, of `VELOCITIES`; None gives none of a pair, and those a year of a
        series.
    neighbours
        Pairs of a series are of each date with so many next ones; None: of all.
    """

    reference: str
    secondaries: tuple[str, ...]
    tile: str | None = None
    band: str = "B04"
    window: int = 31
    step: int = 10
    max_displacement_m: float = 40.0
    model: WarpModel = "auto"
    region: str | None = None
    mask_clouds: bool = False
    corrections: tuple[str, ...] = CORRECTIONS
    stable: str | None = None
    vector_median: bool = False
    velocity: str | None = None
    neighbours: int | None = None

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        return cls(
            reference=product_of(fields, "reference"),
            secondaries=_secondaries(fields),
            tile=tile_of_fields(fields),
            band=band_of(fields),
            window=window_of(fields, Order.window),
            step=fields.whole("step", 1, LARGEST_STEP) or Order.step,
            max_displacement_m=fields.number(
                "max_displacement_m",
                default=Order.max_displacement_m,
                low=0.0,
                high=LARGEST_DISPLACEMENT_M,
            ),
            model=MODELS[MODELS.index(fields.choice("model", MODELS))],
            region=region_of(fields),
            mask_clouds=fields.boolean("mask_clouds"),
            corrections=_corrections(fields),
            stable=region_of(fields, STABLE),
            vector_median=fields.boolean("vector_median"),
            velocity=_velocity(fields),
            neighbours=fields.whole("neighbours", 1, MOST_SECONDARIES),
        )

    @property
    def resolution(self) -> int:
        """Pixels of the band, metres."""
        return BANDS[self.band].resolution

    @property
    def is_series(self) -> bool:
        """Whether there are more than two dates."""
        return len(self.secondaries) > 1

    @property
    def max_displacement(self) -> float:
        """How far windows are searched, pixels."""
        return self.max_displacement_m / self.resolution


def _secondaries(fields: Fields) -> tuple[str, ...]:
    """Return what is compared with the reference, each once."""
    series = fields.several("secondaries")
    if not series:
        return (product_of(fields, "secondary"),)
    found = tuple(dict.fromkeys((*fields.several("secondary"), *series)))
    if len(found) > MOST_SECONDARIES:
        raise InvalidInputError(
            "secondaries", f"secondaries are {len(found)}, at most {MOST_SECONDARIES} expected"
        )
    return found


def _velocity(fields: Fields) -> str | None:
    word = fields.choice("velocity", (NONE, *VELOCITIES))
    return None if word == NONE else word


def product_of(fields: Fields, name: str) -> str:
    """Return the identifier or title that an input must give."""
    product = fields.one(name)
    if product is None:
        raise InvalidInputError(name, f"{name} is missing: give an identifier or title")
    return product


def band_of(fields: Fields) -> str:
    """Return the band whose images are compared."""
    text = fields.one("band")
    if text is None:
        return Order.band
    try:
        return band_named(text).name
    except SafeError as error:
        raise InvalidInputError("band", str(error)) from error


def window_of(fields: Fields, default: int) -> int:
    """Return the side of the windows that are compared."""
    window = fields.whole("window", SMALLEST_WINDOW, LARGEST_WINDOW) or default
    if window % 2 == 0:
        raise refused("window", str(window), "an odd number: windows are centred on nodes")
    return window


def _corrections(fields: Fields) -> tuple[str, ...]:
    given = [
        word for value in fields.several("corrections") for word in value.replace(",", " ").split()
    ]
    words = {word.lower() for word in given}
    if not words:
        return CORRECTIONS
    if words == {NONE}:
        return ()
    if not words <= set(CORRECTIONS):
        expected = f"{NONE} alone, or some of {', '.join(CORRECTIONS)}"
        raise refused("corrections", " ".join(given), expected)
    return tuple(name for name in CORRECTIONS if name in words)
