"""The bands of one scene as files of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.optical import INT16_NO_DATA, stored_int16
from peps_wps.chains.blocks import blocks_of, put, run_blocks
from peps_wps.chains.contract import TaskResult
from peps_wps.chains.extract_s2.order import Order
from peps_wps.chains.extract_s2.target import TargetGrid, target_grid
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import SceneGrid, scene_grid
from peps_wps.chains.optical.picture import grey_picture
from peps_wps.chains.optical.scene_work import SceneWork
from peps_wps.chains.optical.source import BandSource, held_resolution
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import BANDS, Sentinel2Scene
from peps_wps.readers.sentinel2.bands import RESOLUTIONS
from peps_wps.writers import stac
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.picture import write_picture

Float32 = NDArray[np.float32]
AnyGrid = SceneGrid | TargetGrid


class _Form(NamedTuple):
    """How values are stored: physical value = stored * scale + offset."""

    dtype: str
    nodata: float
    scale: float
    offset: float


class BandsOfScene(SceneWork[Order]):
    """Extracts bands of one product, one after the other."""

    def __init__(self, scene: Sentinel2Scene, order: Order, folder: Path) -> None:
        super().__init__(scene, order, folder)
        self._is_raw = order.values == "dn"
        self._grids: dict[str, AnyGrid] = {}
        self._paths: dict[str, Path] = {}

    def run(self, threads: int, progress: Callable[[float], None]) -> TaskResult:
        """Write everything; a band may have no data in the area, or no place on the map."""
        bands = self._order.bands
        for number, band in enumerate(bands):
            self._extract(band, threads, partial(_tell, progress, number, len(bands)))
        stem = results.stem_of(self._scene, self._order.values)
        picture = self._folder / f"{stem}.png"
        write_picture(picture, grey_picture(self._paths[bands[0]]))
        images = {band: path.name for band, path in self._paths.items()}
        return self._finished(self._item(stem, picture), picture, images=images)

    def _extract(self, band: str, threads: int, progress: Callable[[float], None]) -> None:
        """Write one band."""
        order = self._order
        native = self._native_resolution(band)
        own = scene_grid(self._scene, native, order.selection.region)
        source = BandSource(self._scene, band, own, is_raw=self._is_raw)
        epsg, resolution = order.epsg or own.epsg, order.resolution or float(native)
        grid: AnyGrid = own
        read: Callable[[Block], Float32] = source.reflectance
        if (epsg, resolution) != (own.epsg, float(native)):
            target = target_grid(own, epsg, resolution)
            pixels = _read_all(source, own, threads)
            grid = target
            read = partial(target.resampled, pixels, own, order.resampling)
        self._grids[band] = grid
        self._write(band, grid, read, threads, progress)

    def _native_resolution(self, band: str) -> int:
        """Return the resolution of the image to read: the one that is asked for, where held."""
        wanted = self._order.resolution
        metres = int(wanted) if wanted in RESOLUTIONS else BANDS[band].resolution
        return held_resolution(self._scene, band, metres)

    def _write(
        self,
        band: str,
        grid: AnyGrid,
        read: Callable[[Block], Float32],
        threads: int,
        progress: Callable[[float], None],
    ) -> None:
        """Store a band block by block."""
        form = self._form(band)
        path = self._folder / f"{results.stem_of(self._scene, band)}.tif"
        tags = results.tags_of(self._scene, self._order.values, self._lineage)
        description = RasterDescription(
            form.dtype,
            grid.epsg,
            grid.transform,
            form.nodata,
            {**tags, "BAND": band},
            scale=form.scale,
            offset=form.offset,
            description=band,
        )
        rows, columns = grid.shape
        writer = CogWriter(path, width=columns, height=rows, description=description)

        def store(block: Block) -> None:
            values = read(block)
            outside = grid.outside(block)
            if outside is not None:
                values = np.where(outside, np.float32(np.nan), values)
            put(writer, block, self._stored(values), form.nodata)

        run_blocks(grid.shape, store, threads=threads, progress=progress)
        if not writer.has_data:
            raise ChainError(f"{self._scene.product.title} has no data of {band} in the area")
        writer.close()
        self._paths[band] = path

    def _form(self, band: str) -> _Form:
        if not self._is_raw:
            return _Form("int16", float(INT16_NO_DATA), 1e-4, 0.0)
        radiometry = self._scene.radiometry
        scale = 1.0 / radiometry.quantification
        return _Form("uint16", 0.0, scale, radiometry.offsets[band] * scale)

    def _stored(self, values: Float32) -> NDArray[Any]:
        if not self._is_raw:
            return stored_int16(values, 1e-4)
        numbers = np.nan_to_num(np.rint(values).clip(1, 65535), nan=0.0)
        return np.asarray(numbers, np.uint16)

    @property
    def _lineage(self) -> str:
        order = self._order
        what = "digital numbers" if self._is_raw else "reflectances"
        resampled = f", resampled ({order.resampling})" if order.epsg or order.resolution else ""
        return f"{what} of {self._scene.product.title}{resampled}"

    def _item(self, stem: str, picture: Path) -> dict[str, Any]:
        """Return the item; each band says its own grid, the item that of the first."""
        assets = {}
        for band, path in self._paths.items():
            form, grid = self._form(band), self._grids[band]
            raster = stac.Raster(
                form.dtype, form.nodata, float(grid.resolution), form.scale, form.offset
            )
            title = f"{band}, {self._order.values}"
            assets[band] = results.asset_of(path, title, "data", raster=raster)
        assets["thumbnail"] = results.asset_of(picture, "Picture", "thumbnail", media_type=stac.PNG)
        item = results.item_of(
            self._scene,
            stem,
            self._grids[self._order.bands[0]],
            title=f"Bands of tile {results.tile_of(self._scene)}",
            lineage=self._lineage,
            assets=assets,
            further={
                "bands": list(self._order.bands),
                "values": self._order.values,
                "baseline": self._scene.product.baseline,
            },
        )
        for band, grid in self._grids.items():
            item["assets"][band] |= {
                "proj:shape": list(grid.shape),
                "proj:transform": list(grid.transform)[:6],
            }
        return item


def _tell(progress: Callable[[float], None], number: int, of: int, share: float) -> None:
    """Tell the fraction done of several things from that of one."""
    progress((number + share) / of)


def _read_all(source: BandSource, grid: SceneGrid, threads: int) -> Float32:
    """Return all pixels of a grid, read block by block."""
    pixels = np.empty(grid.shape, np.float32)

    def fill(block: Block) -> None:
        rows = slice(block.row, block.row + block.rows)
        columns = slice(block.column, block.column + block.columns)
        pixels[rows, columns] = source.reflectance(block)

    with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
        for _ in pool.map(fill, blocks_of(grid.shape)):
            pass
    return pixels
