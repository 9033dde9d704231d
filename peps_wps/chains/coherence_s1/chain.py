"""S1_COHERENCE as a chain: bursts by several tasks, one task a pair for its tiles, one zip."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from peps_wps.chains.coherence_s1.order import Order
from peps_wps.chains.coherence_s1.plan import KIND, plan
from peps_wps.chains.coherence_s1.tiles import run_tiles
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
from peps_wps.chains.interferometry.tasks import run_cells
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.packing import packed
from peps_wps.writers import naming


class CoherenceS1(PlannerOf[Order]):
    """The chain of S1_COHERENCE; it holds nothing between calls."""

    name = "S1_COHERENCE"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return the tasks of all pairs; OrderRefusedError when they cannot work."""
        return plan(order, context)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Compute some bursts, or the tiles of a pair."""
        if task.body.get("kind") == KIND:
            return run_tiles(task, inputs, progress)
        return run_cells(task, inputs, progress)

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, a folder a tile, and the picture of the first pair."""
        progress("Packing the archive", 0)
        pairs = [done for done in finished if done.task.body.get("kind") == KIND]
        bodies = [done.result.body for done in pairs]
        report = {"process": self.name, "order": order.to_json(), "pairs": bodies}
        starts = {body["stem"]: datetime.fromisoformat(body["start"]) for body in bodies}
        archive = folder / naming.archive_name(self.name, starts, order.to_json())
        members = {name: done.folder / name for done in pairs for name in done.result.files}
        first = bodies[0]["tiles"][0]
        picture = folder / f"{archive.stem}.png"
        shutil.copyfile(pairs[0].folder / first["tile"] / first["picture"], picture)
        outputs = (
            packed(archive, members, report),
            Output("quicklook", "image/png", path=picture.name),
        )
        return Outputs(outputs, report)
