"""Interpolation of a radar window at fractional positions: nearest, bilinear, bicubic, Lanczos.

NaN marks what must not be used: a pixel that any NaN neighbour would enter is NaN itself.
"""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Method = Literal["nearest", "bilinear", "bicubic", "lanczos"]

# Neighbours on each side of a position.
RADIUS: dict[Method, int] = {"nearest": 1, "bilinear": 1, "bicubic": 2, "lanczos": 3}
# Fractions of a pixel at which kernels are tabulated: 1 / 2048 of a pixel is 5 mm on the ground.
FRACTIONS = 1024
SMALLEST_VALID = np.float32(1e-7)


def _bicubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution, a = -1/2 (IEEE TASSP 29(6), 1981, equation 15)."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1.0
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
    return np.asarray(np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0)))


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lanczos' windowed sinc of three lobes."""
    return np.asarray(np.where(distance < 3.0, np.sinc(distance) * np.sinc(distance / 3.0), 0.0))


def _tabulate(kernel: Callable[[NDArray[np.float64]], NDArray[np.float64]], radius: int) -> Float32:
    """Weights of the 2 * radius neighbours at every fraction, each row summing to one."""
    fraction = np.arange(FRACTIONS + 1)[:, None] / FRACTIONS
    neighbour = np.arange(1 - radius, radius + 1)[None, :]
    weights = kernel(np.abs(fraction - neighbour))
    table: Float32 = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


WEIGHTS: dict[Method, Float32] = {
    "bicubic": _tabulate(_bicubic, RADIUS["bicubic"]),
    "lanczos": _tabulate(_lanczos, RADIUS["lanczos"]),
}


def resample(window: Float32, line: Float32, sample: Float32, *, method: Method) -> Float32:
    """Interpolate a window at fractional positions.

    Parameters
    ----------
    window
        Backscatter in radar geometry, shape (line, sample); NaN is not to be used.
    line, sample
        Positions relative to the window's first pixel centre, same shape; NaN outside the image.
        Neighbours beyond the window repeat its edge.
    method
        Which neighbours enter: 1, 4, 16 or 36.

    Returns
    -------
    Interpolated values of the shape of `line`, at least 1e-7 where valid, NaN elsewhere.
    """
    if window.ndim != 2 or line.shape != sample.shape:
        raise ValueError(
            f"a window of two dimensions and positions of one shape are needed, "
            f"found {window.shape}, {line.shape} and {sample.shape}"
        )
    out = np.empty(line.shape, np.float32)
    if method == "nearest":
        _nearest(window, line, sample, out)
    elif method == "bilinear":
        _bilinear(window, line, sample, out)
    elif method in WEIGHTS:
        _convolve(window, line, sample, WEIGHTS[method], out)
    else:
        raise ValueError(f"{method!r} is not a resampling method: {', '.join(RADIUS)}")
    return out


@compiled
def _nearest(window: Float32, line: Float32, sample: Float32, out: Float32) -> None:
    """Take the pixel that each position falls into."""
    lines, samples = window.shape
    for row in range(line.shape[0]):
        for column in range(line.shape[1]):
            y, x = line[row, column], sample[row, column]
            if math.isnan(y) or math.isnan(x):
                out[row, column] = math.nan
                continue
            i = min(max(math.floor(y + np.float32(0.5)), 0), lines - 1)
            j = min(max(math.floor(x + np.float32(0.5)), 0), samples - 1)
            value = window[i, j]
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value


@compiled
def _bilinear(window: Float32, line: Float32, sample: Float32, out: Float32) -> None:
    """Weigh the four pixels around each position; NaN spreads by itself."""
    lines, samples = window.shape
    for row in range(line.shape[0]):
        for column in range(line.shape[1]):
            y, x = line[row, column], sample[row, column]
            if math.isnan(y) or math.isnan(x):
                out[row, column] = math.nan
                continue
            top, left = math.floor(y), math.floor(x)
            v, u = y - np.float32(top), x - np.float32(left)
            i0 = min(max(int(top), 0), lines - 1)
            i1 = min(max(int(top) + 1, 0), lines - 1)
            j0 = min(max(int(left), 0), samples - 1)
            j1 = min(max(int(left) + 1, 0), samples - 1)
            upper = window[i0, j0] + u * (window[i0, j1] - window[i0, j0])
            lower = window[i1, j0] + u * (window[i1, j1] - window[i1, j0])
            value = upper + v * (lower - upper)
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value


@compiled
def _convolve(
    window: Float32, line: Float32, sample: Float32, weights: Float32, out: Float32
) -> None:
    """Weigh a square of neighbours by a tabulated separable kernel."""
    lines, samples = window.shape
    size = weights.shape[1]
    before = size // 2 - 1
    for row in range(line.shape[0]):
        for column in range(line.shape[1]):
            y, x = line[row, column], sample[row, column]
            if math.isnan(y) or math.isnan(x):
                out[row, column] = math.nan
                continue
            top, left = math.floor(y), math.floor(x)
            vertical = weights[int((y - np.float32(top)) * FRACTIONS + np.float32(0.5))]
            horizontal = weights[int((x - np.float32(left)) * FRACTIONS + np.float32(0.5))]
            value = np.float32(0.0)
            for m in range(size):
                i = min(max(top - before + m, 0), lines - 1)
                partial = np.float32(0.0)
                for n in range(size):
                    j = min(max(left - before + n, 0), samples - 1)
                    partial += horizontal[n] * window[i, j]
                value += vertical[m] * partial
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value
