"""S2_REGISTRATION as a chain: one task a product, each with the reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
from peps_wps.chains.optical.results import body_of, gather_scenes
from peps_wps.chains.orders import PlannerOf
from peps_wps.chains.registration_s2.bands import (
    RegisteredBand,
    pointing_files,
    resampled_bands,
    stem_of,
)
from peps_wps.chains.registration_s2.item import item_of, tags_of
from peps_wps.chains.registration_s2.match import Match, matched
from peps_wps.chains.registration_s2.order import Order
from peps_wps.chains.registration_s2.pictures import write_pictures
from peps_wps.chains.registration_s2.plan import registration_tasks
from peps_wps.chains.registration_s2.report import (
    features,
    read_features,
    report_of,
    write_features,
)
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from peps_wps.writers.json_document import write_json

GEOJSON = "application/geo+json"


class RegistrationS2(PlannerOf[Order]):
    """The chain of S2_REGISTRATION; it holds nothing between calls."""

    name = "S2_REGISTRATION"
    order_type = Order

    def plan(self, order: Order, context: PlanContext) -> Plan:
        """Return one task a product; raise OrderRefusedError when it cannot work."""
        return Plan(registration_tasks(order, context.catalogue))

    def run(self, task: Task, inputs: TaskInputs, progress: Progress) -> TaskResult:
        """Register one product on the reference; both are on disk."""
        order = Order.from_json(task.body["order"])
        progress("Reading the products", 0)
        reference, target = (
            open_scene(Safe.open(inputs.paths[uid]), str(tile))
            for uid, tile in zip(task.products, task.body["tiles"], strict=True)
        )
        match = matched(
            reference,
            target,
            order,
            inputs.config.processing.threads,
            lambda message, share: progress(message, 2 + 48 * share),
        )
        progress("Resampling" if order.apply == "resample" else "Writing", 50)
        bands = _bands(match, order, inputs, lambda share: progress("Resampling", 50 + 45 * share))
        return _written(inputs.scratch, match, order, bands)

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        """Write the zip, the tie points of all products, a picture and the report."""
        outputs = gather_scenes(self.name, order.to_json(), finished, folder, progress)
        archive = next(one.path for one in outputs.outputs if one.identifier == "archive")
        points = folder / f"{Path(str(archive)).stem}_tie_points.geojson"
        write_features(points, _all_features(finished))
        tie_points = Output("tie_points", GEOJSON, path=points.name)
        return Outputs((*outputs.outputs, tie_points), outputs.report)


def _bands(
    match: Match, order: Order, inputs: TaskInputs, progress: Callable[[float], None]
) -> dict[str, RegisteredBand]:
    """Write the bands as they are ordered."""
    if order.apply == "none":
        return pointing_files(inputs.scratch, match, order)
    threads = inputs.config.processing.threads
    tags = tags_of(match, order)
    return resampled_bands(inputs.scratch, match, order, tags, threads, progress)


def _written(
    folder: Path, match: Match, order: Order, bands: Mapping[str, RegisteredBand]
) -> TaskResult:
    """Write what is told of a registration beside its bands; return the result of the task."""
    target = match.pair.secondary
    stem = stem_of(target)
    report = report_of(match)
    pictures = write_pictures(folder, stem, match, report)
    write_json(folder / f"{stem}_report.json", report)
    points = f"{stem}_tie_points.geojson"
    write_features(folder / points, features(match))
    item = item_of(folder, stem, match, order, bands, pictures, report)
    write_json(folder / f"{stem}.json", item)
    body = body_of(target, folder / pictures["difference"], registration=report, tie_points=points)
    return TaskResult(body, tuple(sorted(path.name for path in folder.iterdir())))


def _all_features(finished: Sequence[FinishedTask]) -> Iterator[dict[str, Any]]:
    for done in finished:
        yield from read_features(done.folder / str(done.result.body["tie_points"]))
