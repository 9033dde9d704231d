"""S1_INTERFEROGRAM as a chain: bursts by several tasks, one that puts them together, one zip."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

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
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferogram_s1.plan import LAST, plan
from peps_wps.chains.interferogram_s1.result import run_result
from peps_wps.chains.interferometry.tasks import run_cells
from peps_wps.chains.orders import PlannerOf
from peps_wps.writers import naming
from peps_wps.writers.archive import write_archive
from peps_wps.writers.json_document import write_json

REPORT_NAME = "report.json"
# Outputs beside the zip, by the picture that they are.
PICTURES = {
    "phase": "quicklook",
    "coherence": "coherence_picture",
    "displacement": "displacement_picture",
}


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
        write_json(folder / REPORT_NAME, report)
        starts = {str(body["stem"]): datetime.fromisoformat(body["start"])}
        archive = folder / naming.archive_name(self.name, starts, order.to_json())
        members = {name: last.folder / name for name in last.result.files}
        write_archive(archive, {REPORT_NAME: folder / REPORT_NAME, **members})
        first = body["grids"][0]
        shown = {PICTURES[kind]: name for kind, name in first["pictures"].items()}
        shown["metadata"] = first["metadata"]
        for name in shown.values():
            shutil.copyfile(last.folder / first["tile"] / name, folder / name)
        outputs = [Output("archive", "application/zip", path=archive.name)]
        for identifier, name in shown.items():
            mime_type = "image/png" if name.endswith(".png") else "application/json"
            outputs.append(Output(identifier, mime_type, path=name))
        return Outputs(tuple(outputs), report)
