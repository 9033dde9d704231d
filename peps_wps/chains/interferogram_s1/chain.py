"""S1_INTERFEROGRAM as a chain: bursts by several tasks, one that puts them together, one zip."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

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
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferogram_s1.plan import LAST, plan
from peps_wps.chains.interferogram_s1.result import run_result
from peps_wps.chains.interferometry.tasks import run_cells
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.packing import packed, shown
from peps_wps.writers import naming

# Outputs beside the zip, by the picture that they are.
PICTURES = {
    "phase": "quicklook",
    "coherence": "coherence_picture",
    "displacement": "displacement_picture",
}
OUTPUT_TYPES = {**dict.fromkeys(PICTURES.values(), "image/png"), "metadata": "application/json"}


class InterferogramS1(PlannerOf[Order]):
    """The chain of S1_INTERFEROGRAM; it holds nothing between calls."""

    name = "S1_INTERFEROGRAM"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return the tasks of the bursts and the last one; OrderRefusedError when none can work."""
        return plan(order, context)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Compute some bursts, or put all of them together."""
        if task.name == LAST:
            return run_result(task, inputs, progress)
        return run_cells(task, inputs, progress)

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, and pictures and metadata of the first grid beside it."""
        progress("Packing the archive", 0)
        last = finished[-1]
        body = last.result.body
        report = {
            "process": self.name,
            "order": order.to_json(),
            **body["account"],
            "grids": body["grids"],
        }
        starts = {str(body["stem"]): datetime.fromisoformat(body["start"])}
        archive = folder / naming.archive_name(self.name, starts, order.to_json())
        members = {name: last.folder / name for name in last.result.files}
        first = body["grids"][0]
        names = {PICTURES[kind]: name for kind, name in first["pictures"].items()}
        names["metadata"] = first["metadata"]
        files = {kind: last.folder / first["tile"] / name for kind, name in names.items()}
        outputs = (packed(archive, members, report), *shown(folder, files, OUTPUT_TYPES))
        return Outputs(outputs, report)
