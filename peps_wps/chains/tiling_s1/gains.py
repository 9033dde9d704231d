"""The ratio of speckle, with which every date is multiplied: in memory, or on disk if it is large.

A file is written once and read once a date, as large as an uncompressed image; in memory, two
bands of a tile would take 1 GB. Where one more date alone is filtered nothing is kept.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from peps_wps.chains.tiling_s1.strips import Span

Float32 = NDArray[np.float32]
_PIXEL_BYTES = 4
MEMORY_BYTES = 1 << 29  # a band of a whole tile takes 482 MB


class GainArray:
    """Gains by rows and bands in memory, for any thread.

    Parameters
    ----------
    grid
        Width and height of a band and their count, as rasterio names them.
    """

    def __init__(self, grid: Mapping[str, Any]) -> None:
        self._gains = np.zeros((grid["count"], grid["height"], grid["width"]), np.float32)

    def write(self, band: int, span: Span, gain: Float32) -> None:
        """Take some rows of a band, from 0."""
        self._gains[band, span.first : span.end] = gain

    def read(self, band: int, span: Span) -> Float32:
        """Return some rows of a band, from 0; 0 where none were taken."""
        return self._gains[band, span.first : span.end]


class GainFile:
    """Gains by rows and bands, for any thread.

    Parameters
    ----------
    stream
        An empty file without a buffer, open to write and read as long as this is used.
    grid
        Width and height of a band, as rasterio names them.
    """

    def __init__(self, stream: IO[bytes], grid: Mapping[str, Any]) -> None:
        self._descriptor = stream.fileno()
        self._height, self._width = int(grid["height"]), int(grid["width"])

    def write(self, band: int, span: Span, gain: Float32) -> None:
        """Take some rows of a band, from 0."""
        left, place = np.ascontiguousarray(gain).data.cast("B"), self._place(band, span)
        while left:
            written = os.pwrite(self._descriptor, left, place)
            left, place = left[written:], place + written

    def read(self, band: int, span: Span) -> Float32:
        """Return some rows of a band, from 0; 0 where none were taken."""
        gain = np.empty((span.end - span.first, self._width), np.float32)
        left, place = gain.data.cast("B"), self._place(band, span)
        while left and (read := os.preadv(self._descriptor, [left], place)):
            left, place = left[read:], place + read
        left[:] = bytes(len(left))
        return gain

    def _place(self, band: int, span: Span) -> int:
        return (band * self._height + span.first) * self._width * _PIXEL_BYTES


Gains = GainArray | GainFile


@contextmanager
def gains_of(grid: Mapping[str, Any], folder: Path) -> Iterator[Gains]:
    """Give room for gains; what is too large for memory lies in a nameless file of a folder."""
    if grid["count"] * grid["height"] * grid["width"] * _PIXEL_BYTES <= MEMORY_BYTES:
        yield GainArray(grid)
        return
    with TemporaryFile(dir=folder, buffering=0) as stream:
        yield GainFile(stream, grid)
