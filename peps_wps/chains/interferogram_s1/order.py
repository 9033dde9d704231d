"""What a client may ask of S1_INTERFEROGRAM, checked value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from algorithms.interferometry.cells import Looks
from algorithms.unwrapping import Method
from peps_wps.chains.contract import Json
from peps_wps.chains.fields import Fields
from peps_wps.chains.interferometry import order_fields
from peps_wps.chains.interferometry.cells_order import CellsOrder, wanted_of
from peps_wps.chains.interferometry.map_grid import check_tile_resolution, default_resolution
from peps_wps.chains.ortho_s1.order import tile_named
from peps_wps.errors import InvalidInputError

GRIDS = ("utm", "mgrs")
LARGEST_RESOLUTION = 1_000  # m
LEAST_COHERENCE = 0.1
ATMOSPHERES = ("none", "era5")
DEFAULT_LOOKS = Looks(4, 20)


@dataclass(frozen=True, kw_only=True)
class Order(CellsOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    reference, secondary
        Identifiers or titles, as the client gave them: of a product, or of slices of a pass.
    resolution
        Pixel size, metres.
    polarization
        None where it is left open.
    wanted
        Which bursts; the result is cut to its area.
    looks
        Of a cell.
    coherence_looks
        Independent looks that a coherence stands on: so many neighbouring cells are joined.
    filtered, exponent
        Whether the phase is filtered; exponent of the filter, None for that of the coherence.
    unwrap
        The unwrapper, None for none.
    min_coherence
        Cells of less are not unwrapped.
    grid, tiles
        Where results lie; tiles of ``mgrs``, none for all that are touched.
    esd
        Whether azimuth misregistration is looked for and taken out.
    atmosphere
        What is taken off the unwrapped phase for the air.
    complex_interferogram, masks
        Further files.
    """

    reference: tuple[str, ...]
    secondary: tuple[str, ...]
    resolution: int
    polarization: str | None = None
    looks: Looks = DEFAULT_LOOKS
    filtered: bool = True
    exponent: float | None = None
    unwrap: Method | None = "whirlwind"
    min_coherence: float = LEAST_COHERENCE
    grid: str = "utm"
    tiles: tuple[str, ...] = ()
    esd: bool = True
    atmosphere: str = ATMOSPHERES[0]
    complex_interferogram: bool = False
    masks: bool = True

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Read literal inputs; as `ChainOrder.parse`."""
        fields = Fields(inputs)
        looks = order_fields.looks_of(fields)
        grid = fields.choice("grid", GRIDS)
        resolution = fields.whole("resolution", 5, LARGEST_RESOLUTION)
        if grid == "mgrs" and resolution is not None:
            check_tile_resolution(resolution)
        unwrapper = order_fields.unwrapper_of(fields)
        return cls(
            reference=products_of(fields, "reference"),
            secondary=products_of(fields, "secondary"),
            resolution=resolution or default_resolution(grid, looks.azimuth),
            polarization=order_fields.polarization_of(fields),
            wanted=wanted_of(fields),
            looks=looks,
            coherence_looks=order_fields.coherence_looks_of(fields),
            filtered=order_fields.filter_of(fields),
            exponent=order_fields.exponent_of(fields),
            unwrap=unwrapper,
            min_coherence=fields.number(
                "min_coherence", default=LEAST_COHERENCE, low=0.0, high=1.0
            ),
            grid=grid,
            tiles=tiles_of(fields, grid),
            esd=fields.boolean("esd", default=True),
            atmosphere=atmosphere_of(fields, unwrapper),
            complex_interferogram=fields.boolean("complex"),
            masks=fields.boolean("masks", default=True),
        )

    @classmethod
    def from_json(cls, order: Json) -> Self:
        """Return the order that `to_json` gave; an earlier version names one product each."""
        named = {name: order[name] for name in ("reference", "secondary")}
        listed = {name: [one] if isinstance(one, str) else one for name, one in named.items()}
        return super().from_json({**order, **listed})


def products_of(fields: Fields, name: str) -> tuple[str, ...]:
    """Return the product, or the slices of a pass, that an input names: several, or by commas."""
    given = {name: [word for value in fields.listed(name) for word in value.split(",")]}
    return Fields(given).products(name, most=order_fields.MOST_SLICES)


def atmosphere_of(fields: Fields, unwrapper: Method | None) -> str:
    """Return what is taken off for the air, which takes an unwrapped phase."""
    atmosphere = fields.choice("atmosphere", ATMOSPHERES)
    if atmosphere != ATMOSPHERES[0] and unwrapper is None:
        raise InvalidInputError(
            "atmosphere", f"atmosphere is {atmosphere} and unwrap none: expected an unwrapper"
        )
    return atmosphere


def tiles_of(fields: Fields, grid: str) -> tuple[str, ...]:
    """Return the tiles that are asked for."""
    tiles = tuple(dict.fromkeys(tile_named(name) for name in fields.listed("tiles")))
    if tiles and grid != "mgrs":
        raise InvalidInputError("tiles", "tiles are given: expected grid=mgrs with them")
    return tiles
