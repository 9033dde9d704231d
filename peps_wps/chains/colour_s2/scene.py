"""The composition of one scene: blocks of three bands in, blocks of a picture out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.block import Block
from algorithms.optical import stretched_uint8
from peps_wps.chains.blocks import put, run_blocks
from peps_wps.chains.colour_s2.order import Order
from peps_wps.chains.contract import TaskResult
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import scene_grid
from peps_wps.chains.optical.picture import reduced_picture
from peps_wps.chains.optical.scene_work import SceneWork
from peps_wps.chains.optical.source import BandSource
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import Sentinel2Scene
from peps_wps.writers import stac
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.picture import SUFFIXES, write_picture

NO_DATA = 0


class ColourOfScene(SceneWork[Order]):
    """Composes one product and writes its files."""

    def __init__(self, scene: Sentinel2Scene, order: Order, folder: Path) -> None:
        super().__init__(scene, order, folder)
        self._grid = scene_grid(scene, order.resolution, order.selection.region)
        self._sources = [BandSource(scene, band, self._grid) for band in order.bands]
        self._limits = order.stretch.limits(scene, order.bands, self._grid)
        self._stem = results.stem_of(scene, order.name.replace("_", "-"))
        self._writer = CogWriter(
            folder / f"{self._stem}.tif",
            width=self._grid.shape[1],
            height=self._grid.shape[0],
            description=RasterDescription(
                "uint8",
                self._grid.epsg,
                self._grid.transform,
                float(NO_DATA),
                {
                    **results.tags_of(scene, "color composition", self._lineage),
                    "BANDS": " ".join(order.bands),
                },
                samples=len(order.bands),
            ),
        )

    @property
    def _lineage(self) -> str:
        shown = ", ".join(
            f"{band} from {low:.4f} to {high:.4f}"
            for band, (low, high) in zip(self._order.bands, self._limits, strict=True)
        )
        return (
            f"reflectances of {self._scene.product.title} as red, green, blue: {shown}; "
            f"gamma {self._order.stretch.gamma:g}"
        )

    def run(self, threads: int, progress: Callable[[float], None]) -> TaskResult:
        """Compute and write everything."""
        run_blocks(self._grid.shape, self._block, threads=threads, progress=progress)
        if not self._writer.has_data:
            raise ChainError(f"{self._scene.product.title} has no data in the area")
        self._writer.close()
        picture = self._folder / f"{self._stem}{SUFFIXES[self._order.picture]}"
        write_picture(picture, reduced_picture(self._writer.path))
        return self._finished(
            self._item(picture), picture, bands=list(self._order.bands), limits=self._limits
        )

    def _block(self, block: Block) -> None:
        """Compose and store one block; what one band lacks is no data in all."""
        tones = np.empty((block.rows, block.columns, len(self._sources)), np.uint8)
        for channel, source in enumerate(self._sources):
            low, high = self._limits[channel]
            values = source.reflectance(block)
            tones[..., channel] = stretched_uint8(values, low, high, self._order.stretch.gamma)
        missing = (tones == NO_DATA).any(axis=2)
        outside = self._grid.outside(block)
        if outside is not None:
            missing |= outside
        tones[missing] = NO_DATA
        put(self._writer, block, tones, NO_DATA)

    def _item(self, picture: Path) -> dict[str, Any]:
        raster = stac.Raster("uint8", float(NO_DATA), float(self._grid.resolution))
        kind = stac.PNG if self._order.picture == "png" else stac.JPEG
        assets = {
            "visual": results.asset_of(
                self._writer.path, f"{self._order.name}, 8 bits", "visual", raster=raster
            ),
            "thumbnail": results.asset_of(picture, "Picture", "thumbnail", media_type=kind),
        }
        return results.item_of(
            self._scene,
            self._stem,
            self._grid,
            title=f"{self._order.name} of tile {results.tile_of(self._scene)}",
            lineage=self._lineage,
            assets=assets,
            further={
                "bands": list(self._order.bands),
                "stretch": self._order.stretch.name,
                "limits": self._limits,
                "baseline": self._scene.product.baseline,
            },
        )
