"""What a client may ask of S1_COHERENCE, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms.interferometry.cells import Looks
from peps_wps.chains.fields import Fields
from peps_wps.chains.interferometry import order_fields
from peps_wps.chains.interferometry.cells_order import CellsOrder, wanted_of
from peps_wps.chains.interferometry.map_grid import TILE_RESOLUTIONS
from peps_wps.chains.ortho_s1.order import polarizations_of, tile_named
from peps_wps.errors import InvalidInputError

DEFAULT_LOOKS = Looks(2, 10)
DEFAULT_RESOLUTION = 20  # m
RESOLUTIONS = tuple(str(one) for one in TILE_RESOLUTIONS if one <= 100)
MOST_PRODUCTS = 50


@dataclass(frozen=True, kw_only=True)
class Order(CellsOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    products
        Identifiers or titles: two or more of a track.
    polarizations
        Empty for all that every product has.
    wanted
        Which bursts; results are cut to its area.
    tiles
        MGRS names; empty for all that are touched.
    resolution
        Pixel size, metres.
    looks
        Of a cell.
    coherence_looks
        Independent looks that a coherence stands on: so many neighbouring cells are joined.
    """

    products: tuple[str, ...]
    polarizations: tuple[str, ...] = ()
    tiles: tuple[str, ...] = ()
    resolution: int = DEFAULT_RESOLUTION
    looks: Looks = DEFAULT_LOOKS

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        products = tuple(
            dict.fromkeys(
                one
                for name in ("reference", "secondary", "products")
                for one in fields.listed(name)
            )
        )
        if not 2 <= len(products) <= MOST_PRODUCTS:
            raise InvalidInputError(
                "products",
                f"products: {len(products)} given, expected 2 to {MOST_PRODUCTS}, or reference "
                "and secondary",
            )
        return cls(
            products=products,
            polarizations=polarizations_of(fields.listed("polarizations")),
            wanted=wanted_of(fields),
            tiles=tuple(dict.fromkeys(tile_named(name) for name in fields.listed("tiles"))),
            resolution=int(
                fields.choice("resolution", RESOLUTIONS, default=str(DEFAULT_RESOLUTION))
            ),
            looks=order_fields.looks_of(fields, order_fields.looks_text(DEFAULT_LOOKS)),
            coherence_looks=order_fields.coherence_looks_of(fields),
        )
