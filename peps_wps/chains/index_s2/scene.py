"""The index of one scene: blocks of reflectances in, blocks of the index out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.optical import INT16_NO_DATA, stored_int16
from peps_wps.chains.blocks import put, run_blocks
from peps_wps.chains.contract import TaskResult
from peps_wps.chains.index_s2.order import Order
from peps_wps.chains.index_s2.statistics import Statistics
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import scene_grid
from peps_wps.chains.optical.scene_work import SceneWork
from peps_wps.chains.optical.source import BandSource, CloudSource
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import Sentinel2Scene
from peps_wps.writers import stac
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.colour_maps import coloured
from peps_wps.writers.mosaic import read_reduced
from peps_wps.writers.picture import write_picture

Float32 = NDArray[np.float32]

# Colours and the values of their ends; other indices have the range of their own values.
_WATER = ("water", -0.8, 0.8)
_VEGETATION = ("vegetation", -0.1, 0.9)
_PICTURES = {
    **dict.fromkeys(("NDWI", "MNDWI", "NDSI", "NDMI"), _WATER),
    **dict.fromkeys(
        ("NDVI", "EVI", "EVI2", "SAVI", "MSAVI", "OSAVI", "GNDVI", "ARVI", "NDREI"), _VEGETATION
    ),
}
_PICTURE_PERCENTILES = (2, 98)


class IndexOfScene(SceneWork[Order]):
    """Computes the index of one product and writes its files."""

    def __init__(self, scene: Sentinel2Scene, order: Order, folder: Path) -> None:
        super().__init__(scene, order, folder)
        self._index = order.spectral_index
        self._grid = scene_grid(scene, order.resolution, order.selection.region)
        self._sources = {band: BandSource(scene, band, self._grid) for band in self._index.bands}
        self._clouds = CloudSource(scene, self._grid) if order.mask_clouds else None
        self._is_scaled = order.format == "int16"
        self._nodata = float(INT16_NO_DATA) if self._is_scaled else math.nan
        self._scale = self._index.scale if self._is_scaled else 1.0
        self._stem = results.stem_of(scene, self._index.name)
        self._writer = CogWriter(
            folder / f"{self._stem}.tif",
            width=self._grid.shape[1],
            height=self._grid.shape[0],
            description=RasterDescription(
                order.format,
                self._grid.epsg,
                self._grid.transform,
                self._nodata,
                results.tags_of(scene, self._index.name, self._lineage),
                scale=self._scale,
                description=self._index.name,
            ),
        )
        self._statistics = Statistics(self._scale if self._is_scaled else None)

    @property
    def _lineage(self) -> str:
        hidden = ", clouds, cirrus and shadows left out" if self._order.mask_clouds else ""
        return (
            f"{self._index.title}: {self._index.formula} over reflectances of "
            f"{self._scene.product.title}{hidden}"
        )

    def run(self, threads: int, progress: Callable[[float], None]) -> TaskResult:
        """Compute and write everything."""
        run_blocks(self._grid.shape, self._block, threads=threads, progress=progress)
        if self._statistics.valid == 0:
            raise ChainError(self._reason())
        self._writer.close()
        picture = self._folder / f"{self._stem}.png"
        write_picture(picture, self._picture())
        statistics = self._statistics.to_json()
        item = self._item(picture, statistics)
        return self._finished(item, picture, index=self._index.name, statistics=statistics)

    def _block(self, block: Block) -> None:
        """Compute, count and store one block."""
        bands = {band: source.reflectance(block) for band, source in self._sources.items()}
        values = self._index.values(bands)
        seen = ~np.isnan(sum(bands.values(), np.zeros(values.shape, np.float32)))
        outside = self._grid.outside(block)
        if outside is not None:
            seen &= ~outside
        shown = seen
        if self._clouds is not None:
            shown = seen & ~self._clouds.hidden(block)
        values = np.where(shown & np.isfinite(values), values, np.float32(np.nan))
        stored = self._stored(values)
        if self._is_scaled:
            values[stored == INT16_NO_DATA] = np.nan
        self._statistics.add(
            values,
            pixels=values.size - (0 if outside is None else int(np.count_nonzero(outside))),
            seen=int(np.count_nonzero(seen)),
            hidden=int(np.count_nonzero(seen) - np.count_nonzero(shown)),
        )
        put(self._writer, block, stored, self._nodata)

    def _stored(self, values: Float32) -> NDArray[Any]:
        return stored_int16(values, self._scale) if self._is_scaled else values

    def _reason(self) -> str:
        """Say why no pixel is valid."""
        title, counted = self._scene.product.title, self._statistics
        if counted.seen == 0:
            return f"{title} has no data in the area"
        if counted.hidden == counted.seen:
            return f"clouds hide all of {title} in the area: order it with mask_clouds=false"
        return f"{self._index.name} has no value anywhere in the area of {title}"

    def _picture(self) -> NDArray[np.uint8]:
        values = read_reduced(self._writer.path, quantity=self._index.name).power
        if self._index.name in _PICTURES:
            name, low, high = _PICTURES[self._index.name]
            return coloured(values, low, high, name)
        low, high = np.nanpercentile(values, _PICTURE_PERCENTILES)
        return coloured(values, float(low), max(float(high), float(low) + 1e-6), "heat")

    def _item(self, picture: Path, statistics: dict[str, Any]) -> dict[str, Any]:
        raster = stac.Raster(
            self._order.format, self._nodata, float(self._grid.resolution), self._scale
        )
        assets = {
            self._index.name.lower(): results.asset_of(
                self._writer.path, self._index.title, "data", raster=raster
            ),
            "thumbnail": results.asset_of(picture, "Picture", "thumbnail", media_type=stac.PNG),
        }
        return results.item_of(
            self._scene,
            self._stem,
            self._grid,
            title=f"{self._index.name} of tile {results.tile_of(self._scene)}",
            lineage=self._lineage,
            assets=assets,
            further={
                "index": self._index.name,
                "formula": self._index.formula,
                "baseline": self._scene.product.baseline,
                "statistics": statistics,
            },
        )
