"""Windows of an image while a tile sweeps over it: each line is read from the file once.

A line of a GRD image has 25,000 samples and a block needs about 700 of them, so lines are kept in
chunks. Blocks come in the order of azimuth: a few chunks are enough, whatever the size of the tile.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.radar.ortho import Window
from peps_wps.readers.measurement import LineSource

CHUNK_LINES = 256
# Two threads work at most a block apart, and a block touches about 700 lines.
KEPT_CHUNKS = 10


@dataclass
class _Chunk:
    lock: threading.Lock = field(default_factory=threading.Lock)
    pixels: NDArray[np.uint16] | None = None


class ChunkedImage:
    """One image, read in chunks of lines by any number of threads.

    Parameters
    ----------
    lines
        The whole image.
    """

    def __init__(self, lines: LineSource) -> None:
        self._lines = lines
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, window: Window, out: NDArray[np.uint16]) -> None:
        """Copy a window (in the image's own lines and samples) into `out`, of its shape."""
        samples = slice(window.first_sample, window.last_sample)
        for index in range(window.first_line // CHUNK_LINES, -(-window.last_line // CHUNK_LINES)):
            start = index * CHUNK_LINES
            first = max(window.first_line, start)
            last = min(window.last_line, start + CHUNK_LINES)
            pixels = self._chunk(index)[first - start : last - start, samples]
            out[first - window.first_line : last - window.first_line] = pixels

    def _chunk(self, index: int) -> NDArray[np.uint16]:
        """Return a chunk, read by the first thread that asks for it."""
        with self._lock:
            chunk = self._chunks.setdefault(index, _Chunk())
            self._chunks.move_to_end(index)
            while len(self._chunks) > KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        with chunk.lock:
            if chunk.pixels is None:
                start = index * CHUNK_LINES
                last = min(start + CHUNK_LINES, self._lines.lines)
                chunk.pixels = self._lines.read(start, last)
            return chunk.pixels
