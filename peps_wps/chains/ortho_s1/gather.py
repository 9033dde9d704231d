"""The outputs of an order: the archive of all tiles, the picture, and what the report says."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from peps_wps.chains.contract import FinishedTask, Output, Outputs, Progress
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.plan import TileTask
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.chains.packing import packed
from peps_wps.writers import naming
from peps_wps.writers.mosaic import mosaic_of_files
from peps_wps.writers.quicklook import write_quicklook


def gather(
    order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
) -> Outputs:
    """Write the outputs of an order into `folder`.

    Parameters
    ----------
    order
        What was asked.
    finished
        The tiles.
    folder
        Published as a whole by the caller.
    progress
        Told what is under way.
    """
    progress("Packing the archive", 0)
    tiles = [done.result.body for done in finished]
    report = {"process": "S1_ORTHO", "order": order.to_json(), "tiles": tiles}
    members = {name: path for done in finished for name, path in _files(done)}
    path = folder / _archive_name(order, finished)
    archive = packed(path, members, report)
    progress("Drawing the picture", 95)
    picture = folder / f"{path.stem}.png"
    _draw(picture, finished, value_format(order.format, order.calibration).quantity)
    return Outputs((archive, Output("quicklook", "image/png", path=picture.name)), report)


def _files(done: FinishedTask) -> Iterator[tuple[str, Path]]:
    """Give the files of a tile by their names in the archive: a folder a tile."""
    tile = TileTask.from_json(done.task.body).tile
    for name in done.result.files:
        yield f"{tile}/{name}", done.folder / name


def _draw(path: Path, finished: Sequence[FinishedTask], quantity: str) -> None:
    """Draw the tiles as they lie on the map, all that have the polarisations of the first."""
    names = list(finished[0].result.body["images"])
    shown = [done for done in finished if list(done.result.body["images"]) == names]
    power = {
        name: mosaic_of_files([_image(done, name) for done in shown], quantity=quantity).power
        for name in names
    }
    write_quicklook(path, power, crop=True)


def _image(done: FinishedTask, polarization: str) -> Path:
    return done.folder / str(done.result.body["images"][polarization])


def _archive_name(order: Order, finished: Sequence[FinishedTask]) -> str:
    """Name the archive after its passes and the order; a pass on several tiles counts once."""
    bodies = [done.result.body for done in finished]
    starts = {body["pass"]: datetime.fromisoformat(body["start"]) for body in bodies}
    return naming.archive_name("S1_ORTHO", starts, order.to_json())
