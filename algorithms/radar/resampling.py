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
    half = np.float32(0.5)
    lines, samples = np.float32(window.shape[0]), np.float32(window.shape[1])
    for row in range(line.shape[0]):
        for column in range(line.shape[1]):
            y, x = line[row, column] + half, sample[row, column] + half
            value = np.float32(math.nan)
            # NaN fails here; a position at the very edge of the image belongs to its last pixel.
            if y >= 0.0 and x >= 0.0 and y <= lines and x <= samples:
                i = np.uint32(min(y, lines - half))
                j = np.uint32(min(x, samples - half))
                value = window[i, j]
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value


@compiled
def _bilinear(window: Float32, line: Float32, sample: Float32, out: Float32) -> None:
    """Weigh the four pixels around each position; NaN spreads by itself."""
    last_line, last_sample = np.float32(window.shape[0] - 1), np.float32(window.shape[1] - 1)
    one = np.uint32(1)
    for row in range(line.shape[0]):
        for column in range(line.shape[1]):
            y, x = line[row, column], sample[row, column]
            # NaN fails here, and what lies between the outermost centres and the image's edge.
            if y >= 0.0 and x >= 0.0 and y < last_line and x < last_sample:
                i, j = np.uint32(y), np.uint32(x)
                v, u = y - np.float32(i), x - np.float32(j)
                upper = window[i, j] + u * (window[i, j + one] - window[i, j])
                lower = window[i + one, j] + u * (window[i + one, j + one] - window[i + one, j])
                value = upper + v * (lower - upper)
            else:
                value = _bilinear_at_edge(window, y, x)
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value


@compiled
def _bilinear_at_edge(window: Float32, y: np.float32, x: np.float32) -> np.float32:
    """Weigh four pixels where some lie beyond the window, whose edge is repeated."""
    if math.isnan(y) or math.isnan(x):
        return np.float32(math.nan)
    lines, samples = window.shape
    top, left = math.floor(y), math.floor(x)
    v, u = y - np.float32(top), x - np.float32(left)
    i, below = min(max(top, 0), lines - 1), min(max(top + 1, 0), lines - 1)
    j, right = min(max(left, 0), samples - 1), min(max(left + 1, 0), samples - 1)
    upper = window[i, j] + u * (window[i, right] - window[i, j])
    lower = window[below, j] + u * (window[below, right] - window[below, j])
    return np.float32(upper + v * (lower - upper))


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
            i, j = top - before, left - before
            if i < 0 or j < 0 or i + size > lines or j + size > samples:
                value = _weigh_at_edge(window, i, j, vertical, horizontal)
            # Sizes are spelled out for the loops to be unrolled.
            elif size == 4:
                value = _weigh(window, i, j, vertical, horizontal, 4)
            else:
                value = _weigh(window, i, j, vertical, horizontal, size)
            out[row, column] = SMALLEST_VALID if value < SMALLEST_VALID else value


@compiled
def _weigh(
    window: Float32, i: int, j: int, vertical: Float32, horizontal: Float32, size: int
) -> np.float32:
    """Return the weighted sum of a square of pixels inside the window."""
    top, left = np.uint32(i), np.uint32(j)
    value = np.float32(0.0)
    for m in range(np.uint32(size)):
        partial = np.float32(0.0)
        for n in range(np.uint32(size)):
            partial += horizontal[n] * window[top + m, left + n]
        value += vertical[m] * partial
    return value


@compiled
def _weigh_at_edge(
    window: Float32, i: int, j: int, vertical: Float32, horizontal: Float32
) -> np.float32:
    """Return the weighted sum of a square that the window's edge cuts, its pixels repeated."""
    lines, samples = window.shape
    value = np.float32(0.0)
    for m in range(vertical.size):
        partial = np.float32(0.0)
        y = min(max(i + m, 0), lines - 1)
        for n in range(horizontal.size):
            partial += horizontal[n] * window[y, min(max(j + n, 0), samples - 1)]
        value += vertical[m] * partial
    return value
