"""The sums of the multitemporal filter on disk: one TIFF of two images.

The first holds the sum of ratios, float64 and not compressed, which would cost as much as filtering
a date; the second the number of dates, uint16. Both have the bands of the images. One file, so that
a sum is never found with the number of dates of another one.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from algorithms.speckle import RunningSums
from peps_wps.chains.tiling_s1.strips import Span

# Rows written and read at once: memory of this size is taken again and again by the allocator.
ROWS = 128


class SumsWriter:
    """Takes sums by rows and bands, from any thread, and writes the file at `close`.

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
        self._profile = {**grid, "driver": "GTiff", "interleave": "band", "blockysize": ROWS}
        self._profile["SPARSE_OK"] = True
        self._lock = threading.Lock()
        shape = (grid["count"], grid["height"], grid["width"])
        self._count: NDArray[np.uint16] = np.zeros(shape, np.uint16)
        self._total = rasterio.open(
            path, "w+", dtype="float64", BIGTIFF="IF_SAFER", **self._profile
        )
        self._total.update_tags(**tags)

    def write(self, band: int, span: Span, sums: RunningSums) -> None:
        """Take the sums of some rows of a band, from 0."""
        self._count[band, span.first : span.end] = sums.count
        with self._lock:
            self._total.write(sums.total, band + 1, window=_window(span, sums.total.shape[1]))

    def read(self, band: int, span: Span) -> RunningSums:
        """Return the sums that were taken of some rows of a band, from 0."""
        with self._lock:
            total = self._total.read(band + 1, window=_window(span, self._total.width))
        return RunningSums(total, self._count[band, span.first : span.end].copy())

    def close(self) -> None:
        """Write the number of dates."""
        self._total.close()
        with rasterio.open(
            self._path,
            "w",
            dtype="uint16",
            compress="zstd",
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
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._total = rasterio.open(path)
        self._count = rasterio.open(f"GTIFF_DIR:2:{path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._total.close()
        self._count.close()

    def read(self, band: int, span: Span) -> RunningSums:
        """Return the sums of some rows of a band, from 0."""
        window = _window(span, self._total.width)
        with self._lock:
            return RunningSums(
                self._total.read(band + 1, window=window), self._count.read(band + 1, window=window)
            )


def _window(span: Span, width: int) -> Window:
    return Window(0, span.first, width, span.end - span.first)
