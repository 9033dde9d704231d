"""From an order to its tasks: for each pair the bursts of every polarisation, then its tiles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from catalog_db.catalogue.products import Product
from peps_wps.chains.coherence_s1.order import Order
from peps_wps.chains.contract import Catalogue, Json, Plan, PlanContext, Task
from peps_wps.chains.interferogram_s1.plan import check_tiles
from peps_wps.chains.interferometry.passes import Pass, check_pair, passes_of
from peps_wps.chains.interferometry.products import (
    check_heights,
    check_wanted,
    polarizations_of,
    slc_product,
)
from peps_wps.chains.interferometry.tasks import cells_tasks
from peps_wps.errors import OrderRefusedError

KIND = "tiles of a pair"


@dataclass(frozen=True)
class PairTask:
    """What is made of the bursts of one pair: tasks by polarisation, as they are named."""

    order: Order
    bursts: dict[str, list[str]]
    kind: str = KIND

    def to_json(self) -> Json:
        """Return the task as JSON."""
        return {**asdict(self), "order": self.order.to_json()}

    @classmethod
    def from_json(cls, body: Json) -> "PairTask":
        """Return the task that `to_json` gave."""
        return cls(**{**body, "order": Order.from_json(body["order"])})


def plan(order: Order, context: PlanContext) -> Plan:
    """Return the tasks of all pairs of consecutive dates.

    Raises
    ------
    OrderRefusedError
        Unknown or unsuitable product, products of several tracks, a date twice, missing
        polarisation, area or tile outside, or no DEM.
    """
    passes = found_passes(order, context.catalogue)
    products = [one.whole for one in passes]
    polarizations = _polarizations(order, products)
    check_wanted(order.wanted, products)
    check_tiles(order.tiles, products[0])
    tasks: list[Task] = []
    for reference, secondary in pairwise(passes):
        check_pair(reference, secondary, "products")
        check_heights(order.wanted, (reference.whole, secondary.whole), context)
        tasks += _pair_tasks(order, (reference, secondary), polarizations)
    return Plan(tuple(tasks))


def found_passes(order: Order, catalogue: Catalogue) -> list[Pass]:
    """Return what was acquired, in the order of time; OrderRefusedError."""
    found = passes_of(slc_product(one, catalogue, "products") for one in order.products)
    if len(found) < 2:
        raise OrderRefusedError("products", "products are of one date, expected two or more")
    return found


def _polarizations(order: Order, products: Sequence[Product]) -> tuple[str, ...]:
    """Return the polarisations that are computed."""
    wanted = order.polarizations or polarizations_of(products[0])
    missing = [
        (name, product)
        for product in products
        for name in wanted
        if name not in polarizations_of(product)
    ]
    if order.polarizations and missing:
        name, product = missing[0]
        raise OrderRefusedError(
            "polarizations",
            f"polarization {name} is not in {product.title}, which has "
            f"{' and '.join(polarizations_of(product))}",
        )
    lacking = {name for name, _ in missing}
    common = tuple(name for name in wanted if name not in lacking)
    if not common:
        raise OrderRefusedError("products", "the products have no polarization in common")
    return common


def _pair_tasks(order: Order, pair: tuple[Pass, Pass], polarizations: Sequence[str]) -> list[Task]:
    """Return the tasks of one pair."""
    days = "_".join(f"{one.whole.start:%Y%m%d}" for one in pair)
    tasks: list[Task] = []
    names: dict[str, list[str]] = {}
    for polarization in polarizations:
        bursts = cells_tasks(
            *pair,
            polarization,
            wanted=order.wanted,
            looks=order.looks,
            label=f"{days} {polarization}",
        )
        names[polarization] = [task.name for task in bursts]
        tasks += bursts
    after = tuple(task.name for task in tasks)
    return [*tasks, Task(days, (), PairTask(order, names).to_json(), float(len(tasks)), after)]
