"""What is alike in the chains that make one result from each Sentinel-2 product."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

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
from peps_wps.chains.optical.products import BandsOrder, SceneOrder, scene_tasks
from peps_wps.chains.optical.results import gather_scenes, scene_of
from peps_wps.chains.optical.scene_work import SceneWork
from peps_wps.chains.orders import PlannerOf
from peps_wps.readers.sentinel2 import Sentinel2Scene

OrderT = TypeVar("OrderT", bound=SceneOrder)


class SceneChain(PlannerOf[OrderT], ABC):
    """A chain with one task a product; it holds nothing between calls."""

    def bands(self, _order: OrderT) -> tuple[str, ...]:
        """Return the bands that every product must have: none unless a chain says so."""
        return ()

    @abstractmethod
    def compute(
        self,
        order: OrderT,
        scene: Sentinel2Scene,
        inputs: TaskInputs,
        progress: Callable[[float], None],
    ) -> TaskResult:
        """Make the result of one product; `progress` is told the fraction done."""

    def plan(self, order: OrderT, context: PlanContext) -> Plan:
        """Return one task a product; raise OrderRefusedError when it cannot work."""
        body = {"order": order.to_json()}
        bands = self.bands(order)
        return Plan(scene_tasks(order.selection, context.catalogue, bands=bands, body=body))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Make the result of one product, which is on disk."""
        order = self.order_type.from_json(task.body["order"])
        progress("Reading the product", 0)
        scene = scene_of(task, inputs)
        message = f"Computing tile {task.body['tile']}"
        return self.compute(
            order, scene, inputs, lambda fraction: progress(message, 2 + 95 * fraction)
        )

    def gather(
        self, order: OrderT, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, the picture and the report."""
        return gather_scenes(self.name, order.to_json(), finished, folder, progress)


BandsOrderT = TypeVar("BandsOrderT", bound=BandsOrder)


class BandsChain(SceneChain[BandsOrderT]):
    """A chain that reads bands of each product.

    Attributes
    ----------
    work_type
        What makes the result of one product.
    """

    work_type: type[SceneWork[BandsOrderT]]

    def bands(self, order: BandsOrderT) -> tuple[str, ...]:
        """Return the bands that every product must have."""
        return order.bands

    def compute(
        self,
        order: BandsOrderT,
        scene: Sentinel2Scene,
        inputs: TaskInputs,
        progress: Callable[[float], None],
    ) -> TaskResult:
        """Make the result of one product."""
        work = self.work_type(scene, order, inputs.scratch)
        return work.run(inputs.config.processing.threads, progress)
