"""How much speckle there is: the equivalent number of looks, mean squared over variance."""

import numpy as np
from numpy.typing import NDArray

from algorithms.speckle.single_date import local_moments

Float32 = NDArray[np.float32]

RADIUS = 7  # windows of 15 x 15: the number of looks of one is known to 12 %
_BIN = 0.01  # of the natural logarithm of the number of looks
_LARGEST_VARIATION, _SMALLEST_VARIATION = 1e2, 1e-6


def looks_map(power: Float32, *, radius: int = RADIUS) -> Float32:
    """Return the equivalent number of looks around each pixel.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    radius
        Of the square window, pixels.

    Returns
    -------
    Mean squared over variance of the pixels that hold data, 0 for no data; where the scene varies
    by itself it is lower than that of speckle.
    """
    _, variation = local_moments(power, radius=radius)
    looks = np.zeros_like(variation)
    np.divide(1, variation, out=looks, where=variation > 0)
    return looks


def equivalent_looks(power: Float32, *, radius: int = RADIUS) -> float | None:
    """Return the equivalent number of looks of a scene, as its homogeneous parts have it.

    It is the most frequent value of windows beside each other that are full of data, on a
    logarithmic scale: windows with texture or edges have fewer looks, each another number.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    radius
        Of the windows, pixels.

    Returns
    -------
    The number of looks; None when no window is full of data and varies.

    References
    ----------
    Foucher, Boucher and Benie, Maximum likelihood estimation of the number of looks in SAR images,
    MIKON 2000, for the mode as estimator.
    """
    side = 2 * radius + 1
    rows, columns = (size // side * side for size in power.shape)
    squares = power[:rows, :columns].reshape(rows // side, side, columns // side, side)
    windows = squares.astype(np.float64).transpose(0, 2, 1, 3).reshape(-1, side * side)
    windows = windows[np.all((windows > 0) & (windows < np.inf), axis=1)]
    variation = windows.var(axis=1, ddof=1) / windows.mean(axis=1) ** 2
    variation = variation[(variation > _SMALLEST_VARIATION) & (variation < _LARGEST_VARIATION)]
    if variation.size == 0:
        return None
    return float(np.exp(_mode(-np.log(variation), spread=np.sqrt(2 / (side * side - 1)))))


def _mode(values: NDArray[np.float64], *, spread: float) -> float:
    """Return where values are densest, seen through a Gaussian of their own spread."""
    edges = np.arange(values.min() - 4 * spread, values.max() + 4 * spread + _BIN, _BIN)
    density, _ = np.histogram(values, edges)
    reach = int(np.ceil(4 * spread / _BIN))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _BIN / spread) ** 2)
    densest = int(np.argmax(np.convolve(density, kernel, mode="same")))
    return float(edges[densest] + _BIN / 2)
