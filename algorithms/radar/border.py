"""Border noise of Sentinel-1 GRD products older than IPF 2.90.

Those processors left noise of a few digital numbers where the swaths do not reach, at near and far
range and at the first and last lines of a pass; newer ones write zeros there, which need no search.
The image begins where most of a run of pixels is above the noise, seen from the edge. Calm water
stays: it is no darker than the thermal noise of the instrument, well above that of the border.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

# Border noise is a few digital numbers, seldom more than this. ESA's masking (MPC-0243, Masking
# No-value Pixels on GRD Products, section 3) takes all below 30 for it, and water with that: real
# IW products have thermal noise of 24 DN rms at IPF 2.70, so that of 4.4-look speckle nine pixels
# in ten over the calmest water are above 15.
LARGEST_NOISE = 15
# The image begins with a pixel above the noise from where as many of the next are.
RUN = 32
LEAST_OF_RUN = 24
# The widest border of a product: what S1Tiling cuts off every frame in range, and at both ends of a
# pass in azimuth, where the three swaths begin up to a burst of 2.75 s apart (an assumption from
# practice, no specification bounds it). What is dark farther in is water.
REACH_SAMPLES = 1000
REACH_LINES = 1600
# Lines and samples on each side whose widest border counts: the noise wanders slowly.
SMOOTHING = 8


@dataclass(frozen=True)
class Border:
    """Where the valid image lies; a pixel is valid when both its line and its sample say so.

    Parameters
    ----------
    first_sample, last_sample
        For each line the first and the last valid sample, shape (line,).
    first_line, last_line
        For each sample the first and the last valid line, shape (sample,).
    """

    first_sample: Int32
    last_sample: Int32
    first_line: Int32
    last_line: Int32

    def cut(
        self, numbers: NDArray[np.uint16], first_line: int, first_sample: int
    ) -> NDArray[np.uint16]:
        """Return a window of digital numbers with zeros outside the valid image.

        Parameters
        ----------
        numbers
            Shape (line, sample).
        first_line, first_sample
            The window's first pixel in the frame.
        """
        rows = slice(first_line, first_line + numbers.shape[0])
        columns = slice(first_sample, first_sample + numbers.shape[1])
        line = np.arange(rows.start, rows.stop)[:, np.newaxis]
        sample = np.arange(columns.start, columns.stop)[np.newaxis, :]
        valid = (
            (sample >= self.first_sample[rows, np.newaxis])
            & (sample <= self.last_sample[rows, np.newaxis])
            & (line >= self.first_line[np.newaxis, columns])
            & (line <= self.last_line[np.newaxis, columns])
        )
        return np.where(valid, numbers, np.uint16(0))


class BorderFinder:
    """Finds the border from strips of the co-polarised image, given in order.

    Parameters
    ----------
    lines, samples
        Size of the image.
    begins, ends
        Whether the pass begins with its first line, and ends with its last: where another frame
        goes on there is no border.
    """

    def __init__(self, lines: int, samples: int, *, begins: bool = True, ends: bool = True) -> None:
        self._begins, self._ends = begins, ends
        self._first_sample = np.zeros(lines, np.int32)
        self._last_sample = np.full(lines, samples - 1, np.int32)
        self._first_line = np.full(samples, lines, np.int32)
        self._last_line = np.full(samples, -1, np.int32)
        self._run = np.zeros(samples, np.int64)
        self._next_line = 0

    def add(self, numbers: NDArray[np.uint16]) -> None:
        """Take the next lines of the image, shape (line, sample)."""
        count, samples = numbers.shape
        lines, first = self._first_sample.size, self._next_line
        if samples != self._run.size or first + count > lines:
            raise ValueError(
                f"lines {first} to {first + count} of {samples} samples given, "
                f"the image has {lines} lines of {self._run.size}"
            )
        self._next_line += count
        rows = slice(first, first + count)
        band = min(REACH_SAMPLES + RUN, samples)
        near = numbers[:, :band] > LARGEST_NOISE
        far = numbers[:, samples - band :][:, ::-1]
        _scan_lines(near, samples, self._first_sample[rows])
        _scan_lines(np.ascontiguousarray(far > LARGEST_NOISE), samples, self._last_sample[rows])
        self._last_sample[rows] = samples - 1 - self._last_sample[rows]
        reach = REACH_LINES + RUN
        if (self._begins and first < reach) or (self._ends and first + count > lines - reach):
            _scan_samples(
                numbers > LARGEST_NOISE, first, self._run, self._first_line, self._last_line
            )
        else:
            self._run[:] = 0

    def border(self) -> Border:
        """Return the border once every line has been given."""
        lines, samples = self._first_sample.size, self._run.size
        if self._next_line != lines:
            raise ValueError(f"{self._next_line} of {lines} lines were given")
        none = np.zeros(samples, np.int32)
        above = _widest(self._first_line, lines, REACH_LINES) if self._begins else none
        below = _widest(lines - 1 - self._last_line, lines, REACH_LINES) if self._ends else none
        return Border(
            _widest(self._first_sample, samples, REACH_SAMPLES),
            samples - 1 - _widest(samples - 1 - self._last_sample, samples, REACH_SAMPLES),
            above,
            lines - 1 - below,
        )


def _widest(width: Int32, size: int, reach: int) -> Int32:
    """Return the greatest width of the border among each place's neighbours.

    Where the image was not met within reach (all noise, or dark water) the nearest place where it
    was says how wide the border is; nowhere, there is none.
    """
    known = np.flatnonzero(width <= min(reach, size // 2))
    if known.size == 0:
        return np.zeros_like(width)
    place = np.arange(width.size)
    after = np.clip(np.searchsorted(known, place), 0, known.size - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(place - known[before] < np.abs(known[after] - place), before, after)
    padded = np.pad(width[known[nearer]], SMOOTHING, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * SMOOTHING + 1)
    return np.asarray(windows.max(axis=1), np.int32)


@compiled
def _bits(run: int) -> int:
    """Return how many of 32 bits are set."""
    run -= (run >> 1) & 0x55555555
    run = (run & 0x33333333) + ((run >> 2) & 0x33333333)
    run = (run + (run >> 4)) & 0x0F0F0F0F
    return ((run * 0x01010101) & 0xFFFFFFFF) >> 24


@compiled
def _scan_lines(valid: Bool, none: int, first: Int32) -> None:
    """Fill where the image begins on each line, `none` where it does not."""
    for i in range(valid.shape[0]):
        first[i] = none
        run = 0  # the last pixels, as bits
        for j in range(valid.shape[1]):
            run = (run << 1 | valid[i, j]) & 0xFFFFFFFF
            if run >> (RUN - 1) and _bits(run) >= LEAST_OF_RUN:
                first[i] = j - RUN + 1
                break


@compiled
def _scan_samples(valid: Bool, first_line: int, run: Int64, first: Int32, last: Int32) -> None:
    """Go on with the runs of each sample: where the image began, where it was still on."""
    for i in range(valid.shape[0]):
        for j in range(valid.shape[1]):
            run[j] = (run[j] << 1 | valid[i, j]) & 0xFFFFFFFF
            if _bits(run[j]) >= LEAST_OF_RUN:
                if valid[i, j]:
                    last[j] = first_line + i
                if run[j] >> (RUN - 1):
                    first[j] = min(first[j], first_line + i - RUN + 1)
