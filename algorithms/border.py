"""Border noise of Sentinel-1 GRD products older than IPF 2.90.

Those processors left noise of a few digital numbers where the swaths do not reach, at near and far
range and at the first and last lines; newer ones write zeros there, which need no search. The
image begins where a run of pixels is above the noise, seen from each of its four edges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.calibration import RowTable, blend_row, table_rows
from algorithms.compiled import compiled
from algorithms.grd import NoiseLut

Int32 = NDArray[np.int32]

# A pixel is noise below this number, or where no more than half a DN**2 is left above the noise
# estimate (ESA MPC-0243, Masking No-value Pixels on GRD Products, section 3).
LEAST_NUMBER = 30
LEAST_POWER = 0.5
# This many pixels in a row above the noise are image: of 4-look speckle at -20 dB one in 70 is
# below it, of the border noise nearly all.
RUN = 32
# The border is not looked for farther from the edge: what is dark there is water.
REACH = 2000
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
    noise
        Its thermal noise, None or zero when there is none.
    """

    def __init__(self, lines: int, samples: int, noise: NoiseLut | None) -> None:
        self._noise = noise if noise is not None and not noise.is_zero else None
        self._first_sample = np.zeros(lines, np.int32)
        self._last_sample = np.full(lines, samples - 1, np.int32)
        self._first_line = np.full(samples, lines, np.int32)
        self._last_line = np.full(samples, -1, np.int32)
        self._run = np.zeros(samples, np.int32)
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
        band = min(REACH + RUN, samples)
        near = self._valid(numbers[:, :band], first, 0)
        far = self._valid(numbers[:, samples - band :], first, samples - band)
        _scan_lines(near, samples, self._first_sample[rows])
        _scan_lines(far[:, ::-1], samples, self._last_sample[rows])
        self._last_sample[rows] = samples - 1 - self._last_sample[rows]
        if first < REACH + RUN or first + count > lines - REACH - RUN:
            valid = self._valid(numbers, first, 0)
            _scan_samples(valid, first, self._run, self._first_line, self._last_line)
        else:
            self._run[:] = 0

    def _valid(
        self, numbers: NDArray[np.uint16], first_line: int, first_sample: int
    ) -> NDArray[np.bool_]:
        """Return where a window stands out of the noise."""
        valid = numbers >= LEAST_NUMBER
        if self._noise is not None:
            lines, samples = numbers.shape
            table = table_rows(
                self._noise.range,
                first_line=first_line,
                lines=lines,
                first_sample=first_sample,
                samples=samples,
            )
            _refuse_noise(np.require(numbers, np.uint16, ["C", "W"]), table, valid)
        return valid

    def border(self) -> Border:
        """Return the border once every line has been given."""
        lines, samples = self._first_sample.size, self._run.size
        if self._next_line != lines:
            raise ValueError(f"{self._next_line} of {lines} lines were given")
        return Border(
            _widest(self._first_sample, samples),
            samples - 1 - _widest(samples - 1 - self._last_sample, samples),
            _widest(self._first_line, lines),
            lines - 1 - _widest(lines - 1 - self._last_line, lines),
        )


def _widest(width: Int32, size: int) -> Int32:
    """Return the greatest width of the border among each place's neighbours.

    Where the image was not met within reach (all noise, or dark water) the nearest place where it
    was says how wide the border is; nowhere, there is none.
    """
    known = np.flatnonzero(width <= min(REACH, size // 2))
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
def _refuse_noise(numbers: NDArray[np.uint16], noise: RowTable, valid: NDArray[np.bool_]) -> None:
    """Clear what does not stand out of the thermal noise."""
    eta = np.empty(numbers.shape[1], np.float32)
    for i in range(numbers.shape[0]):
        blend_row(noise, i, eta)
        for j in range(eta.size):
            number = np.float32(numbers[i, j])
            valid[i, j] &= number * number - eta[j] >= LEAST_POWER


@compiled
def _scan_lines(valid: NDArray[np.bool_], none: int, first: Int32) -> None:
    """Fill where the first run of valid pixels of each line begins, `none` where there is none."""
    for i in range(valid.shape[0]):
        first[i] = none
        run = 0
        for j in range(valid.shape[1]):
            run = run + 1 if valid[i, j] else 0
            if run == RUN:
                first[i] = j - RUN + 1
                break


@compiled
def _scan_samples(
    valid: NDArray[np.bool_], first_line: int, run: Int32, first: Int32, last: Int32
) -> None:
    """Go on with the runs of each sample: where the first began, where the last was still on."""
    for i in range(valid.shape[0]):
        for j in range(valid.shape[1]):
            run[j] = run[j] + 1 if valid[i, j] else 0
            if run[j] >= RUN:
                last[j] = first_line + i
                first[j] = min(first[j], first_line + i - RUN + 1)
