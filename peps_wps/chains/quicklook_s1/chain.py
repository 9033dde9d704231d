"""S1_QUICKLOOK as a chain: the images of a GRD product, reduced, as a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from peps_wps.chains.contract import (
    FinishedTask,
    Outputs,
    Plan,
    PlanContext,
    Progress,
    Task,
    TaskInputs,
    TaskResult,
)
from peps_wps.chains.fields import Fields
from peps_wps.chains.optical.products import MOST_PRODUCTS, found_products
from peps_wps.chains.optical.results import gather_scenes
from peps_wps.chains.orders import ChainOrder, PlannerOf
from peps_wps.chains.quicklook_s1.picture import reduced_power
from peps_wps.errors import OrderRefusedError
from peps_wps.readers.sentinel1_grd import read_grd
from peps_wps.writers.picture import SUFFIXES, write_picture
from peps_wps.writers.quicklook import render

SIDES = 64, 4096  # pixels
DEFAULT_SIDE = 1024
PICTURES = tuple(SUFFIXES)
POLARIZATIONS = ("all", "VV", "VH", "HH", "HV")


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order; the defaults are those of the process description.

    Parameters
    ----------
    products
        Identifiers or titles, as the client gave them.
    polarization
        "all", or the one to show as grey.
    size
        Most pixels a side.
    picture
        "png" or "jpeg".
    """

    products: tuple[str, ...]
    polarization: str = "all"
    size: int = DEFAULT_SIDE
    picture: str = "png"

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        fields = Fields(inputs)
        return cls(
            fields.products(most=MOST_PRODUCTS),
            fields.choice("polarization", POLARIZATIONS),
            round(fields.number("size", default=DEFAULT_SIDE, low=SIDES[0], high=SIDES[1])),
            fields.choice("picture", PICTURES),
        )


class QuicklookS1(PlannerOf[Order]):
    """The chain of S1_QUICKLOOK; it holds nothing between calls."""

    name = "S1_QUICKLOOK"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a product; raise OrderRefusedError when it cannot work."""
        tasks = []
        for product in found_products(order.products, context.catalogue, "products"):
            if product.product_type != "GRD":
                raise OrderRefusedError(
                    "products",
                    f"product {product.title} is of type {product.product_type}, expected GRD",
                )
            available = (product.polarization or "").split()
            if order.polarization not in ("all", *available):
                raise OrderRefusedError(
                    "polarization",
                    f"polarization {order.polarization} is not in {product.title}, "
                    f"which has {' and '.join(available)}",
                )
            tasks.append(Task(product.title, (product.uid,), {"order": order.to_json()}))
        return Plan(tuple(tasks))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Draw one product, which is on disk."""
        order = self.order_from_json(task.body["order"])
        progress("Reading the product", 0)
        wanted = None if order.polarization == "all" else [order.polarization]
        product = read_grd(inputs.paths[task.products[0]], polarizations=wanted)
        power = {
            name: reduced_power(product, name, order.size, inputs.config.processing.threads)
            for name in product.images
        }
        progress("Drawing the picture", 90)
        manifest = product.manifest
        stem = f"{product.platform.lower()}_{manifest.start:%Y%m%dt%H%M%S}"
        path = inputs.scratch / f"{stem}_quicklook{SUFFIXES[order.picture]}"
        write_picture(path, render(power))
        body = {
            "product": product.title,
            "acquisition": stem,
            "start": manifest.start.isoformat(),
            "picture": path.name,
            "polarizations": list(power),
            "shape": list(next(iter(power.values())).shape),
        }
        return TaskResult(body, (path.name,))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, the picture of the first product and the report."""
        return gather_scenes(self.name, order.to_json(), finished, folder, progress)
