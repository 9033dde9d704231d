"""S2_CORRELATION as a chain: one task a pair; the pairs of a series are inverted at the end."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
from peps_wps.chains.correlation_s2.field import measured
from peps_wps.chains.correlation_s2.files import stem_of, write_files
from peps_wps.chains.correlation_s2.order import Order
from peps_wps.chains.correlation_s2.pair import pair_of
from peps_wps.chains.correlation_s2.plan import pair_tasks
from peps_wps.chains.correlation_s2.series import MOTION, SeriesOfPairs, keep_field
from peps_wps.chains.correlation_s2.series_files import write_series
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.packing import packed, shown
from peps_wps.errors import ChainError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from peps_wps.writers import naming
from peps_wps.writers.stac import COG

OUTPUT_TYPES = {
    **dict.fromkeys(
        ("ew", "ns", "velocity_ew", "velocity_ns", "residual", "quality", "flags"), COG
    ),
    "quicklook": "image/png",
    "network": "image/png",
    "statistics": "application/json",
    "item": "application/geo+json",
}


class CorrelationS2(PlannerOf[Order]):
    """The chain of S2_CORRELATION; it holds nothing between calls."""

    name = "S2_CORRELATION"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return the tasks of the pairs; raise OrderRefusedError when they cannot work."""
        return Plan(pair_tasks(order, context.catalogue))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Correlate the pair, which is on disk."""
        order = Order.from_json(task.body["order"])
        progress("Reading the products", 0)
        reference, secondary = (
            open_scene(Safe.open(inputs.paths[uid]), str(tile))
            for uid, tile in zip(task.products, task.body["tiles"], strict=True)
        )
        pair = pair_of(reference, secondary, order)
        try:
            motion = measured(
                pair,
                order,
                inputs.config.processing.threads,
                lambda message, share: progress(message, 2 + 90 * share),
            )
        except ChainError as error:
            if not order.is_series:
                raise
            return TaskResult({"failed": str(error)})  # other pairs may do without it
        progress("Writing", 95)
        if order.is_series:
            body = keep_field(inputs.scratch, pair, motion)
            return TaskResult(body, (MOTION,))
        names = write_files(inputs.scratch, pair, order, motion)
        body = {"files": names, "stem": stem_of(pair, order)}
        return TaskResult(body, tuple(names.values()))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, and every file of it beside."""
        if order.is_series:
            return self._gather_series(order, finished, folder, progress)
        progress("Packing the archive", 0)
        (done,) = finished
        names, stem = done.result.body["files"], str(done.result.body["stem"])
        files = {kind: done.folder / name for kind, name in names.items()}
        archive = packed(
            self._archive(folder, stem, order), {file.name: file for file in files.values()}
        )
        report = {"process": self.name, "order": order.to_json(), "files": names}
        return Outputs((archive, *shown(folder, files, OUTPUT_TYPES)), report)

    def _gather_series(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Invert the pairs, then write the zip; dates lie in it only, but for the last."""
        series = SeriesOfPairs.of(finished, order)
        tile = str(finished[0].task.body["tiles"][0])
        with TemporaryDirectory(dir=folder) as scratch:
            names, counted = write_series(Path(scratch), series, order, tile, progress)
            progress("Packing the archive", 95)
            members = {file.name: file for file in sorted(Path(scratch).iterdir())}
            archive = packed(self._archive(folder, names.stem, order), members)
            files = names.outputs(series.dates[-1])
            paths = {kind: Path(scratch, name) for kind, name in files.items()}
            outputs = (archive, *shown(folder, paths, OUTPUT_TYPES))
        report = {"process": self.name, "order": order.to_json(), "files": files, **counted}
        return Outputs(outputs, report)

    def _archive(self, folder: Path, stem: str, order: Order) -> Path:
        return folder / f"{self.name}_{stem}_{naming.order_digest(order.to_json())}.zip"
