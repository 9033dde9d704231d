"""S1_TILING as a chain: the dates of each tile, then each series, then what there is to tell."""

from collections.abc import Sequence
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
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.tiling_s1.date import run_date
from peps_wps.chains.tiling_s1.gather import PROCESS, gather
from peps_wps.chains.tiling_s1.order import Order
from peps_wps.chains.tiling_s1.plan import plan
from peps_wps.chains.tiling_s1.series import run_series
from peps_wps.chains.tiling_s1.tasks import DateTask, SeriesTask, is_date


class TilingS1(PlannerOf[Order]):
    """The chain of S1_TILING; it holds nothing between calls."""

    name = PROCESS
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a date and tile that is not there, and one a series, after its dates."""
        return plan(order, context)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Compute and publish a date, or work on the whole of a series."""
        if is_date(task.body):
            return run_date(DateTask.from_json(task.body), inputs, progress)
        return run_series(SeriesTask.from_json(task.body), inputs, progress)

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the lists, the pictures, the report, and the archive if it is wanted."""
        return gather(order, finished, folder, progress)
