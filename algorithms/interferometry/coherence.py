"""What coherence says: its bias, the looks it stands on, and the noise of the phase."""

import numpy as np
from numpy.typing import NDArray

from algorithms.interferometry.cells import Looks
from algorithms.interferometry.model import Burst, Float32, SpectralWindow

# Standard deviation of a phase that says nothing, radians.
_UNIFORM_PHASE = np.pi / np.sqrt(3.0)


def independent_share(window: SpectralWindow, sampling_rate: float) -> float:
    """Return how many independent samples a pixel is worth, 0 to 1.

    The mean power of many pixels of speckle with spectrum S scatters as if there were
    (integral S)**2 / (sampling rate integral S**2) of them for each.
    """
    frequency = (np.arange(1024) + 0.5) / 1024 - 0.5
    power = (window.hamming + (1.0 - window.hamming) * np.cos(2.0 * np.pi * frequency)) ** 2
    share = np.mean(power) ** 2 / np.mean(power**2) * window.bandwidth / sampling_rate
    return min(float(share), 1.0)


def independent_looks(burst: Burst, looks: Looks) -> float:
    """Return the number of independent looks of cells of a burst, at least 1."""
    azimuth = independent_share(burst.azimuth_window, 1.0 / burst.azimuth_time_interval)
    across = independent_share(burst.range_window, burst.range_sampling_rate)
    return max(looks.azimuth * looks.range * azimuth * across, 1.0)


def unbiased_coherence(coherence: Float32, looks: float) -> Float32:
    """Correct sample coherence for what few looks add to it.

    Parameters
    ----------
    coherence
        Sample coherence g, 0 to 1, any shape.
    looks
        Independent looks L of a cell.

    Returns
    -------
    sqrt((g**2 L - 1) / (L - 1)), 0 where g is below what no coherence at all shows; all 0 for one
    look, which says nothing.

    References
    ----------
    Touzi, R., et al. (1999), Coherence estimation for SAR imagery, IEEE TGRS 37(1), 135-149.
    """
    if looks <= 1.0:
        return np.where(np.isnan(coherence), coherence, 0.0).astype(np.float32)
    square = (coherence.astype(np.float64) ** 2 * looks - 1.0) / (looks - 1.0)
    return np.sqrt(np.maximum(square, 0.0)).astype(np.float32)


def phase_noise(coherence: NDArray[np.floating], looks: float) -> Float32:
    """Return the standard deviation of the interferometric phase, radians.

    The bound of Cramer and Rao, sqrt((1 - g**2) / (2 L g**2)), which holds for many looks, and
    never more than a phase that is uniform on the circle has.

    Parameters
    ----------
    coherence
        Of the ground, that is without bias; any shape.
    looks
        Independent looks of a cell.

    References
    ----------
    Rodriguez, E., and Martin, J. M. (1992), Theory and design of interferometric synthetic
    aperture radars, IEE Proceedings F 139(2), 147-159.
    """
    square = np.asarray(coherence, np.float64) ** 2
    with np.errstate(divide="ignore"):
        noise = np.sqrt(np.maximum(1.0 - square, 0.0) / (2.0 * looks * square))
    bounded: Float32 = np.minimum(noise, _UNIFORM_PHASE).astype(np.float32)
    return bounded
