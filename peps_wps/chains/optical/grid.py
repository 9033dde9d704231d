"""The pixels that a result has: those of a tile at one resolution, or a window of them."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from algorithms.block import Block
from peps_wps.chains.optical.region import on_map
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import Sentinel2Scene


@dataclass(frozen=True)
class SceneGrid:
    """A window of a tile.

    Parameters
    ----------
    epsg
        UTM zone.
    resolution
        Metres.
    row, column
        Of its first pixel in the tile at this resolution.
    shape
        Rows and columns.
    tile_transform
        Of the whole tile.
    area
        Outside it is no data; metres, None where everything counts.
    """

    epsg: int
    resolution: int
    row: int
    column: int
    shape: tuple[int, int]
    tile_transform: Affine
    area: BaseGeometry | None = None

    @property
    def transform(self) -> Affine:
        """Geotransform of the window."""
        return self.tile_transform @ Affine.translation(self.column, self.row)

    def in_tile(self, block: Block) -> Block:
        """Return a block of this grid as one of the tile."""
        return Block(block.row + self.row, block.column + self.column, block.rows, block.columns)

    def outside(self, block: Block) -> NDArray[np.bool_] | None:
        """Return which pixels of a block have their centre outside the area, None where none."""
        if self.area is None:
            return None
        transform = self.transform @ Affine.translation(block.column, block.row)
        west, north = transform @ (0, 0)
        east, south = transform @ (block.columns, block.rows)
        if shapely.contains(self.area, shapely.box(west, south, east, north)):
            return None
        inside = rasterize(
            [(self.area, 1)],
            out_shape=(block.rows, block.columns),
            transform=transform,
            dtype=np.uint8,
        )
        return np.asarray(inside == 0)


def scene_grid(scene: Sentinel2Scene, resolution: int, region: str | None) -> SceneGrid:
    """Return the pixels of a scene that an area touches.

    Parameters
    ----------
    scene
        The tile.
    resolution
        10, 20 or 60 m.
    region
        WKT in longitude and latitude; None for the whole tile.

    Raises
    ------
    ChainError
        When the area lies outside the tile.
    """
    geometry = scene.geometry
    shape, transform = geometry.shapes[resolution], geometry.transforms[resolution]
    whole = SceneGrid(geometry.epsg, resolution, 0, 0, shape, transform)
    if region is None:
        return whole
    west, north = transform @ (0, 0)
    east, south = transform @ (shape[1], shape[0])
    area = on_map(region, geometry.epsg, (west, south, east, north))
    area = area.intersection(shapely.box(west, south, east, north))
    if area.is_empty or area.area == 0:
        raise ChainError(f"the geometry lies outside the tile of {scene.product.title}")
    left, top = ~transform @ (area.bounds[0], area.bounds[3])
    right, bottom = ~transform @ (area.bounds[2], area.bounds[1])
    # A thousandth of a pixel: edges that fall on those of pixels stay there.
    row, column = math.floor(top + 1e-3), math.floor(left + 1e-3)
    rows, columns = math.ceil(bottom - 1e-3) - row, math.ceil(right - 1e-3) - column
    window = max(rows, 1), max(columns, 1)
    shapely.prepare(area)
    return SceneGrid(geometry.epsg, resolution, row, column, window, transform, area)
