"""S1_TIME_SERIES as a chain: pairs to cells, their network, their maps, the inversion."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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
from peps_wps.chains.packing import packed, shown
from peps_wps.chains.time_series_s1.cells_life import drop_stale
from peps_wps.chains.time_series_s1.maps import run_map
from peps_wps.chains.time_series_s1.misregistration import run_network
from peps_wps.chains.time_series_s1.order import Order
from peps_wps.chains.time_series_s1.pair import run_pair
from peps_wps.chains.time_series_s1.plan import plan
from peps_wps.chains.time_series_s1.series import series_of
from peps_wps.chains.time_series_s1.series_files import write_series
from peps_wps.chains.time_series_s1.tasks import (
    KIND,
    MAP,
    NETWORK,
    PAIR,
    SERIES_NAME,
    Pair,
    StackWork,
)
from peps_wps.datalake.lake import Lake
from peps_wps.writers import naming
from peps_wps.writers.stac import COG

PROCESS = "S1_TIME_SERIES"

OUTPUT_TYPES = {
    **dict.fromkeys(
        (
            *("velocity", "velocity_sigma", "displacement", "dem_error", "temporal_coherence"),
            *("residual", "incidence"),
        ),
        COG,
    ),
    "quicklook": "image/png",
    "network": "image/png",
    "dates": "text/csv",
    "statistics": "application/json",
    "item": "application/geo+json",
}


class TimeSeriesS1(PlannerOf[Order]):
    """The chain of S1_TIME_SERIES; it holds nothing between calls."""

    name = PROCESS
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return a task for each pair that is not there, and those that follow without products."""
        return plan(order, context)

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Do one task of any kind."""
        kind = task.body[KIND]
        if kind == PAIR:
            return run_pair(Pair.from_json(task.body), inputs, progress)
        if kind == MAP:
            return run_map(Pair.from_json(task.body), inputs, progress)
        work = StackWork.from_json(task.body)
        if kind == NETWORK:
            return run_network(work, inputs, progress)
        series = series_of(work, inputs, lambda share: progress("Looking at the map", 10 * share))
        body = write_series(inputs.scratch, series, inputs.config.processing.threads, progress)
        lake_section = inputs.config.datalake
        if lake_section.cells_days:
            kept = timedelta(days=lake_section.cells_days)
            drop_stale(Lake(lake_section.path), kept, datetime.now(UTC))
        return TaskResult(body, tuple(body["files"].values()))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip of all files of the series, and those that are outputs beside it."""
        progress("Packing the archive", 0)
        done = next(one for one in finished if one.task.name == SERIES_NAME)
        names: dict[str, str] = done.result.body["files"]
        item = Path(names["item"]).stem
        archive = folder / f"{self.name}_{item}_{naming.order_digest(order.to_json())}.zip"
        members = {name: done.folder / name for name in names.values()}
        files = {kind: members[names[kind]] for kind in OUTPUT_TYPES if kind in names}
        report = {
            "process": self.name,
            "order": order.to_json(),
            "files": names,
            **done.result.body["statistics"],
        }
        outputs = (packed(archive, members), *shown(folder, files, OUTPUT_TYPES))
        return Outputs(outputs, report)
