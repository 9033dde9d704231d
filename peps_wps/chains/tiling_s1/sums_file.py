"""The sums of the multitemporal filter on disk: one TIFF of two images.

The first holds the sum of ratios, float64 and not compressed, which would cost as much as filtering
a date; the second the number of dates, uint16. Both have the bands of the images. One file, so that
a sum is never found with the number of dates of another one.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from algorithms.speckle import RunningSums
from peps_wps.chains.tiling_s1.strips import Span
from peps_wps.writers.cog import BLOCK

Profile = Mapping[str, Any]


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

    def __init__(self, path: Path, grid: Profile, tags: Mapping[str, str]) -> None:
        self._path = path
        self._profile = {**grid, "driver": "GTiff", "tiled": True, "interleave": "band"}
        self._profile |= {"blockxsize": BLOCK, "blockysize": BLOCK, "SPARSE_OK": True}
        self._tags = tags
        self._lock = threading.Lock()
        shape = (grid["count"], grid["height"], grid["width"])
        self._count: NDArray[np.uint16] = np.zeros(shape, np.uint16)
        self._total = rasterio.open(path, "w", dtype="float64", BIGTIFF="IF_SAFER", **self._profile)
        self._total.update_tags(**tags)

    def write(self, band: int, span: Span, sums: RunningSums) -> None:
        """Take the sums of some rows of a band, from 0; blocks that hold nothing stay sparse."""
        self._count[band, span.first : span.end] = sums.count
        width = sums.total.shape[1]
        for first in range(span.first, span.end, BLOCK):
            rows = Span(first, min(first + BLOCK, span.end))
            own = slice(rows.first - span.first, rows.end - span.first)
            if sums.count[own].any():
                with self._lock:
                    self._total.write(sums.total[own], band + 1, window=_window(rows, width))

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


def read_sums(path: Path, band: int, span: Span) -> RunningSums:
    """Return the sums of some rows of a band, from 0."""
    with rasterio.open(path) as total, rasterio.open(f"GTIFF_DIR:2:{path}") as count:
        window = _window(span, total.width)
        return RunningSums(total.read(band + 1, window=window), count.read(band + 1, window=window))


def _window(span: Span, width: int) -> Window:
    return Window(0, span.first, width, span.end - span.first)
