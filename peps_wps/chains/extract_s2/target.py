"""The grid of an extracted band, and its pixels there."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.warp import reproject, transform_bounds
from shapely.geometry.base import BaseGeometry

from algorithms.block import Block
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.errors import ChainError

Float32 = NDArray[np.float32]

METRES_IN_DEGREE = 111_320.0  # of longitude on the equator
MOST_PIXELS = 40_000  # a side


@dataclass(frozen=True)
class TargetGrid:
    """Pixels on any map, at whole multiples of their size.

    Parameters
    ----------
    epsg, transform, shape
        Projection, geotransform, rows and columns.
    resolution
        Metres, about that where the map is in degrees.
    area
        Outside it is no data; None where everything counts.
    """

    epsg: int
    transform: Affine
    shape: tuple[int, int]
    resolution: float
    area: BaseGeometry | None

    def outside(self, block: Block) -> NDArray[np.bool_] | None:
        """Return which pixels of a block have their centre outside the area, None where none."""
        if self.area is None:
            return None
        inside = rasterize(
            [(self.area, 1)],
            out_shape=(block.rows, block.columns),
            transform=self.of_block(block),
            dtype=np.uint8,
        )
        return np.asarray(inside == 0)

    def of_block(self, block: Block) -> Affine:
        """Return the geotransform of a block."""
        return self.transform @ Affine.translation(block.column, block.row)

    def resampled(self, source: Float32, grid: SceneGrid, method: str, block: Block) -> Float32:
        """Return a block of this grid from the pixels of a scene, both NaN for no data."""
        out = np.full((block.rows, block.columns), np.nan, np.float32)
        reproject(
            source,
            out,
            src_transform=grid.transform,
            src_crs=grid.epsg,
            src_nodata=np.nan,
            dst_transform=self.of_block(block),
            dst_crs=self.epsg,
            dst_nodata=np.nan,
            resampling=Resampling[method],
        )
        return out


def target_grid(grid: SceneGrid, epsg: int, resolution: float) -> TargetGrid:
    """Return the grid on another map, or at another resolution, that holds a window of a scene.

    Raises
    ------
    ChainError
        When the map has no place for it, or it would be too large.
    """
    rows, columns = grid.shape
    west, north = grid.transform @ (0, 0)
    east, south = grid.transform @ (columns, rows)
    bounds = transform_bounds(grid.epsg, epsg, west, south, east, north)
    if not np.isfinite(bounds).all() or bounds[0] >= bounds[2]:
        raise ChainError(f"EPSG:{epsg} has no place for the product")
    is_geographic = CRS.from_epsg(epsg).is_geographic
    step = resolution / METRES_IN_DEGREE if is_geographic else resolution
    left, bottom = (math.floor(edge / step + 1e-6) for edge in bounds[:2])
    right, top = (math.ceil(edge / step - 1e-6) for edge in bounds[2:])
    shape = top - bottom, right - left
    if max(shape) > MOST_PIXELS:
        raise ChainError(
            f"the result would have {shape[0]} rows of {shape[1]} pixels, "
            f"at most {MOST_PIXELS} expected"
        )
    transform = Affine(step, 0.0, left * step, 0.0, -step, top * step)
    return TargetGrid(epsg, transform, shape, resolution, _projected(grid, epsg))


def _projected(grid: SceneGrid, epsg: int) -> BaseGeometry | None:
    """Return the area of a scene's grid on another map."""
    if grid.area is None:
        return None
    to_map = Transformer.from_crs(grid.epsg, epsg, always_xy=True)
    dense = shapely.segmentize(grid.area, 1000.0)
    return shapely.transform(dense, lambda places: np.column_stack(to_map.transform(*places.T)))
