"""The multitemporal filter of Quegan and Yu for dates of independent speckle.

With `E` the mean of the pixels that hold data in a square around each pixel, `I_k` the images and
`N` the number of those that hold data at a pixel, the filtered image of date `k` is

    J_k = E[I_k] / N * sum over i of (I_i / E[I_i])

as CNES's modules MultitempFilteringOutcore and MultitempFilteringFilter compute it; borders of the
image repeat its last pixels. The sum and `N` are kept, so that one more date costs one date.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.speckle.box import mean_of_row

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

RADIUS = 2  # pixels beside the middle one: windows of 5 x 5
# Ratios are rounded to multiples of 2**-40, of which float64 adds up to 2**13 without rounding:
# the sum does not depend on the order of dates. Adding and taking away 1.5 * 2**(52 - 40) rounds.
_ROUNDING = np.float64(1.5 * 2.0**12)


@dataclass(frozen=True)
class RunningSums:
    """Sum over dates of each pixel over its local mean, and the number of dates that hold data.

    Parameters
    ----------
    total
        Sum of `I / E[I]`, shape (row, column). It is exact, whatever the order of dates, until it
        passes 8192: some 8000 dates.
    count
        Number of dates, same shape.
    """

    total: Float64
    count: NDArray[np.uint16]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "RunningSums":
        """Return the sums of no date."""
        return cls(np.zeros(shape, np.float64), np.zeros(shape, np.uint16))

    def add(self, power: Float32, *, radius: int = RADIUS, above: int = 0, below: int = 0) -> None:
        """Take one more date.

        Parameters
        ----------
        power
            Linear power, shape (above + row + below, column), 0 for no data.
        radius
            Of the window of the local mean, pixels.
        above, below
            Rows at the ends of `power` that belong to the neighbours: `radius` of them, or as many
            as the image has.
        """
        _check(power, self.total.shape, radius, above, below)
        _add(np.ascontiguousarray(power), radius, above, self.total, self.count)

    def add_and_filter(
        self, power: Float32, *, radius: int = RADIUS, above: int = 0, below: int = 0
    ) -> Float32:
        """Take the last date and return it filtered, its local means being computed once.

        Parameters
        ----------
        power, radius, above, below
            See `add`.

        Returns
        -------
        What `filtered` returns of this date with the gain of all dates, this one among them.
        """
        _check(power, self.total.shape, radius, above, below)
        out = np.empty(self.total.shape, np.float32)
        _add_and_filter(np.ascontiguousarray(power), radius, above, self.total, self.count, out)
        return out

    def gain(self) -> Float32:
        """Return `total / count`, float32, 0 where no date holds data."""
        gain = np.zeros(self.total.shape, np.float32)
        np.divide(self.total, self.count, out=gain, where=self.count > 0, casting="same_kind")
        return gain


def filtered(
    power: Float32, gain: Float32, *, radius: int = RADIUS, above: int = 0, below: int = 0
) -> Float32:
    """Filter one date by what all dates have in common.

    Parameters
    ----------
    power
        Linear power of the date, shape (above + row + below, column), 0 for no data.
    gain
        `RunningSums.gain` of all dates, this one among them, shape (row, column).
    radius, above, below
        See `RunningSums.add`.

    Returns
    -------
    Linear power, shape of `gain`, 0 where the date holds no data.
    """
    _check(power, gain.shape, radius, above, below)
    out = np.empty(gain.shape, np.float32)
    _filter(np.ascontiguousarray(power), radius, above, gain, out)
    return out


def local_mean(power: Float32, *, radius: int = RADIUS) -> Float32:
    """Return the mean of the pixels that hold data around each pixel.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    radius
        Of the square, pixels; at the borders of the image its last pixels are repeated.

    Returns
    -------
    Shape of `power`, 0 where `power` is no data.
    """
    return filtered(power, np.ones(power.shape, np.float32), radius=radius)


def quegan(stack: Float32, *, radius: int = RADIUS) -> Float32:
    """Filter the speckle of a series of images of one orbit.

    Parameters
    ----------
    stack
        Linear power, shape (time, row, column), or (time, band, row, column) with every
        polarisation filtered by itself; 0 for no data.
    radius
        Of the window of the local mean, pixels: 2 for 5 x 5.

    Returns
    -------
    Float32, shape of `stack`, 0 where a date holds no data.

    Raises
    ------
    ValueError
        When the stack has neither three nor four dimensions, or the radius is negative.

    References
    ----------
    Quegan and Yu, Filtering of multichannel SAR images, IEEE Transactions on Geoscience and Remote
    Sensing 39 (11), 2001, for channels of independent speckle; CNES S1Tiling,
    otbapps/otbsarmultitempfiltering, for windows over valid pixels.
    """
    if stack.ndim == 4:
        bands = [quegan(stack[:, band], radius=radius) for band in range(stack.shape[1])]
        return np.stack(bands, axis=1)
    if stack.ndim != 3:
        raise ValueError(f"the stack has {stack.ndim} dimensions, expected 3 or 4")
    sums = RunningSums.empty((stack.shape[1], stack.shape[2]))
    for power in stack:
        sums.add(power, radius=radius)
    gain = sums.gain()
    out = np.empty(stack.shape, np.float32)
    for date, power in enumerate(stack):
        out[date] = filtered(power, gain, radius=radius)
    return out


def _check(power: Float32, shape: tuple[int, ...], radius: int, above: int, below: int) -> None:
    """Refuse what the kernels would read beyond."""
    if radius < 0:
        raise ValueError(f"the radius is {radius}, expected 0 or more")
    if power.dtype != np.float32:
        raise ValueError(f"power is {power.dtype}, expected float32")
    if not (0 <= above <= radius and 0 <= below <= radius):
        raise ValueError(f"{above} and {below} rows of neighbours, expected 0 to {radius}")
    if power.shape != (above + shape[0] + below, *shape[1:]):
        raise ValueError(f"power has shape {power.shape}, expected {above} + {shape} + {below}")


@compiled
def _add(
    power: Float32, radius: int, above: int, total: Float64, count: NDArray[np.uint16]
) -> None:
    for row in range(total.shape[0]):
        mean = mean_of_row(power, above + row, radius)
        _add_ratios(power[above + row], mean, total[row], count[row])


@compiled
def _add_ratios(power: Float32, mean: Float32, total: Float64, count: NDArray[np.uint16]) -> None:
    for column in range(power.size):
        ratio = power[column] / mean[column]
        ratio = ratio if mean[column] > 0 else np.float32(0)
        total[column] += (np.float64(ratio) + _ROUNDING) - _ROUNDING
        count[column] += np.uint16(1) if mean[column] > 0 else np.uint16(0)


@compiled
def _add_and_filter(
    power: Float32,
    radius: int,
    above: int,
    total: Float64,
    count: NDArray[np.uint16],
    out: Float32,
) -> None:
    for row in range(total.shape[0]):
        mean = mean_of_row(power, above + row, radius)
        _add_ratios(power[above + row], mean, total[row], count[row])
        _multiply(mean, total[row], count[row], out[row])


@compiled
def _multiply(mean: Float32, total: Float64, count: NDArray[np.uint16], out: Float32) -> None:
    for column in range(out.size):
        gain = np.float32(total[column] / np.float64(count[column]))
        out[column] = mean[column] * (gain if count[column] > 0 else np.float32(0))


@compiled
def _filter(power: Float32, radius: int, above: int, gain: Float32, out: Float32) -> None:
    for row in range(out.shape[0]):
        mean = mean_of_row(power, above + row, radius)
        for column in range(out.shape[1]):
            out[row, column] = mean[column] * gain[row, column]
