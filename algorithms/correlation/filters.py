"""What images pass before they are compared: filling, smoothing, spline coefficients, halving.

Images of this package are padded at the right by `PADDING` columns, so that kernels may read whole
vectors; the padding never counts.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Mask = NDArray[np.uint8]

# Outcomes of a node: answered, window outside an image, too little data, too little structure,
# refinement gone astray.
DONE, OUTSIDE, EMPTY, FLAT, ASTRAY = 0, 1, 2, 3, 4


class Pair(NamedTuple):
    """Two images as kernels take them, and the nodes where they are compared.

    Images have the shape (row, column + PADDING) and are finite; masks, 1 where pixels count, the
    shape (row, column); `rows` and `columns` are the centres of the windows in the reference,
    shape (node,).
    """

    reference: Float32
    reference_valid: Mask
    secondary: Float32
    secondary_valid: Mask
    rows: Int32
    columns: Int32


PADDING = 16
# Pole of the cubic B-spline's inverse (Unser, Aldroubi & Eden, IEEE TSP 41(2), 1993, table I).
_POLE = math.sqrt(3.0) - 2.0
# Where the tails of the two filters fall below 1e-6.
_SPLINE_RADIUS = 10
_GAUSSIAN_SIGMAS = 4.0


def gaussian_taps(sigma: float) -> Float32:
    """Return a sampled Gaussian of sum 1 and odd length; a single 1 where `sigma` is 0."""
    radius = math.ceil(_GAUSSIAN_SIGMAS * sigma)
    if radius == 0:
        return np.ones(1, np.float32)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    normalised: Float32 = (taps / taps.sum()).astype(np.float32)
    return normalised


def spline_taps() -> Float32:
    """Return the filter from samples to cubic B-spline coefficients.

    The inverse filter of the B-spline, -6 z / (1 - z**2) * z**abs(k).
    """
    distance = np.abs(np.arange(-_SPLINE_RADIUS, _SPLINE_RADIUS + 1))
    return np.asarray(-6.0 * _POLE / (1.0 - _POLE**2) * _POLE**distance, np.float32)


def convolved(image: Float32, taps: Float32, *, padding: int = 0) -> Float32:
    """Convolve rows and columns with the same symmetric filter; the image is mirrored at its edges.

    Parameters
    ----------
    image
        Shape (row, column + padding), no NaN.
    taps
        The filter, of odd length.
    padding
        Columns at the right that do not count.

    Returns
    -------
    Filtered image of shape (row, column + PADDING).
    """
    columns = image.shape[1] - padding
    out = np.empty((image.shape[0], columns + PADDING), np.float32)
    # Lines of a slice would have a stride that compilers do not know, and no vectors.
    _convolve(np.ascontiguousarray(image), columns, taps, out)
    return out


@compiled
def _convolve(image: Float32, columns: int, taps: Float32, out: Float32) -> None:
    rows = image.shape[0]
    radius = taps.size // 2
    line = np.empty(columns + 2 * radius, np.float32)
    middle = line[radius : radius + columns]
    for row in range(rows):
        _scale(image[row], taps[radius], middle)
        for k in range(1, radius + 1):
            before, after = image[_mirrored(row - k, rows)], image[_mirrored(row + k, rows)]
            _add_pair(before, after, taps[radius + k], middle)
        for k in range(radius):
            line[k] = line[radius + _mirrored(k - radius, columns)]
            line[radius + columns + k] = line[radius + _mirrored(columns + k, columns)]
        target = out[row, :columns]
        _scale(middle, taps[radius], target)
        for k in range(1, radius + 1):
            _add_pair(line[radius - k :], line[radius + k :], taps[radius + k], target)
        out[row, columns:] = 0.0


@compiled
def _scale(line: Float32, weight: np.float32, out: Float32) -> None:
    for column in range(out.size):
        out[column] = weight * line[column]


@compiled
def _add_pair(before: Float32, after: Float32, weight: np.float32, out: Float32) -> None:
    """Add the two samples that a symmetric filter weighs alike."""
    for column in range(out.size):
        out[column] += weight * (before[column] + after[column])


@compiled
def _mirrored(index: int, size: int) -> int:
    """Return the index that an index beyond an edge stands for, the edge pixel not repeated."""
    if size == 1:
        return 0
    period = 2 * (size - 1)
    index = abs(index) % period
    return period - index if index >= size else index


def filled(image: Float32, valid: Mask) -> Float32:
    """Replace pixels without data by averages of their surroundings, ever wider ones.

    Parameters
    ----------
    image
        Shape (row, column).
    valid
        1 where the image holds data.

    Returns
    -------
    The image, finite everywhere; zero where nothing holds data.
    """
    if bool(valid.all()):
        return image
    if not bool(valid.any()):
        return np.zeros_like(image)
    if min(image.shape) == 1:
        mean = np.float32(image[valid == 1].mean(dtype=np.float64))
        return np.where(valid == 1, image, mean)
    smaller, smaller_valid = halved(image, valid)
    coarse = filled(smaller, smaller_valid)
    rows = np.minimum(np.arange(image.shape[0]) // 2, coarse.shape[0] - 1)
    columns = np.minimum(np.arange(image.shape[1]) // 2, coarse.shape[1] - 1)
    return np.where(valid == 1, image, coarse[np.ix_(rows, columns)])


def halved(image: Float32, valid: Mask) -> tuple[Float32, Mask]:
    """Average 2 x 2 pixels, of those that hold data; an odd last row or column is left out.

    Returns
    -------
    The smaller image, whose pixel (r, c) is centred on (2 r + 0.5, 2 c + 0.5), and its mask: 1
    where at least half of the four hold data.
    """
    out = np.empty((image.shape[0] // 2, image.shape[1] // 2), np.float32)
    out_valid = np.empty(out.shape, np.uint8)
    _halve(image, valid, out, out_valid)
    return out, out_valid


@compiled
def _halve(image: Float32, valid: Mask, out: Float32, out_valid: Mask) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total, count = np.float32(0.0), 0
            for i in range(2 * row, 2 * row + 2):
                for j in range(2 * column, 2 * column + 2):
                    if valid[i, j]:
                        total += image[i, j]
                        count += 1
            out[row, column] = total / np.float32(max(count, 1))
            out_valid[row, column] = count >= 2
