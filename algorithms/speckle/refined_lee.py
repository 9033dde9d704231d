"""The refined Lee filter: local statistics from one side of the nearest edge.

The window is 7 x 7. Means of nine squares of 3 x 3 in it tell in which of four directions the scene
changes most, and on which side the middle lies; of the eight halves of the window that this leaves,
one gives mean and variance.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]

RADIUS = 3


def refined_lee(power: Float32, *, looks: float) -> Float32:
    """Filter by the linear estimate of least square error along edges.

    `J = m + k (I - m)` with `k = (1 - C_u**2 / C_I**2) / (1 + C_u**2)`, not below 0, `m` and `C_I`
    of the half window, `C_u**2 = 1 / looks`.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    looks
        Equivalent number of looks of the image.

    References
    ----------
    Lee, Refined filtering of image noise using local statistics, Computer Graphics and Image
    Processing 15 (4), 1981; Lee, Grunes and de Grandi, Polarimetric SAR speckle filtering and its
    implication for classification, IEEE Transactions on Geoscience and Remote Sensing 37 (5), 1999.
    """
    padded = np.pad(power, RADIUS, mode="edge")
    out = np.zeros(power.shape, np.float32)
    _refined_lee(padded, _halves(), 1 / looks, out)
    return out


def _halves() -> NDArray[np.bool_]:
    """Return the half windows: left, right, top, bottom, and the four beside a diagonal.

    Each pair lies on the two sides of the middle in one of the directions of `_direction`.
    """
    row, column = np.indices((2 * RADIUS + 1, 2 * RADIUS + 1)) - RADIUS
    across = (column, row, row + column, row - column)
    return np.array([side * value <= 0 for value in across for side in (1, -1)])


@compiled
def _refined_lee(
    padded: Float32, halves: NDArray[np.bool_], of_speckle: float, out: Float32
) -> None:
    side = 2 * RADIUS + 1
    means = np.empty((3, 3), np.float64)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            pixel = np.float64(padded[row + RADIUS, column + RADIUS])
            if not 0 < pixel < np.inf:
                continue
            window = padded[row : row + side, column : column + side]
            _fill_means(window, pixel, means)
            count, total, squares = 0, 0.0, 0.0
            half = halves[_half(means)]
            for i in range(side):
                for j in range(side):
                    value = np.float64(window[i, j])
                    if half[i, j] and 0 < value < np.inf:
                        count += 1
                        total += value
                        squares += value * value
            mean = total / count
            weight = 0.0
            if count > 1:
                variance = (squares - total * mean) / (count - 1)
                if variance > 0:
                    share = 1 - of_speckle * mean * mean / variance
                    weight = max(share, 0.0) / (1 + of_speckle)
            out[row, column] = mean + weight * (pixel - mean)


@compiled
def _fill_means(window: Float32, pixel: float, means: NDArray[np.float64]) -> None:
    """Fill the means of the nine squares; one without data is as the middle pixel is."""
    for i in range(3):
        for j in range(3):
            count, total = 0, 0.0
            for k in range(9):
                value = np.float64(window[2 * i + k // 3, 2 * j + k % 3])
                if 0 < value < np.inf:
                    count += 1
                    total += value
            means[i, j] = total / count if count else pixel


@compiled
def _half(m: NDArray[np.float64]) -> int:
    """Return which half window lies on the middle's side of the strongest edge."""
    gradients = (
        abs(m[0, 0] + m[1, 0] + m[2, 0] - m[0, 2] - m[1, 2] - m[2, 2]),
        abs(m[0, 0] + m[0, 1] + m[0, 2] - m[2, 0] - m[2, 1] - m[2, 2]),
        abs(m[0, 0] + m[0, 1] + m[1, 0] - m[1, 2] - m[2, 1] - m[2, 2]),
        abs(m[0, 1] + m[0, 2] + m[1, 2] - m[1, 0] - m[2, 0] - m[2, 1]),
    )
    sides = (
        (m[1, 0], m[1, 2]),
        (m[0, 1], m[2, 1]),
        (m[0, 0], m[2, 2]),
        (m[0, 2], m[2, 0]),
    )
    direction = 0
    for k in range(1, 4):
        if gradients[k] > gradients[direction]:
            direction = k
    first, second = sides[direction]
    return 2 * direction + (1 if abs(second - m[1, 1]) < abs(first - m[1, 1]) else 0)
