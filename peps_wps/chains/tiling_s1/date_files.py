"""The files of one date of a tile while they fill, and its item."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from algorithms import mgrs
from peps_wps.chains.contract import Json
from peps_wps.chains.ortho_s1.account import Statistics, processing_of
from peps_wps.chains.ortho_s1.scene import Scene
from peps_wps.chains.ortho_s1.tile import BlockResult, TileProcessor
from peps_wps.chains.ortho_s1.values import encode, value_format
from peps_wps.chains.tiling_s1.holdings import DATE, HASH, PARAMETERS
from peps_wps.chains.tiling_s1.images import describe, image_asset, image_names
from peps_wps.chains.tiling_s1.tasks import DateTask
from peps_wps.datalake.parameters import parameters_hash
from peps_wps.errors import ChainError
from peps_wps.readers.dem import DemWindow
from peps_wps.writers import stac, tags
from peps_wps.writers.acquisition import acquisition_of
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.mosaic import read_reduced
from peps_wps.writers.quicklook import write_quicklook

BORDER_MASK = "BorderMask"


class DateFiles:
    """Takes the blocks of a date as they are computed and writes its files at the end.

    Parameters
    ----------
    folder
        Where the files go.
    work, scene, processor, heights
        What is computed, from what.
    """

    def __init__(
        self,
        folder: Path,
        work: DateTask,
        scene: Scene,
        processor: TileProcessor,
        heights: DemWindow,
    ) -> None:
        self._folder = folder
        self._work = work
        self._tile = mgrs.tile(work.series.tile)
        self._scene = scene
        self._processor = processor
        self._acquisition = acquisition_of([frame.manifest for frame in scene.frames])
        self._processing = processing_of(work.order.ortho, scene, heights)
        self._format = value_format(work.order.format, work.order.calibration)
        self._names = image_names(work.stem, work.series.polarizations, work.order.naming)
        self._images = {name: self._image(name, held) for name, held in self._names.items()}
        self._mask = self._mask_writer() if work.order.mask_border else None
        self._statistics = {name: Statistics() for name in work.series.polarizations}

    def take(self, block: BlockResult) -> None:
        """Encode, compress and count one block; called from several threads."""
        for file, polarizations in self._names.items():
            for band, name in enumerate(polarizations):
                values = encode(block.power[name], self._format)
                self._images[file].put(block.row, block.column, values, band=band)
        for name, power in block.power.items():
            self._statistics[name].add(power)
        if self._mask is not None:
            co_polarized = block.power[self._work.series.polarizations[0]]
            valid = np.logical_not(np.isnan(co_polarized)).view(np.uint8)
            self._mask.put(block.row, block.column, valid)

    def close(self) -> tuple[Json, list[Path]]:
        """Write everything; return the item and its files.

        Raises
        ------
        ChainError
            When no pixel of the tile is valid.
        """
        valid = max(statistics.count for statistics in self._statistics.values())
        if valid == 0:
            title = self._acquisition.titles[0]
            raise ChainError(f"no valid pixel of {title} on tile {self._work.series.tile}")
        writers = [*self._images.values(), *([] if self._mask is None else [self._mask])]
        for writer in writers:
            writer.close()
        picture = self._write_quicklook()
        rows, columns = self._processor.shape
        item = self._item(picture, round(100 * valid / (rows * columns), 2))
        return item, [*(writer.path for writer in writers), picture]

    def _image(self, file: str, polarizations: tuple[str, ...]) -> CogWriter:
        form = self._format
        found = tags.tile_tags(
            self._acquisition,
            self._processing,
            self._work.series.tile,
            "".join(polarizations),
            quantity=form.quantity,
        )
        return self._writer(file, describe(self._processor, self._tile, form, found, polarizations))

    def _mask_writer(self) -> CogWriter:
        found = tags.tile_tags(
            self._acquisition,
            self._processing,
            self._work.series.tile,
            self._work.series.polarizations[0],
            image_type="MASK",
            quantity=BORDER_MASK,
        )
        transform = self._processor.transform
        description = RasterDescription("uint8", self._tile.epsg, transform, None, found)
        return self._writer(f"{self._work.stem}_{BORDER_MASK}.tif", description)

    def _writer(self, file: str, description: RasterDescription) -> CogWriter:
        rows, columns = self._processor.shape
        is_image = description.dtype != "uint8"
        return CogWriter(
            self._folder / file,
            width=columns,
            height=rows,
            description=description,
            overview=self._format.overview if is_image else "nearest",
            mantissa_bits=self._format.mantissa_bits if is_image else None,
        )

    def _write_quicklook(self) -> Path:
        power = {
            name: read_reduced(self._folder / file, quantity=self._format.quantity, band=band).power
            for file, polarizations in self._names.items()
            for band, name in enumerate(polarizations, 1)
        }
        path = self._folder / f"{self._work.stem}.png"
        write_quicklook(path, power)
        return path

    def _item(self, picture: Path, valid_percent: float) -> Json:
        """Return the STAC item of the date."""
        work = self._work
        grid = stac.Grid(
            work.series.tile, self._tile.epsg, self._processor.transform, self._processor.shape
        )
        item = stac.tile_item(
            work.stem,
            self._acquisition,
            self._processing,
            grid,
            assets=dict(self._assets(picture)),
            quality=stac.Quality(valid_percent, self._model()),
        )
        item["properties"] |= {
            DATE: work.date,
            PARAMETERS: work.series.parameters,
            HASH: parameters_hash(work.series.parameters),
        }
        return item

    def _assets(self, picture: Path) -> Iterator[tuple[str, stac.Asset]]:
        for file, polarizations in self._names.items():
            title = f"{self._work.order.calibration} {' and '.join(polarizations)}"
            path = self._folder / file
            key = "".join(polarizations).lower()
            yield key, image_asset(path, title, self._format, polarizations)
        if self._mask is not None:
            yield (
                "border-mask",
                stac.Asset(
                    self._mask.path.name,
                    stac.COG,
                    "Pixels that hold data",
                    ("data-mask",),
                    raster=stac.Raster("uint8", None, mgrs.PIXEL_M),
                ),
            )
        yield "thumbnail", stac.Asset(picture.name, stac.PNG, "Quicklook", ("thumbnail",))

    def _model(self) -> Json:
        """Return what is published of the geolocation model, and the mean of the pixels."""
        checks = self._scene.geometry.check_against_grid()
        return {
            "geolocation": [asdict(check) for check in checks],
            "mean_db": {name: one.mean_db for name, one in self._statistics.items()},
        }
