"""Pixels of a scene on the grid of a result, block by block; each JPEG 2000 tile decoded once."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.optical import NO_DATA, mean_of_squares, reflectance_from_dn
from peps_wps.chains.blocks import SIDE
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.errors import ChainError
from peps_wps.readers.sentinel2 import BANDS, Sentinel2Scene
from peps_wps.readers.sentinel2.images import Jp2Image
from peps_wps.readers.sentinel2.masks import Cloud

Float32 = NDArray[np.float32]
Pixels = NDArray[Any]

_MASK_RESOLUTION = 20  # metres: the finest of any cloud mask
HIDING = Cloud.OPAQUE | Cloud.CIRRUS | Cloud.SHADOW


@dataclass
class _Tile:
    lock: threading.Lock = field(default_factory=threading.Lock)
    pixels: Pixels | None = None


class CachedImage:
    """An image whose tiles are kept while blocks sweep over it row by row.

    Parameters
    ----------
    image
        The image; its blocks may be asked for by several threads.
    reach
        Most rows of a block.
    """

    def __init__(self, image: Jp2Image, reach: int) -> None:
        self._image = image
        self._tiles: OrderedDict[tuple[int, int], _Tile] = OrderedDict()
        self._lock = threading.Lock()
        # All tiles that a row of blocks lies on, and a few of the next.
        rows = -(-reach // image.block_shape[0]) + 1
        self._kept = rows * -(-image.shape[1] // image.block_shape[1]) + 4

    def read(self, block: Block) -> Pixels:
        """Return the pixels of a block, shape (rows, columns)."""
        height, width = self._image.block_shape
        rows = range(block.row // height, (block.row + block.rows - 1) // height + 1)
        columns = range(block.column // width, (block.column + block.columns - 1) // width + 1)
        parts = [[self._part(row, column, block) for column in columns] for row in rows]
        return parts[0][0] if len(rows) == len(columns) == 1 else np.block(parts)

    def _part(self, row: int, column: int, block: Block) -> Pixels:
        """Return what of a block lies in a tile."""
        height, width = self._image.block_shape
        pixels = self._tile(row, column)
        rows = slice(max(block.row - row * height, 0), block.row + block.rows - row * height)
        columns = slice(
            max(block.column - column * width, 0), block.column + block.columns - column * width
        )
        return pixels[rows, columns]

    def _tile(self, row: int, column: int) -> Pixels:
        """Return a tile, decoded by the first thread that asks for it."""
        with self._lock:
            tile = self._tiles.setdefault((row, column), _Tile())
            self._tiles.move_to_end((row, column))
            while len(self._tiles) > self._kept:
                self._tiles.popitem(last=False)
        with tile.lock:
            if tile.pixels is None:
                height, width = self._image.block_shape
                top, left = row * height, column * width
                place = Block(
                    top,
                    left,
                    min(height, self._image.shape[0] - top),
                    min(width, self._image.shape[1] - left),
                )
                tile.pixels = self._image.read(place)
            return tile.pixels


class BandSource:
    """Reflectances of a band on the grid of a result.

    A finer image is averaged, a coarser one repeated. The image is the one of the grid's resolution
    where the product has it, else the finest.

    Parameters
    ----------
    scene
        The product.
    band
        "B04".
    grid
        Of the result.
    is_raw
        Give digital numbers, saturated ones too, in the place of reflectances.
    """

    def __init__(
        self, scene: Sentinel2Scene, band: str, grid: SceneGrid, *, is_raw: bool = False
    ) -> None:
        self.resolution = held_resolution(scene, band, grid.resolution)
        reach = -(-SIDE * grid.resolution // self.resolution)
        self._image = CachedImage(scene.image(band, self.resolution), reach)
        self._grid = grid
        self._is_raw = is_raw
        self._offset = scene.radiometry.offsets[band]
        self._quantification = scene.radiometry.quantification

    def reflectance(self, block: Block) -> Float32:
        """Return the reflectances of a block of the grid, NaN for no data and saturation."""
        place = self._grid.in_tile(block)
        if self.resolution < self._grid.resolution:
            return self._averaged(place, self._grid.resolution // self.resolution)
        factor = self.resolution // self._grid.resolution
        return _repeated(lambda coarse: self._values(self._image.read(coarse)), place, factor)

    def _averaged(self, place: Block, factor: int) -> Float32:
        """Return the means of finer pixels, taken strip by strip: they are many."""
        out = np.empty((place.rows, place.columns), np.float32)
        step = max(1, SIDE // factor)
        for row in range(0, place.rows, step):
            rows = min(step, place.rows - row)
            strip = (place.row + row, place.column, rows, place.columns)
            values = self._values(self._image.read(Block(*(factor * n for n in strip))))
            out[row : row + rows] = mean_of_squares(values, factor)
        return out

    def _values(self, numbers: Pixels) -> Float32:
        if self._is_raw:
            return np.where(numbers == NO_DATA, np.float32(np.nan), numbers.astype(np.float32))
        return reflectance_from_dn(
            numbers, offset=self._offset, quantification=self._quantification
        )


class CloudSource:
    """Where clouds, cirrus and shadows hide the ground, on the grid of a result.

    Raises
    ------
    ChainError
        When the product has no mask.
    """

    def __init__(self, scene: Sentinel2Scene, grid: SceneGrid) -> None:
        resolution = max(grid.resolution, _MASK_RESOLUTION)
        mask = scene.clouds(resolution)
        if mask is None:
            raise ChainError(
                f"{scene.product.title} has no mask of clouds: order it with mask_clouds=false"
            )
        self._hidden = (mask & np.uint8(HIDING)) > 0
        self._factor = resolution // grid.resolution
        self._grid = grid

    def hidden(self, block: Block) -> NDArray[np.bool_]:
        """Return which pixels of a block of the grid are hidden."""
        return _repeated(self._read, self._grid.in_tile(block), self._factor)

    def _read(self, block: Block) -> NDArray[np.bool_]:
        return self._hidden[
            block.row : block.row + block.rows, block.column : block.column + block.columns
        ]


def _repeated(read: Callable[[Block], Pixels], place: Block, factor: int) -> Pixels:
    """Return a block of pixels `factor` times as fine as those that are read."""
    row, column = place.row // factor, place.column // factor
    last_row = (place.row + place.rows - 1) // factor
    last_column = (place.column + place.columns - 1) // factor
    coarse = read(Block(row, column, last_row - row + 1, last_column - column + 1))
    if factor == 1:
        return coarse
    fine = coarse.repeat(factor, axis=0).repeat(factor, axis=1)
    top, left = place.row - factor * row, place.column - factor * column
    return np.ascontiguousarray(fine[top : top + place.rows, left : left + place.columns])


def held_resolution(scene: Sentinel2Scene, band: str, wanted: int) -> int:
    """Return the resolution at which to read a band: the wanted one where held, else its finest."""
    if scene.has_image(band, wanted):
        return wanted
    held = [metres for name, metres in scene.granule.images if name == band]
    return min(held, default=BANDS[band].resolution)
