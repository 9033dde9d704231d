"""What a client may ask of S2_COLOR_COMPOSITION, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from peps_wps.chains.contract import Json
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.products import BandsOrder, Selection, bands_of
from peps_wps.chains.optical.stretch import Stretch
from peps_wps.errors import InvalidInputError
from peps_wps.readers.sentinel2 import BANDS
from peps_wps.writers.picture import SUFFIXES

PRESETS = {
    "true_color": ("B04", "B03", "B02"),
    "false_color": ("B08", "B04", "B03"),
    "swir": ("B12", "B8A", "B04"),
    "agriculture": ("B11", "B08", "B02"),
    "geology": ("B12", "B11", "B02"),
    "bathymetric": ("B04", "B03", "B01"),
    "urban": ("B12", "B11", "B04"),
    "vegetation": ("B08", "B11", "B04"),
    "snow": ("B03", "B11", "B12"),
}
PICTURES = tuple(SUFFIXES)
RESOLUTIONS = ("10", "20", "60")
_CHANNELS = 3


@dataclass(frozen=True)
class Order(BandsOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    selection
        Products, tile and area.
    bands
        Shown as red, green and blue.
    name
        Of the preset; the bands where they are free: "b12b08b03".
    stretch
        From reflectances to tones.
    resolution
        Metres.
    picture
        "png" or "jpeg", of the reduced picture.
    """

    bands: tuple[str, ...] = PRESETS["true_color"]
    name: str = "true_color"
    stretch: Stretch = field(default_factory=Stretch)
    resolution: int = 10
    picture: str = "png"

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        name, bands = _bands(fields)
        finest = min(BANDS[band].resolution for band in bands)
        resolutions = sorted(RESOLUTIONS, key=lambda text: int(text) != finest)
        return cls(
            selection=Selection.of(fields),
            bands=bands,
            name=name,
            stretch=Stretch.of(fields),
            resolution=int(fields.choice("resolution", resolutions)),
            picture=fields.choice("picture", PICTURES),
        )

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave."""
        return super().from_json({**order, "stretch": Stretch(**order["stretch"])})


def _bands(fields: Fields) -> tuple[str, tuple[str, ...]]:
    """Return the name and the bands of a composition."""
    bands = bands_of(fields, once=False)
    if not bands:
        preset = fields.choice("preset", tuple(PRESETS))
        return preset, PRESETS[preset]
    if fields.has("preset"):
        raise InvalidInputError("bands", "preset and bands are given, expected one of them")
    if len(bands) != _CHANNELS:
        raise InvalidInputError("bands", f"bands are {len(bands)}, expected 3: red, green, blue")
    return "".join(bands).lower(), bands
