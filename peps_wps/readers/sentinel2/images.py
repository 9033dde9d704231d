"""Pixels of one JPEG 2000 image, tile by tile, each decoded once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from algorithms.block import Block
from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.wording import printable

Pixels = NDArray[Any]


class Jp2Image:
    """One image of a product; reads may come from several threads.

    Parameters
    ----------
    safe
        The product.
    name
        The image in it.
    shape
        Rows and columns that the metadata state; None to take what the image has.

    Raises
    ------
    SafeError
        When it is missing, no image, or of another size.
    """

    def __init__(self, safe: Safe, name: str, shape: tuple[int, int] | None = None) -> None:
        self.label = f"{printable(name.rsplit('/', 1)[-1])} of {safe.title}"
        safe.size(name)
        self._path = safe.gdal_path(name)
        self._local = threading.local()
        with self._reading():
            dataset = self._dataset()
            self.shape: tuple[int, int] = dataset.shape
            self.count: int = dataset.count
            self.block_shape: tuple[int, int] = dataset.block_shapes[0]
        if shape is not None and self.shape != shape:
            raise SafeError(
                f"{self.label} has {self.shape[0]} rows of {self.shape[1]} pixels, "
                f"{shape[0]} rows of {shape[1]} expected"
            )

    def _dataset(self) -> DatasetReader:
        """Return this thread's own handle: a dataset is not safe in several."""
        dataset = getattr(self._local, "dataset", None)
        if dataset is None:
            dataset = self._local.dataset = rasterio.open(self._path)
        return dataset

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except RasterioError as error:
            raise SafeError(f"{self.label} is damaged and cannot be decoded") from error

    def read(self, block: Block, *, band: int = 1) -> Pixels:
        """Return the pixels of a block, shape (rows, columns).

        Raises
        ------
        SafeError
            When the image is damaged there.
        """
        window = Window(block.column, block.row, block.columns, block.rows)
        with self._reading():
            return np.asarray(self._dataset().read(band, window=window))

    def read_all(self, *, threads: int = 1, band: int = 1) -> Pixels:
        """Return the whole image, its tiles decoded by several threads."""
        return self.read_window(Block(0, 0, *self.shape), threads=threads, band=band)

    def read_window(self, window: Block, *, threads: int = 1, band: int = 1) -> Pixels:
        """Return any part of the image, each tile that it touches decoded once.

        Parameters
        ----------
        window
            Within the image.
        threads
            Tiles decoded at once.
        """
        parts = [part for block in self.blocks() if (part := _common(block, window))]
        first = self.read(parts[0], band=band)
        out = np.empty((window.rows, window.columns), first.dtype)

        def put(part: Block, pixels: Pixels) -> None:
            row, column = part.row - window.row, part.column - window.column
            out[row : row + part.rows, column : column + part.columns] = pixels

        put(parts[0], first)
        with ThreadPoolExecutor(threads, "decode") as executor:
            for _ in executor.map(lambda part: put(part, self.read(part, band=band)), parts[1:]):
                pass
        return out

    def read_reduced(self, shape: tuple[int, int], *, band: int = 1) -> Pixels:
        """Return the image at a smaller size, from the resolution levels of the file."""
        with self._reading():
            return np.asarray(
                self._dataset().read(band, out_shape=shape, resampling=Resampling.average)
            )

    def blocks(self) -> Iterator[Block]:
        """Yield the tiles of the file, row by row: what one decoding gives at once."""
        height, width = self.block_shape
        for row in range(0, self.shape[0], height):
            for column in range(0, self.shape[1], width):
                yield Block(
                    row,
                    column,
                    min(height, self.shape[0] - row),
                    min(width, self.shape[1] - column),
                )


def _common(block: Block, window: Block) -> Block | None:
    """Return what two blocks share, None where nothing."""
    row, column = max(block.row, window.row), max(block.column, window.column)
    rows = min(block.row + block.rows, window.row + window.rows) - row
    columns = min(block.column + block.columns, window.column + window.columns) - column
    return Block(row, column, rows, columns) if rows > 0 and columns > 0 else None
