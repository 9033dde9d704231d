"""S2_NDVI as a chain: one task a product, its index on its own grid."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from peps_wps.chains.contract import (
    FinishedTask,
    Json,
    Outputs,
    Plan,
    PlanContext,
    Progress,
    Task,
    TaskInputs,
    TaskResult,
)
from peps_wps.chains.index_s2.order import Order, parse
from peps_wps.chains.index_s2.scene import IndexOfScene
from peps_wps.chains.optical.products import scene_tasks
from peps_wps.chains.optical.results import gather_scenes, scene_of


class IndexS2:
    """The chain of S2_NDVI; it holds nothing between calls."""

    name = "S2_NDVI"

    def parse(self, inputs: Mapping[str, Sequence[str]]) -> Order:
        """Turn literal inputs into an order; raise InvalidInputError with its locator."""
        return parse(inputs)

    def order_to_json(self, order: Order) -> Json:
        """Return the order as JSON."""
        return order.to_json()

    def order_from_json(self, order: Json) -> Order:
        """Return the order of a job row."""
        return Order.from_json(order)

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a product; raise OrderRefusedError when it cannot work."""
        bands = order.spectral_index.bands
        body = {"order": order.to_json()}
        return Plan(scene_tasks(order.selection, context.catalogue, bands=bands, body=body))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Compute the index of one product, which is on disk."""
        order = Order.from_json(task.body["order"])
        progress("Reading the product", 0)
        work = IndexOfScene(scene_of(task, inputs), order, inputs.scratch)
        message = f"Computing {order.index}"
        return work.run(
            inputs.config.processing.threads,
            lambda fraction: progress(message, 2 + 95 * fraction),
        )

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, the picture and the report."""
        return gather_scenes(self.name, order.to_json(), finished, folder, progress)
