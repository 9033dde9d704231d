"""S2_CORRELATION as a chain: one task, the pair."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from peps_wps.chains.contract import (
    FinishedTask,
    Json,
    Output,
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
from peps_wps.chains.correlation_s2.order import Order, parse
from peps_wps.chains.correlation_s2.pair import pair_of
from peps_wps.chains.correlation_s2.plan import pair_task
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from peps_wps.writers import naming
from peps_wps.writers.archive import write_archive

OUTPUT_TYPES = {
    **dict.fromkeys(
        ("ew", "ns", "quality", "flags"),
        "image/tiff; application=geotiff; profile=cloud-optimized",
    ),
    "quicklook": "image/png",
    "statistics": "application/json",
    "item": "application/geo+json",
}


class CorrelationS2:
    """The chain of S2_CORRELATION; it holds nothing between calls."""

    name = "S2_CORRELATION"

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
        """Return the task of the pair; raise OrderRefusedError when it cannot work."""
        return Plan((pair_task(order, context.catalogue),))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Correlate the pair, which is on disk."""
        order = Order.from_json(task.body["order"])
        progress("Reading the products", 0)
        reference, secondary = (
            open_scene(Safe.open(inputs.paths[uid]), str(tile))
            for uid, tile in zip(task.products, task.body["tiles"], strict=True)
        )
        pair = pair_of(reference, secondary, order)
        motion = measured(
            pair,
            order,
            inputs.config.processing.threads,
            lambda message, share: progress(message, 2 + 90 * share),
        )
        progress("Writing", 95)
        names = write_files(inputs.scratch, pair, order, motion)
        body = {
            "files": names,
            "stem": stem_of(pair, order),
            "start": reference.product.start.isoformat(),
        }
        return TaskResult(body, tuple(names.values()))

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, and every file of it beside."""
        progress("Packing the archive", 0)
        (done,) = finished
        names, stem = done.result.body["files"], str(done.result.body["stem"])
        digest = naming.order_digest(order.to_json())
        archive = folder / f"{self.name}_{stem}_{digest}.zip"
        write_archive(archive, {name: done.folder / name for name in names.values()})
        outputs = [Output("archive", "application/zip", path=archive.name)]
        for identifier, name in names.items():
            shutil.copyfile(done.folder / name, folder / name)
            outputs.append(Output(identifier, OUTPUT_TYPES[identifier], path=name))
        report = {"process": self.name, "order": order.to_json(), "files": names}
        return Outputs(tuple(outputs), report)
