"""ORBIT_DATA as a chain: one task a product, three documents of all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from peps_wps.chains.contract import (
    FinishedTask,
    Output,
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
from peps_wps.chains.orbit_data.documents import csv_text, czml, from_body, geojson, to_body
from peps_wps.chains.orbit_data.reading import read_orbit_data
from peps_wps.chains.orders import ChainOrder, PlannerOf
from peps_wps.errors import OrderRefusedError
from peps_wps.writers.publish import published

GEOJSON = "application/geo+json"
_MISSIONS = ("S1", "S2")


@dataclass(frozen=True)
class Order(ChainOrder):
    """One order: identifiers or titles, as the client gave them."""

    products: tuple[str, ...]

    @classmethod
    def parse(cls, inputs: Mapping[str, Sequence[str]]) -> Self:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return cls(Fields(inputs).products(most=MOST_PRODUCTS))


class OrbitDataChain(PlannerOf[Order]):
    """The chain of ORBIT_DATA; it holds nothing between calls."""

    name = "ORBIT_DATA"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a product; raise OrderRefusedError for other missions."""
        products = found_products(order.products, context.catalogue, "products")
        for product in products:
            if product.platform[:2] not in _MISSIONS:
                raise OrderRefusedError(
                    "products",
                    f"product {product.title} is of {product.platform}, "
                    "expected Sentinel-1 or Sentinel-2",
                )
        return Plan(tuple(Task(product.title, (product.uid,), {}) for product in products))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Read the metadata of one product, which is on disk."""
        progress("Reading the product", 0)
        path = inputs.paths[task.products[0]]
        return TaskResult(to_body(read_orbit_data(path, inputs.config.orbits.path)))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the three documents."""
        progress("Writing the documents", 0)
        products = [from_body(done.result.body) for done in finished]
        documents = {
            "vectors": ("orbit-data.csv", "text/csv", csv_text(products)),
            "footprints": ("orbit-data.geojson", GEOJSON, json.dumps(geojson(products), indent=1)),
            "czml": ("orbit-data.czml", "application/json", json.dumps(czml(products), indent=1)),
        }
        for name, _, text in documents.values():
            with published(folder / name) as stream:
                stream.write(text.encode())
        outputs = tuple(
            Output(identifier, mime_type, path=name)
            for identifier, (name, mime_type, _) in documents.items()
        )
        counts = [
            {"product": data.title, "source": data.source, "state_vectors": len(data.times)}
            for data in products
        ]
        return Outputs(
            outputs, {"process": self.name, "order": order.to_json(), "products": counts}
        )
