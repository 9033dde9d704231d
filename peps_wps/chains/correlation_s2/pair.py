"""The two images of a pair on the pixels that they have in common."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.correlation.images import CLOUD, NO_DATA, VALID, Image
from peps_wps.chains.correlation_s2.order import Order
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.chains.optical.region import on_map, shorter_side
from peps_wps.chains.optical.source import CloudSource
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import Sentinel2Scene

# Digital numbers that are no measurement (S2-PDGS-TAS-DI-PSD, special values).
_NO_DATA, _SATURATED = 0, 65_535
# Pixels around what windows of the area reach, for the filters.
_MARGIN = 24


@dataclass(frozen=True)
class Pair:
    """Two scenes and the window of each that shows the same pixels of the map.

    Parameters
    ----------
    reference, secondary
        The scenes.
    grids
        The common window in each tile; of the same shape.
    """

    reference: Sentinel2Scene
    secondary: Sentinel2Scene
    grids: tuple[SceneGrid, SceneGrid]

    @property
    def scenes(self) -> tuple[Sentinel2Scene, Sentinel2Scene]:
        """Both, the reference first."""
        return self.reference, self.secondary


def pair_of(reference: Sentinel2Scene, secondary: Sentinel2Scene, order: Order) -> Pair:
    """Return what two scenes have in common, of it what the nodes of an order need.

    Raises
    ------
    ChainError
        When that is less than a window, or the area is in it.
    """
    tiles = [_whole(scene, order.resolution) for scene in (reference, secondary)]
    if tiles[0].epsg != tiles[1].epsg:
        raise ChainError(f"the products are in EPSG:{tiles[0].epsg} and EPSG:{tiles[1].epsg}")
    row, column = _offset(tiles[0].transform, tiles[1].transform, order.resolution)
    area = None
    low, high = [max(0, row), max(0, column)], [0, 0]
    for axis, moved in enumerate((row, column)):
        high[axis] = min(tiles[0].shape[axis], tiles[1].shape[axis] + moved)
    if min(high[0] - low[0], high[1] - low[1]) < order.window:
        raise ChainError(
            f"the images have {max(high[0] - low[0], 0)} rows of {max(high[1] - low[1], 0)} pixels "
            f"in common: less than a window of {order.window}"
        )
    if order.region is not None:
        area, first, last = _area(tiles[0], low, high, order)
        low = [max(one, other) for one, other in zip(low, first, strict=True)]
        high = [min(one, other) for one, other in zip(high, last, strict=True)]
    # Nodes lie at the same places whatever the area.
    low = [value // order.step * order.step if value else 0 for value in low]
    low = [max(value, 0, moved) for value, moved in zip(low, (row, column), strict=True)]
    shape = high[0] - low[0], high[1] - low[1]
    grids = (
        _part(tiles[0], low[0], low[1], shape, area),
        _part(tiles[1], low[0] - row, low[1] - column, shape, area),
    )
    return Pair(reference, secondary, grids)


def _whole(scene: Sentinel2Scene, resolution: int) -> SceneGrid:
    geometry = scene.geometry
    shape, transform = geometry.shapes[resolution], geometry.transforms[resolution]
    return SceneGrid(geometry.epsg, resolution, 0, 0, shape, transform)


def _part(tile: SceneGrid, row: int, column: int, shape: tuple[int, int], area: Any) -> SceneGrid:
    return SceneGrid(tile.epsg, tile.resolution, row, column, shape, tile.tile_transform, area)


def _offset(reference: Affine, secondary: Affine, resolution: int) -> tuple[int, int]:
    """Return row and column of the reference where the secondary's first pixel lies."""
    row = (reference.f - secondary.f) / resolution
    column = (secondary.c - reference.c) / resolution
    if not (row.is_integer() and column.is_integer()):
        raise ChainError(
            f"the pixels of the products do not coincide: {row:g} rows and {column:g} columns apart"
        )
    return int(row), int(column)


def _area(
    tile: SceneGrid, low: list[int], high: list[int], order: Order
) -> tuple[shapely.geometry.base.BaseGeometry, list[int], list[int]]:
    """Return the area on the map, and the rows and columns that its windows reach.

    Of the area counts what lies between the low and the high row and column.
    """
    west, north = tile.transform @ (low[1], low[0])
    east, south = tile.transform @ (high[1], high[0])
    area = on_map(str(order.region), tile.epsg, (west, south, east, north))
    area = area.intersection(shapely.box(west, south, east, north))
    side = shorter_side(area) / tile.resolution
    if area.area == 0 or side < order.window:
        raise ChainError(
            f"the geometry is {side:.0f} pixels wide where the images have pixels in common: less "
            f"than a window of {order.window}"
        )
    shapely.prepare(area)
    reach = order.window // 2 + math.ceil(order.max_displacement) + _MARGIN
    left, top = ~tile.transform @ (area.bounds[0], area.bounds[3])
    right, bottom = ~tile.transform @ (area.bounds[2], area.bounds[1])
    first = [math.floor(top) - reach, math.floor(left) - reach]
    return area, first, [math.ceil(bottom) + reach, math.ceil(right) + reach]


def read_images(pair: Pair, order: Order, threads: int) -> tuple[Image, Image]:
    """Read a band of both scenes, every tile of their files decoded once.

    Raises
    ------
    ChainError
        When an image is missing or damaged, or clouds are to be left out and not known.
    """
    first, second = (
        _image(scene, grid, order, threads)
        for scene, grid in zip(pair.scenes, pair.grids, strict=True)
    )
    return first, second


def _image(scene: Sentinel2Scene, grid: SceneGrid, order: Order, threads: int) -> Image:
    block = Block(grid.row, grid.column, *grid.shape)
    pixels = scene.image(order.band, order.resolution).read_window(block, threads=threads)
    mask = np.full(pixels.shape, VALID, np.uint8)
    if order.mask_clouds:
        whole = Block(0, 0, *grid.shape)
        mask[CloudSource(scene, grid).hidden(whole)] = CLOUD
    mask[(pixels == _NO_DATA) | (pixels == _SATURATED)] = NO_DATA
    return Image(pixels, mask)


def detectors_at(
    scene: Sentinel2Scene, grid: SceneGrid, band: str, rows: NDArray[Any], columns: NDArray[Any]
) -> NDArray[np.uint8] | None:
    """Return which detector saw each node, None where the product does not say.

    Parameters
    ----------
    grid
        The common window in the scene's tile.
    rows, columns
        Pixels of the nodes in it.
    """
    detectors = scene.detectors(band)
    if detectors is None:
        return None
    return np.asarray(detectors[np.ix_(rows + grid.row, columns + grid.column)], np.uint8)
