"""What a client may ask of S2_EXTRACT_BANDS, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pyproj import CRS
from pyproj.exceptions import CRSError

from peps_wps.chains.fields import Fields, refused
from peps_wps.chains.optical.products import BandsOrder, Selection, bands_of
from peps_wps.errors import InvalidInputError
from peps_wps.readers.sentinel2 import BANDS

VALUES = ("reflectance", "dn")
RESAMPLINGS = ("nearest", "bilinear", "cubic", "average")
# Every level has these.
DEFAULT_BANDS = tuple(name for name in BANDS if name != "B10")
FINEST, COARSEST = 1.0, 1000.0  # metres


@dataclass(frozen=True)
class Order(BandsOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    selection
        Products, tile and area.
    bands
        To extract.
    resolution
        Metres; None for that of each band.
    epsg
        Of the results; None for the zone of the tile.
    resampling
        Where pixels are not those of the product.
    values
        "reflectance" or "dn".
    """

    bands: tuple[str, ...] = DEFAULT_BANDS
    resolution: float | None = None
    epsg: int | None = None
    resampling: str = "nearest"
    values: str = "reflectance"

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        resolution = fields.number("resolution", default=0.0, low=FINEST, high=COARSEST)
        return cls(
            selection=Selection.of(fields),
            bands=bands_of(fields) or DEFAULT_BANDS,
            resolution=resolution or None,
            epsg=_epsg(fields),
            resampling=fields.choice("resampling", RESAMPLINGS),
            values=fields.choice("values", VALUES),
        )


def _epsg(fields: Fields) -> int | None:
    """Return the code of a projection: ``EPSG:2154`` or ``2154``."""
    text = fields.one("crs")
    if text is None:
        return None
    word = text.upper().removeprefix("EPSG:")
    if not (word.isascii() and word.isdigit() and len(word) <= 6):
        raise refused("crs", text, "a code of the EPSG such as EPSG:2154")
    try:
        crs = CRS.from_epsg(int(word))
    except CRSError as error:
        raise refused("crs", text, "a code of the EPSG such as EPSG:2154") from error
    is_horizontal = (crs.is_projected or crs.is_geographic) and len(crs.axis_info) == 2
    if not is_horizontal:
        raise InvalidInputError("crs", f"crs is {crs.name}, expected one of maps or of degrees")
    return int(word)
