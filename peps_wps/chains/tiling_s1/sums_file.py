"""The sums of the multitemporal filter on disk: one TIFF of two images.

The first holds the sum of ratios, float64 and not compressed, which would cost as much as filtering
a date; the second the number of dates, uint16. Both have the bands of the images. One file, so that
a sum is never found with the number of dates of another one.

Blocks of the first are as wide as the image and a whole number of pages long, one after the other
from a page on, so that they pass between memory and disk directly.
"""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from algorithms.speckle import RunningSums
from peps_wps.chains.tiling_s1.direct_file import PAGE_BYTES, DirectFile, aligned
from peps_wps.chains.tiling_s1.strips import Span

# Of a block: 32 rows of 16 columns are a page of float64, and 2.8 MB of a tile stay in caches.
ROWS = 32
_COLUMNS = 16
_PIXEL_BYTES = 8
_PADDING = "PADDING"  # tag as long as it takes for the first block to begin at a page

Float64 = NDArray[np.float64]


class _Layout(NamedTuple):
    """Where sums lie: first byte, size of a band in pixels, columns of a block."""

    place: int
    width: int
    height: int
    columns: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> "_Layout":
        """Return that of a file, which is refused where blocks lie otherwise than they should."""
        columns = -(-dataset.width // _COLUMNS) * _COLUMNS
        layout = cls(_block_place(dataset, 1, 0), dataset.width, dataset.height, columns)
        last = layout.bytes(dataset.count - 1, Span(dataset.height - 1, dataset.height))[0]
        there = _block_place(dataset, dataset.count, (dataset.height - 1) // ROWS)
        if layout.place % PAGE_BYTES or last != there:
            raise ValueError(f"{dataset.name} does not hold sums block by block")
        return layout

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
    return int(dataset.get_tag_item(f"BLOCK_OFFSET_0_{block}", "TIFF", bidx=band) or 0)


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
            return _Layout.of(dataset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._total.__exit__(kind, error, trace)

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


class SumsReader:
    """Sums on disk, for any thread.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ValueError
        When the file was not written by `SumsWriter`.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        with rasterio.open(path) as dataset:
            self._layout = _Layout.of(dataset)
        with ExitStack() as stack:
            self._total = stack.enter_context(DirectFile(path))
            self._count = stack.enter_context(rasterio.open(f"GTIFF_DIR:2:{path}"))
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def read(self, band: int, span: Span) -> RunningSums:
        """Return the sums of some rows of a band, from 0."""
        window = Window(0, span.first, self._layout.width, span.end - span.first)
        with self._lock:
            count = self._count.read(band + 1, window=window)
        return RunningSums(self._layout.read(self._total, band, span), count)
