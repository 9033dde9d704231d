"""Which acquisitions an order is for: frames that the catalogue finds, put together into passes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import shapely

from algorithms import mgrs
from catalog_db.catalogue.products import Product
from catalog_db.catalogue.query import OneOf, SearchQuery, TextFilter
from peps_wps.chains.contract import Catalogue, Json
from peps_wps.chains.ortho_s1.heights import tile_bounds
from peps_wps.chains.ortho_s1.plan import CONTIGUOUS
from peps_wps.chains.searching import searched
from peps_wps.chains.tiling_s1.order import Order

# Frames of one tile: a satellite passes it less than 200 times a year.
MOST_FRAMES = 5000
# The other modes have other pixels: a series is of one.
MODE = "IW"


@dataclass(frozen=True)
class TilePass:
    """The frames of one pass that touch a tile, in the order of time."""

    tile: str
    frames: tuple[Product, ...]

    @property
    def platform(self) -> str:
        """Satellite: "S1A"."""
        return self.frames[0].platform

    @property
    def starts(self) -> tuple[datetime, ...]:
        """First line of each frame, UTC."""
        return tuple(frame.start for frame in self.frames)

    @property
    def orbit_direction(self) -> str:
        """Whether the pass is "ascending" or "descending"."""
        return str(self.frames[0].orbit_direction)

    @property
    def relative_orbit(self) -> int:
        """Number of the orbit in its cycle."""
        return int(self.frames[0].relative_orbit or 0)

    @property
    def polarizations(self) -> tuple[str, ...]:
        """What the products have, the co-polarised one first."""
        return in_order((self.frames[0].polarization or "").split())

    @property
    def coverage(self) -> float:
        """Fraction of the tile that the frames cover."""
        footprint = shapely.union_all([frame.footprint for frame in self.frames])
        return mgrs.coverage(mgrs.tile(self.tile), footprint)

    @property
    def date(self) -> str:
        """What tells it from every other pass of its orbit: ``s1b_20180720``."""
        return f"{self.platform.lower()}_{self.starts[0]:%Y%m%d}"


@dataclass
class Found:
    """The passes over a tile, and what was left out with the reason."""

    passes: list[TilePass] = field(default_factory=list)
    left_out: list[Json] = field(default_factory=list)

    def leave_out(self, tile: str, frames: Iterable[Product], reason: str) -> None:
        """Note that frames are not used."""
        titles = [frame.title for frame in frames]
        self.left_out.append({"tile": tile, "products": titles, "reason": reason})


def in_order(polarizations: Iterable[str]) -> tuple[str, ...]:
    """Return polarisations with the co-polarised ones first, as names and files have them."""
    return tuple(sorted(polarizations, key=lambda name: (name[0] != name[1], name)))


def passes_over(tile: str, order: Order, catalogue: Catalogue) -> Found:
    """Find the passes over a tile that an order is for.

    Raises
    ------
    OrderRefusedError
        When the search is refused, or finds too many.
    """
    found = Found()
    takes = defaultdict(list)
    for product in _products_over(tile, order, catalogue):
        if product.relative_orbit is None or product.orbit_direction is None:
            found.leave_out(tile, [product], "the catalogue does not know its orbit")
        else:
            takes[_take(product)].append(product)
    for frames in takes.values():
        _add_pass(found, tile, order, frames)
    found.passes.sort(key=lambda one: one.starts)
    return found


def _take(product: Product) -> tuple[str, int | None, int | None]:
    """Return what frames of a pass share: not the orbit, whose number changes at the equator."""
    take = product.mission_take_id
    return product.platform, take, product.orbit_number if take is None else None


def _products_over(tile: str, order: Order, catalogue: Catalogue) -> list[Product]:
    """Return the frames that touch a tile, in the order of time."""
    west, south, east, north = tile_bounds(mgrs.tile(tile))
    texts = {
        "product_type": TextFilter("GRD"),
        "sensor_mode": TextFilter(MODE),
        "orbit_direction": TextFilter(order.orbit_direction),
        "platform": TextFilter(order.platform),
    }
    orbits = tuple(float(orbit) for orbit in order.relative_orbits)
    query = SearchQuery(
        collections=("S1",),
        region=shapely.box(west, south, east + 360 if west > east else east, north),
        start_from=order.start,
        start_to=order.end,
        texts={name: wanted for name, wanted in texts.items() if wanted.value},
        numbers={"relative_orbit": OneOf(orbits)} if orbits else {},
    )
    products = searched(query, catalogue, most=MOST_FRAMES, place=f"tile {tile}")
    return [one for one in products if mgrs.coverage(mgrs.tile(tile), one.footprint) > 0]


def _add_pass(found: Found, tile: str, order: Order, products: Sequence[Product]) -> None:
    """Put the frames of a data take together; what has a gap before it is another pass."""
    runs: list[list[Product]] = []
    for product in _once(found, tile, products):
        if runs and product.start <= runs[-1][-1].end + CONTIGUOUS:
            runs[-1].append(product)
        else:
            runs.append([product])
    passes = sorted((TilePass(tile, tuple(run)) for run in runs), key=lambda one: -one.coverage)
    for other in passes[1:]:
        reason = "frames between it and the rest of its pass are missing"
        found.leave_out(tile, other.frames, reason)
    best = passes[0]
    percent = 100 * best.coverage
    if percent < order.min_coverage:
        found.leave_out(
            tile,
            best.frames,
            f"it covers {percent:.1f} percent of tile {tile}, below min_coverage of "
            f"{order.min_coverage:g} percent",
        )
    else:
        found.passes.append(best)


def _once(found: Found, tile: str, products: Sequence[Product]) -> list[Product]:
    """Return each frame once, as it was processed last."""
    kept: list[Product] = []
    for product in products:
        if not kept or product.start >= kept[-1].end - _overlap(kept[-1]):
            kept.append(product)
            continue
        older, newer = sorted((kept[-1], product), key=lambda one: (one.published, one.title))
        found.leave_out(tile, [older], f"the same acquisition is there as {newer.title}")
        kept[-1] = newer
    return kept


def _overlap(frame: Product) -> timedelta:
    """Return by how much the frame after another may begin before its end."""
    return min(CONTIGUOUS, (frame.end - frame.start) / 2)
