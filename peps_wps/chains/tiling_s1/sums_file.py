"""The sums of the multitemporal filter on disk: one TIFF of two images.

The first holds the sum of ratios, float64 and not compressed, which would cost as much as filtering
a date; the second the number of dates, uint16. Both have the bands of the images. One file, so that
a sum is never found with the number of dates of another one.

Blocks of the first are as wide as the image and a whole number of pages long, one after the other
from a page on, so that they pass between memory and disk directly. Sums that lie otherwise, as they
were written before, are read through GDAL.
"""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from algorithms.speckle import RunningSums
from peps_wps.chains.tiling_s1.direct_file import PAGE_BYTES, DirectFile, aligned
from peps_wps.chains.tiling_s1.strips import Span
from storage.part_file import file_checksum

# Of a block: 32 rows of 16 columns are a page of float64, and 2.8 MB of a tile stay in caches.
ROWS = 32
_COLUMNS = 16
_PIXEL_BYTES = 8
_PADDING = "PADDING"  # tag as long as it takes for the first block to begin at a page

Float64 = NDArray[np.float64]


class UnsoundSumsError(ValueError):
    """A file does not hold sums, or not all of them."""


class _Layout(NamedTuple):
    """Where sums lie: first byte, size of a band in pixels, columns of a block."""

    place: int
    width: int
    height: int
    columns: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> "_Layout | None":
        """Return that of a file, or None where blocks lie otherwise."""
        columns = -(-dataset.width // _COLUMNS) * _COLUMNS
        layout = cls(_block_place(dataset, 1, 0), dataset.width, dataset.height, columns)
        last = layout.bytes(dataset.count - 1, Span(dataset.height - 1, dataset.height))[0]
        there = _block_place(dataset, dataset.count, (dataset.height - 1) // ROWS)
        is_ours = dataset.block_shapes[0] == (ROWS, columns) and last == there
        return layout if is_ours and not layout.place % PAGE_BYTES else None

    def bytes(self, band: int, span: Span) -> tuple[int, int]:
        """Return place and size of the blocks that hold some rows of a band, from 0."""
        row_bytes = self.columns * _PIXEL_BYTES
        band_rows = -(-self.height // ROWS) * ROWS
        first, end = span.first // ROWS * ROWS, -(-span.end // ROWS) * ROWS
        return self.place + (band * band_rows + first) * row_bytes, (end - first) * row_bytes

    def read(self, file: DirectFile, band: int, span: Span) -> Float64:
        """Return some rows of a band."""
        rows = file.read(*self.bytes(band, span)).view(np.float64).reshape(-1, self.columns)
        first = span.first % ROWS
        return rows[first : first + span.end - span.first, : self.width].copy()

    def write(self, file: DirectFile, band: int, span: Span, total: Float64) -> None:
        """Write the rows of whole blocks of a band."""
        place, size = self.bytes(band, span)
        rows = aligned(size).view(np.float64).reshape(-1, self.columns)
        rows[: len(total), : self.width] = total
        rows[: len(total), self.width :] = 0
        rows[len(total) :] = 0
        file.write(place, rows)


def _block_place(dataset: DatasetReader, band: int, block: int) -> int:
    return _block_number(dataset, "OFFSET", band, block)


def _block_number(dataset: DatasetReader, name: str, band: int, block: int) -> int:
    """Return offset or size of a block, bytes; 0 where the file leaves it out, being zero."""
    return int(dataset.get_tag_item(f"BLOCK_{name}_0_{block}", "TIFF", bidx=band) or 0)


def _end(dataset: DatasetReader) -> int:
    """Return where the last block of an image ends, whose blocks are as wide as itself, bytes."""
    blocks = range(-(-dataset.height // dataset.block_shapes[0][0]))
    return max(
        _block_place(dataset, *which) + _block_number(dataset, "SIZE", *which)
        for which in product(dataset.indexes, blocks)
    )


class SumsWriter:
    """Takes sums by rows and bands, from any thread, and finishes the file at `close`.

    Parameters
    ----------
    path
        The file.
    grid
        Width, height, count of bands, CRS and transform, as rasterio names them.
    tags
        Written into the file.
    """

    def __init__(self, path: Path, grid: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._path = path
        self._profile = {**grid, "driver": "GTiff", "interleave": "band"}
        shape = (grid["count"], grid["height"], grid["width"])
        self._count: NDArray[np.uint16] = np.zeros(shape, np.uint16)
        self._layout = self._laid_out(tags)
        self._total = DirectFile(path, writable=True)

    def _laid_out(self, tags: Mapping[str, str]) -> _Layout:
        """Let GDAL write the file of zeros, none of which takes place on the disk."""
        columns = -(-self._profile["width"] // _COLUMNS) * _COLUMNS
        blocks = {"tiled": True, "blockxsize": columns, "blockysize": ROWS}
        padding = 1
        for _ in range(2):
            with rasterio.open(
                self._path, "w", dtype="float64", BIGTIFF="IF_SAFER", **blocks, **self._profile
            ) as dataset:
                dataset.update_tags(**tags, **{_PADDING: "." * padding})
            with rasterio.open(self._path) as dataset:
                padding += -_block_place(dataset, 1, 0) % PAGE_BYTES
        with rasterio.open(self._path) as dataset:
            layout = _Layout.of(dataset)
        if layout is None:
            raise RuntimeError(f"{self._path} was not laid out block by block")
        return layout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._total.close()

    def write(self, band: int, span: Span, sums: RunningSums) -> None:
        """Take the sums of some blocks of `ROWS` rows of a band, from 0."""
        self._count[band, span.first : span.end] = sums.count
        self._layout.write(self._total, band, span, sums.total)

    def read(self, band: int, span: Span) -> RunningSums:
        """Return the sums that were taken of some rows of a band, from 0."""
        count = self._count[band, span.first : span.end].copy()
        return RunningSums(self._layout.read(self._total, band, span), count)

    def close(self) -> None:
        """Write the number of dates."""
        with rasterio.open(
            self._path,
            "w",
            dtype="uint16",
            compress="zstd",
            blockysize=ROWS,
            SPARSE_OK=True,
            APPEND_SUBDATASET=True,
            **self._profile,
        ) as count:
            count.write(self._count)


class _Images(NamedTuple):
    """Sum of ratios and number of dates."""

    total: DatasetReader
    count: DatasetReader

    @classmethod
    def of(cls, path: Path, stack: ExitStack) -> Self:
        """Return those of a file, open; see `SumsReader`.

        GDAL does not tell what is wrong with a file from what keeps it from being read just now: it
        is asked again after all bytes were read.
        """
        try:
            return cls._opened(path, stack)
        except (RasterioIOError, UnsoundSumsError):
            file_checksum(path)
        try:
            return cls._opened(path, stack)
        except RasterioIOError as error:
            raise UnsoundSumsError(f"{path} does not hold sums: {error}") from error

    @classmethod
    def _opened(cls, path: Path, stack: ExitStack) -> Self:
        total = stack.enter_context(rasterio.open(path))
        images = cls(total, stack.enter_context(rasterio.open(f"GTIFF_DIR:2:{path}")))
        if [image.dtypes[0] for image in images] != ["float64", "uint16"]:
            raise UnsoundSumsError(f"{path} holds {images.total.dtypes[0]}, no sums")
        end, size = max(map(_end, images)), path.stat().st_size
        if end > size:
            raise UnsoundSumsError(f"{path} ends at byte {size}, its last block at {end}")
        return images


class SumsReader:
    """Sums on disk, for any thread.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    UnsoundSumsError
        When all bytes of the file can be read, but are no sums or not all of them.
    OSError
        When the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        with ExitStack() as stack:
            self._images = _Images.of(path, stack)
            self.tags: Mapping[str, str] = self._images.total.tags()
            self._layout = _Layout.of(self._images.total)
            self._direct = stack.enter_context(DirectFile(path))
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def read(self, band: int, span: Span) -> RunningSums:
        """Return the sums of some rows of a band, from 0."""
        window = Window(0, span.first, self._images.total.width, span.end - span.first)
        with self._lock:
            count = self._images.count.read(band + 1, window=window)
            if self._layout is None:
                return RunningSums(self._images.total.read(band + 1, window=window), count)
        return RunningSums(self._layout.read(self._direct, band, span), count)
