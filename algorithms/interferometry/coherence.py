"""What coherence says: its bias, the looks it stands on, and the noise of the phase."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from algorithms.interferometry.cells import Looks
from algorithms.interferometry.model import Burst, Float32, SpectralWindow
from algorithms.radar.grd import Float64

# Standard deviation of a phase that says nothing, radians.
_UNIFORM_PHASE = np.pi / np.sqrt(3.0)
# With more, the bias is below 0.002.
_MOST_LOOKS = 500.0
# Speckle this many pixels apart has nothing in common.
_MOST_LAGS = 512


def independent_samples(weights: Float64, window: SpectralWindow, sampling_rate: float) -> float:
    """Return how many independent samples a weighted mean of consecutive pixels is worth.

    The mean power of speckle of spectrum S scatters as if there were 1 / sum W(k) |r(k)|**2 of
    them, with W the autocorrelation of the weights and r that of the speckle, the transform of S.

    Parameters
    ----------
    weights
        Of the pixels, of sum 1.
    window, sampling_rate
        Of the spectrum, and of the pixels, Hz.
    """
    lags = min(weights.size, _MOST_LAGS)
    frequency = np.fft.fftfreq(8 * _MOST_LAGS) * sampling_rate / window.bandwidth
    power = (window.hamming + (1.0 - window.hamming) * np.cos(2.0 * np.pi * frequency)) ** 2
    speckle = np.fft.fft(np.where(np.abs(frequency) <= 0.5, power, 0.0)).real[:lags]
    together = np.correlate(weights, weights, "full")[weights.size - 1 :][:lags]
    together[1:] *= 2.0
    return float(1.0 / np.sum(together * (speckle / speckle[0]) ** 2))


def independent_looks(burst: Burst, looks: Looks, weights: Float64 | None = None) -> float:
    """Return the number of independent looks of cells of a burst, at least 1.

    Parameters
    ----------
    burst
        Whose bandwidths count.
    looks
        Of a cell.
    weights
        Of the cells that are joined, along rows and columns alike, of sum 1; None for one alone.
    """
    count = 1.0
    for look, window, rate in (
        (looks.azimuth, burst.azimuth_window, 1.0 / burst.azimuth_time_interval),
        (looks.range, burst.range_window, burst.range_sampling_rate),
    ):
        joined = np.ones(1) if weights is None else weights
        count *= independent_samples(np.repeat(joined, look) / look, window, rate)
    return max(count, 1.0)


def expected_coherence(coherence: Float64, looks: float) -> Float64:
    """Return the mean of the sample coherence over some looks, for coherences of the ground.

    The sample's square is distributed as Beta(n + 1, L - 1), n negative binomial with L failures
    and the coherence's square as probability: a sum over n of the mean square roots.

    Parameters
    ----------
    coherence
        Of the ground, 0 to 1, shape (n,).
    looks
        Independent looks L, more than 1.

    References
    ----------
    Touzi, R., et al. (1999), Coherence estimation for SAR imagery, IEEE TGRS 37(1), 135-149,
    equations 6 and 11.
    """
    mean = np.ones(coherence.size)
    for place in np.flatnonzero(coherence < 1.0):
        square = coherence[place] ** 2
        centre = looks * square / (1.0 - square)
        reach = 10.0 * np.sqrt(centre / (1.0 - square)) + 60.0
        n = np.arange(max(int(centre - reach), 0), int(centre + reach) + 1, dtype=np.float64)
        # Negative binomial probability, then Gamma(n + 3/2) Gamma(L + n) over
        # Gamma(n + 1) Gamma(L + n + 1/2), in logarithms.
        logarithm = gammaln(n + looks) - gammaln(looks) - gammaln(n + 1.0)
        logarithm += looks * np.log1p(-square) + xlogy(n, square)
        logarithm += gammaln(n + 1.5) - gammaln(n + 1.0)
        logarithm += gammaln(looks + n) - gammaln(looks + n + 0.5)
        mean[place] = np.exp(logarithm).sum()
    return mean


def unbiased_coherence(coherence: Float32, looks: float) -> Float32:
    """Correct sample coherence for what few looks add to it.

    Parameters
    ----------
    coherence
        Sample coherence, 0 to 1, any shape.
    looks
        Independent looks of a cell.

    Returns
    -------
    The coherence of the ground whose mean sample coherence is the one found; 0 below what no
    coherence at all shows, and everywhere for one look, which says nothing.
    """
    if looks <= 1.0:
        return np.where(np.isnan(coherence), coherence, 0.0).astype(np.float32)
    ground, mean = _table(round(min(looks, _MOST_LOOKS), 2))
    return np.interp(coherence, mean, ground, left=0.0).astype(np.float32)


@lru_cache(maxsize=16)
def _table(looks: float) -> tuple[Float64, Float64]:
    """Return coherences of the ground and their mean sample coherences."""
    ground = np.sin(np.linspace(0.0, 0.5 * np.pi, 129))
    return ground, expected_coherence(ground, looks)


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
