"""What every date is multiplied with, on disk: the ratio of speckle, band by band.

It is as large as an uncompressed image and read once a date, which costs little where the system
keeps the file in its cache; in the memory of the process two bands would take 1 GB.
"""

import os
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from peps_wps.chains.tiling_s1.strips import Span

Float32 = NDArray[np.float32]
_PIXEL_BYTES = 4


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
