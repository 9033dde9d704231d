"""S1_ORTHO as a chain: plan the tiles, compute each, gather them into one archive."""

from collections.abc import Sequence
from pathlib import Path

from algorithms import mgrs
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
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.ortho_s1.gather import gather
from peps_wps.chains.ortho_s1.heights import tile_heights
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.plan import TileTask, plan
from peps_wps.chains.ortho_s1.scene import read_scene
from peps_wps.chains.ortho_s1.tile import TileProcessor
from peps_wps.chains.ortho_s1.tile_files import TileFiles


class OrthoS1(PlannerOf[Order]):
    """The chain of S1_ORTHO; it holds nothing between calls."""

    name = "S1_ORTHO"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a tile and pass; raise OrderRefusedError when it cannot work."""
        return plan(order, context)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Orthorectify one pass on one tile; its products are on disk."""
        work = TileTask.from_json(task.body)
        tile = mgrs.tile(work.tile)
        progress("Reading the product", 0)
        paths = [inputs.paths[product] for product in work.products]
        scene = read_scene(paths, work.polarizations, work.order, inputs.config.orbits.path)
        progress("Reading the heights", 2)
        heights = tile_heights(inputs.config, tile, scene, work.order)
        processor = TileProcessor(scene, tile, heights, work.order)
        files = TileFiles(inputs.scratch, work, scene, processor, heights)
        progress(f"Computing tile {work.tile}", 5)
        processor.run(
            files.take,
            inputs.config.processing.threads,
            lambda fraction: progress(f"Computing tile {work.tile}", 5 + 85 * fraction),
        )
        progress(f"Writing tile {work.tile}", 90)
        return files.close()

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the archive, the picture and the report."""
        return gather(order, finished, folder, progress)
