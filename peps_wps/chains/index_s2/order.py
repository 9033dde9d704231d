"""What a client may ask of S2_NDVI, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms.spectral_indices import INDICES, SpectralIndex
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.products import BandsOrder, Selection
from peps_wps.errors import InvalidInputError
from peps_wps.readers.sentinel2 import BANDS
from peps_wps.readers.wording import legible

INDEX_NAMES = tuple(INDICES)
FORMATS = ("int16", "float32")
RESOLUTIONS = ("10", "20", "60")
FREE = "FORMULA"


@dataclass(frozen=True)
class Order(BandsOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    selection
        Products, tile and area.
    index
        Name in the list; "FORMULA" where `formula` is the client's own.
    formula
        Over letters or names of bands.
    mask_clouds
        Leave out what clouds, cirrus and shadows hide.
    resolution
        Metres.
    format
        "int16", scaled, or "float32".
    """

    index: str = "NDVI"
    formula: str = INDICES["NDVI"].formula
    mask_clouds: bool = False
    resolution: int = 10
    format: str = "int16"

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        index = _index(fields)
        coarsest = max(BANDS[band].resolution for band in index.bands)
        resolutions = sorted(RESOLUTIONS, key=lambda text: int(text) != coarsest)
        formats = FORMATS[::-1] if index.name == FREE else FORMATS
        return cls(
            selection=Selection.of(fields),
            index=index.name,
            formula=index.formula,
            mask_clouds=fields.boolean("mask_clouds"),
            resolution=int(fields.choice("resolution", resolutions)),
            format=fields.choice("format", formats),
        )

    @property
    def spectral_index(self) -> SpectralIndex:
        """What to compute."""
        return INDICES.get(self.index) or SpectralIndex.of(FREE, "Formula", self.formula)

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands of its formula."""
        return self.spectral_index.bands


def _index(fields: Fields) -> SpectralIndex:
    """Return the index of the list, or the client's own."""
    formula = fields.one("formula")
    if formula is None:
        return INDICES[fields.choice("index", INDEX_NAMES)]
    if fields.has("index"):
        raise InvalidInputError("formula", "index and formula are given, expected one of them")
    try:
        return SpectralIndex.of(FREE, "Formula", formula)
    except ValueError as error:
        raise InvalidInputError(
            "formula", f"formula is {legible(formula[:80])}: {legible(str(error))}"
        ) from error
