"""From an order to its tasks: one a tile and pass, refused here when it cannot work."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import shapely
from shapely.geometry.base import BaseGeometry

from algorithms import mgrs
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Catalogue, Json, Plan, PlanContext, Task
from peps_wps.chains.ortho_s1.heights import configured_dem, tile_bounds
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.errors import DemError, OrderRefusedError

# Frames of one pass follow each other without a gap; their times are given to the microsecond.
CONTIGUOUS = timedelta(seconds=1)


@dataclass(frozen=True)
class TileTask:
    """What one task computes: the frames of one pass on one tile."""

    order: Order
    tile: str
    products: tuple[str, ...]
    titles: tuple[str, ...]
    polarizations: tuple[str, ...]
    coverage: float

    def to_json(self) -> Json:
        """Return the task as JSON."""
        return {**asdict(self), "order": self.order.to_json()}

    @classmethod
    def from_json(cls, body: Json) -> "TileTask":
        """Return the task that `to_json` gave."""
        tuples = {name: tuple(body[name]) for name in ("products", "titles", "polarizations")}
        return cls(**{**body, **tuples, "order": Order.from_json(body["order"])})


def plan(order: Order, context: PlanContext) -> Plan:
    """Find the products, group their frames into passes, choose the tiles.

    Raises
    ------
    OrderRefusedError
        Unknown or unsuitable product, missing polarisation, tile outside, too little coverage, or
        no DEM for the area.
    """
    products = _products(order.products, context.catalogue)
    tasks = [task for frames in _passes(products) for task in _pass_tasks(order, frames)]
    if not tasks:
        raise OrderRefusedError(
            "min_coverage",
            f"no tile is covered by {order.min_coverage:g} percent or more; "
            f"the best is {_best(products)}",
        )
    _check_heights(tasks, context)
    starts = {product.uid: product.start for product in products}
    return Plan(
        tuple(
            Task(_task_name(t, tasks, starts[t.products[0]]), t.products, t.to_json(), t.coverage)
            for t in tasks
        )
    )


def _products(identifiers: Sequence[str], catalogue: Catalogue) -> list[Product]:
    """Look up each identifier once; the same product given twice counts once."""
    found: dict[str, Product] = {}
    for identifier in identifiers:
        product = catalogue.product(identifier)
        if product is None:
            raise OrderRefusedError("product", f"product {identifier} is not in the catalogue")
        if product.product_type != "GRD":
            raise OrderRefusedError(
                "product",
                f"product {product.title} is of type {product.product_type}, expected GRD",
            )
        found[product.uid] = product
    return sorted(found.values(), key=lambda product: (product.start, product.title))


def _passes(products: Sequence[Product]) -> list[list[Product]]:
    """Group consecutive frames of one datatake; they are concatenated on the tile."""
    passes: list[list[Product]] = []
    for product in products:
        take = (product.platform, product.mission_take_id, product.polarization)
        for frames in passes:
            last = frames[-1]
            if take != (last.platform, last.mission_take_id, last.polarization):
                continue
            if product.start < last.end - CONTIGUOUS:
                raise OrderRefusedError(
                    "product",
                    f"products {last.title} and {product.title} are the same acquisition: "
                    "give one of them",
                )
            if product.start <= last.end + CONTIGUOUS:
                frames.append(product)
                break
        else:
            passes.append([product])
    return passes


def _pass_tasks(order: Order, frames: Sequence[Product]) -> list[TileTask]:
    """Return the tasks of one pass, south to north or as the pass runs."""
    polarizations = _polarizations(order, frames)
    footprint = shapely.union_all([frame.footprint for frame in frames])
    coverage = _coverage(order, footprint, frames)
    return [
        TileTask(order, tile, *_frames_on(tile, frames), polarizations, fraction)
        for tile, fraction in coverage.items()
    ]


def _polarizations(order: Order, frames: Sequence[Product]) -> tuple[str, ...]:
    available = (frames[0].polarization or "").split()
    for name in order.polarizations:
        if name not in available:
            raise OrderRefusedError(
                "polarizations",
                f"polarization {name} is not in {frames[0].title}, "
                f"which has {' and '.join(available)}",
            )
    return order.polarizations or tuple(available)


def _coverage(order: Order, footprint: BaseGeometry, frames: Sequence[Product]) -> dict[str, float]:
    """Return the tiles to compute with the fraction that the footprint covers of each."""
    covered = mgrs.tiles_over(footprint)
    if not order.tiles:
        return {t: f for t, f in covered.items() if 100 * f >= order.min_coverage}
    for tile in order.tiles:
        percent = 100 * covered.get(tile, 0.0)
        if percent == 0:
            near = ", ".join(sorted(covered, key=lambda name: -covered[name])[:10])
            raise OrderRefusedError(
                "tiles", f"tile {tile} lies outside {frames[0].title}, which touches {near}"
            )
        if percent < order.min_coverage:
            raise OrderRefusedError(
                "tiles",
                f"tile {tile} is covered by {percent:.1f} percent, "
                f"below min_coverage of {order.min_coverage:g} percent",
            )
    return {tile: covered[tile] for tile in order.tiles}


def _frames_on(tile: str, frames: Sequence[Product]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return identifiers and titles of the frames that touch a tile."""
    touching = [f for f in frames if mgrs.coverage(mgrs.tile(tile), f.footprint) > 0]
    return tuple(f.uid for f in touching), tuple(f.title for f in touching)


def _check_heights(tasks: Sequence[TileTask], context: PlanContext) -> None:
    """Refuse an area without any DEM before anything is recalled for it."""
    areas = {f"tile {task.tile}": tile_bounds(mgrs.tile(task.tile)) for task in tasks}
    try:
        configured_dem(context.config).check(areas)
    except DemError as error:
        raise OrderRefusedError("product", str(error)) from error


def _best(products: Sequence[Product]) -> str:
    best = max(
        ((f, t) for p in products for t, f in mgrs.tiles_over(p.footprint).items()),
        default=(0.0, "none"),
    )
    return f"{best[1]} with {100 * best[0]:.1f} percent"


def _task_name(task: TileTask, tasks: Sequence[TileTask], start: datetime) -> str:
    """Name the tile, and the time where one order has the tile more than once."""
    if sum(other.tile == task.tile for other in tasks) == 1:
        return task.tile
    return f"{task.tile} {start:%Y%m%dT%H%M%S}"
