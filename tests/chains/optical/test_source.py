"""Blocks of a scene: every tile of an image is decoded once, whatever the grid of the result."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from algorithms.block import Block
from peps_wps.chains.optical.grid import SceneGrid, scene_grid
from peps_wps.chains.optical.source import BandSource, CachedImage

pytestmark = pytest.mark.xdist_group("optical")


class TiledPixels:
    """An image in memory that counts how often its tiles are read."""

    def __init__(self, pixels: np.ndarray, block_shape: tuple[int, int]) -> None:
        self.pixels = pixels
        self.shape = pixels.shape
        self.block_shape = block_shape
        self.reads: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()

    def read(self, block: Block, *, band: int = 1) -> np.ndarray:
        with self._lock:
            self.reads[block.row, block.column] += 1
        rows = slice(block.row, block.row + block.rows)
        return self.pixels[rows, block.column : block.column + block.columns]


def _sweep(top: int, left: int, rows: int, columns: int, side: int) -> list[Block]:
    return [
        Block(row, column, min(side, top + rows - row), min(side, left + columns - column))
        for row in range(top, top + rows, side)
        for column in range(left, left + columns, side)
    ]


@pytest.mark.parametrize(
    ("top", "left", "side", "tile"),
    [
        *((0, 0, 64, 64), (17, 23, 64, 64), (33, 1, 50, 64), (0, 0, 32, 64)),
        # Blocks of many tiles: a coarse result, or the small tiles of 60 m.
        *((0, 0, 128, 24), (7, 5, 128, 24)),
    ],
)
def test_a_sweep_reads_each_tile_once(rng, top, left, side, tile):
    pixels = rng.integers(0, 65535, (330, 410), dtype=np.uint16)
    image = TiledPixels(pixels, (tile, tile))
    cached = CachedImage(image, side)
    blocks = _sweep(top, left, 330 - top, 410 - left, side)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(cached.read, blocks))
    for block, values in zip(blocks, found, strict=True):
        rows = slice(block.row, block.row + block.rows)
        expected = pixels[rows, block.column : block.column + block.columns]
        np.testing.assert_array_equal(values, expected)
    assert set(image.reads.values()) == {1}


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_blocks_of_a_window_are_those_of_the_whole_scene(bench, resolution):
    scene = bench.scene
    whole = scene_grid(scene, resolution, None)
    everything = Block(0, 0, *whole.shape)
    window = SceneGrid(whole.epsg, resolution, 7, 11, (60, 50), whole.tile_transform)
    for band in ("B04", "B11", "B01"):
        expected = BandSource(scene, band, whole).reflectance(everything)[7:67, 11:61]
        found = BandSource(scene, band, window).reflectance(Block(0, 0, 60, 50))
        np.testing.assert_array_equal(found, expected)
