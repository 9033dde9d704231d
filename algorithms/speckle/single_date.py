"""Speckle filters of one image by itself: Lee, Gamma-MAP and Frost.

They weigh the pixel against the mean around it by the local variation `C_I`, standard deviation
over mean; Lee and Gamma-MAP by that of speckle alone too, `C_u = 1 / sqrt(L)` for `L` looks: where
the scene does not vary more than speckle does, they return the mean. The refined Lee filter is in
`refined_lee`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.speckle.box import moments_of_row

Float32 = NDArray[np.float32]

RADIUS = 3  # pixels beside the middle one: windows of 7 x 7
DAMPING = 2.0  # of the Frost filter


class LocalMoments(NamedTuple):
    """Mean and squared variation, variance over squared mean, around each pixel; 0 for no data."""

    mean: Float32
    variation: Float32


def local_moments(power: Float32, *, radius: int = RADIUS) -> LocalMoments:
    """Return mean and squared variation of the pixels that hold data around each pixel.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    radius
        Of the square, pixels; at the borders of the image its last pixels are repeated.
    """
    mean, variation = np.empty((2, *power.shape), np.float32)
    _fill_moments(np.ascontiguousarray(power), radius, mean, variation)
    return LocalMoments(mean, variation)


def lee(power: Float32, *, looks: float, radius: int = RADIUS) -> Float32:
    """Filter by the linear estimate of least square error.

    `J = m + k (I - m)` with `k = 1 - C_u**2 / C_I**2`, not below 0.

    Parameters
    ----------
    power
        Linear power, shape (row, column), 0 for no data.
    looks
        Equivalent number of looks of the image.
    radius
        Of the window, pixels.

    References
    ----------
    Lee, Digital image enhancement and noise filtering by use of local statistics, IEEE Transactions
    on Pattern Analysis and Machine Intelligence 2 (2), 1980, for multiplicative noise.
    """
    mean, variation = local_moments(power, radius=radius)
    weight = _share_of_scene(variation, 1 / looks)
    valid_power = np.where(mean > 0, power, np.float32(0))
    return np.asarray(mean + weight * (valid_power - mean))


def gamma_map(power: Float32, *, looks: float, radius: int = RADIUS) -> Float32:
    """Filter by the most probable backscatter when scene and speckle follow gamma laws.

    The mean up to `C_u`, the pixel itself from `sqrt(2) C_u` on, and between them, with
    `a = (1 + C_u**2) / (C_I**2 - C_u**2)` and `b = a - L - 1`,
    `J = (b m + sqrt(b**2 m**2 + 4 a L m I)) / (2 a)`.

    Parameters
    ----------
    power, looks, radius
        See `lee`.

    References
    ----------
    Lopes, Nezry, Touzi and Laur, Structure detection and statistical adaptive speckle filtering in
    SAR images, International Journal of Remote Sensing 14 (9), 1993, section 3.
    """
    mean, variation = local_moments(power, radius=radius)
    of_speckle = np.float32(1 / looks)
    between = (variation > of_speckle) & (variation < 2 * of_speckle) & (mean > 0)
    out = np.where(variation <= of_speckle, mean, np.where(mean > 0, power, np.float32(0)))
    m, pixel = mean[between], power[between]
    a = (1 + of_speckle) / (variation[between] - of_speckle)
    b = a - np.float32(looks + 1)
    root = np.sqrt((b * m) ** 2 + 4 * a * np.float32(looks) * m * pixel)
    out[between] = (b * m + root) / (2 * a)
    return out


def frost(power: Float32, *, damping: float = DAMPING, radius: int = RADIUS) -> Float32:
    """Filter by means that fade with distance the faster the more the scene varies.

    The weight of a pixel at distance `d` is `exp(-damping * C_I**2 * d)`.

    Parameters
    ----------
    power, radius
        See `lee`.
    damping
        How much less distant pixels count, for each pixel of distance.

    References
    ----------
    Frost, Stiles, Shanmugan and Holtzman, A model for radar images and its application to adaptive
    digital filtering of multiplicative noise, IEEE Transactions on Pattern Analysis and Machine
    Intelligence 4 (2), 1982.
    """
    power = np.ascontiguousarray(power)
    moments = local_moments(power, radius=radius)
    offset = np.arange(-radius, radius + 1)
    distances, ring = np.unique(np.hypot(*np.meshgrid(offset, offset)), return_inverse=True)
    out = np.zeros(power.shape, np.float32)
    rings = ring.reshape(offset.size, offset.size)
    _frost(power, -damping * moments.variation, distances.astype(np.float32), rings, out)
    return out


def _share_of_scene(variation: Float32, of_speckle: float) -> Float32:
    """Return the part of the local variance that speckle does not explain, 0 to 1."""
    share = np.zeros_like(variation)
    np.divide(variation - np.float32(of_speckle), variation, out=share, where=variation > 0)
    return np.maximum(share, np.float32(0))


@compiled
def _fill_moments(power: Float32, radius: int, mean: Float32, variation: Float32) -> None:
    for row in range(power.shape[0]):
        row_mean, row_variation = moments_of_row(power, row, radius)
        for column in range(power.shape[1]):
            mean[row, column] = row_mean[column]
            variation[row, column] = row_variation[column]


@compiled
def _frost(
    power: Float32, rate: Float32, distances: Float32, ring: NDArray[np.int64], out: Float32
) -> None:
    rows, columns = power.shape
    radius = ring.shape[0] // 2
    weights = np.empty(distances.size, np.float32)
    for row in range(rows):
        for column in range(columns):
            if not 0 < power[row, column] < np.inf:
                continue
            for k in range(distances.size):
                weights[k] = np.exp(rate[row, column] * distances[k])
            total, weight = np.float32(0), np.float32(0)
            for i in range(2 * radius + 1):
                source = min(max(row + i - radius, 0), rows - 1)
                for j in range(2 * radius + 1):
                    value = power[source, min(max(column + j - radius, 0), columns - 1)]
                    if 0 < value < np.inf:
                        total += weights[ring[i, j]] * value
                        weight += weights[ring[i, j]]
            out[row, column] = total / weight
