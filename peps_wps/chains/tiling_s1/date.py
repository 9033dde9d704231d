"""One date of a tile: looked up in the datalake, else computed and published."""

import logging
from functools import partial
from pathlib import Path

from algorithms import mgrs
from peps_wps.chains.contract import Json, Progress, TaskInputs, TaskResult
from peps_wps.chains.ortho_s1.heights import tile_heights
from peps_wps.chains.ortho_s1.scene import read_scene
from peps_wps.chains.ortho_s1.tile import TileProcessor
from peps_wps.chains.tiling_s1.date_files import DateFiles
from peps_wps.chains.tiling_s1.holdings import DATE, is_held
from peps_wps.chains.tiling_s1.tasks import DateTask
from peps_wps.datalake.lake import SOURCE, Lake
from peps_wps.errors import ChainError, DemError
from storage.datalake import Product

logger = logging.getLogger(__name__)


def run_date(work: DateTask, inputs: TaskInputs, progress: Progress) -> TaskResult:
    """Publish a date unless it is there; one whose products are damaged is left out.

    Two orders for one date wait for each other here: the second finds what the first published.
    """
    lake = Lake(inputs.config.datalake.path)
    lake.files.recover()
    with lake.lock(
        f"{work.series.folder}/{work.series.name}_{work.date}",
        holder=work.name,
        waiting=lambda holder: progress(f"Waiting for {holder}", 0),
    ):
        if is_held(lake, work):
            _remove_former(lake, work)
            return TaskResult({"state": "held"})
        try:
            item, files = _computed(work, inputs, progress)
        except DemError:
            raise
        except ChainError as error:
            logger.warning("%s is left out: %s", work.name, error)
            return TaskResult({}, left_out=str(error))
        progress("Publishing", 98)
        lake.publish(work.folder, item, files)
        _remove_former(lake, work)
    return TaskResult({"state": "published"})


def _computed(work: DateTask, inputs: TaskInputs, progress: Progress) -> tuple[Json, list[Path]]:
    """Orthorectify a pass as S1_ORTHO does; return its item and files."""
    ortho = work.order.ortho
    tile = mgrs.tile(work.series.tile)
    progress("Reading the product", 0)
    paths = [inputs.paths[product] for product in work.products]
    scene = read_scene(paths, work.series.polarizations, ortho, inputs.config.orbits.path)
    progress("Reading the heights", 2)
    heights = tile_heights(inputs.config, tile, scene, ortho)
    processor = TileProcessor(scene, tile, heights, ortho)
    files = DateFiles(inputs.scratch, work, scene, processor, heights)
    processor.run(
        files.take,
        inputs.config.processing.threads,
        lambda fraction: progress(f"Computing {work.date} on {tile.name}", 5 + 85 * fraction),
    )
    progress("Writing", 90)
    return files.close()


def _remove_former(lake: Lake, work: DateTask) -> None:
    """Remove what the date had been before it was made of other frames, and named otherwise.

    What was made of it goes first: after a kill it is found by the rest.
    """
    there = list(lake.files.products(work.folder))
    for former in filter(partial(_is_former, work=work), there):
        name = former.item["id"]
        for product in there:
            is_composite = str(product.item["id"]).startswith(f"{name}_")
            if is_composite or product.item["properties"].get(SOURCE) == name:
                lake.remove(product.path)
        lake.remove(former.path)


def _is_former(product: Product, work: DateTask) -> bool:
    """Tell whether a product is the image of the same date under another name."""
    name, said = str(product.item["id"]), product.item["properties"]
    is_of_series = f"_{''.join(work.series.polarizations).lower()}_" in name
    is_image = SOURCE not in said and said.get(DATE) == work.date
    return is_image and is_of_series and name != work.stem
