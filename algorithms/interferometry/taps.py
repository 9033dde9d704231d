"""The interpolator: a windowed sinc of eight taps, its weights as polynomials of the fraction.

Weights are computed, not looked up: a loop over neighbouring pixels, each with its own fraction,
then runs on whole vectors.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import polynomial

from algorithms.compiled import compiled
from algorithms.interferometry.model import Float32
from algorithms.radar.grd import Float64

TAPS = 8
BEFORE = TAPS // 2 - 1  # taps before the one at or below a position
_DEGREE = 7


class EvenOddTaps(NamedTuple):
    """Weights of the first four taps, the others being their mirror images.

    With g = fraction - 1/2, tap k weighs sum even[k, i] g**(2 i) + g sum odd[k, i] g**(2 i), and
    tap 7 - k the difference of the two; float32, shape (4, 4).
    """

    even: Float32
    odd: Float32


def sinc_weights(fraction: Float64, bandwidth: float) -> Float64:
    """Return the weights of the eight taps for fractions of a pixel, shape (..., 8).

    The sinc is cut by a Kaiser window whose parameter has the least mean square error on the
    Hamming-weighted spectra of Sentinel-1: 0.3 % of the power for a bandwidth of 0.88 of the
    sampling rate, 0.002 % for 0.67.

    Parameters
    ----------
    fraction
        0 to 1, from tap 3 towards tap 4.
    bandwidth
        Of the signal, in sampling rates.
    """
    beta = 1.33 + 9.6 * (1.0 - bandwidth)
    distance = np.asarray(fraction)[..., np.newaxis] - (np.arange(TAPS) - BEFORE)
    inside = np.maximum(1.0 - (distance / (TAPS / 2)) ** 2, 0.0)
    weights: Float64 = np.sinc(distance) * np.i0(beta * np.sqrt(inside))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def fit_taps(bandwidth: float) -> EvenOddTaps:
    """Fit polynomials to the weights, within 1e-6."""
    centred = 0.5 * np.cos(np.linspace(0.0, np.pi, 65))
    weights = sinc_weights(centred + 0.5, bandwidth)[:, : TAPS // 2]
    powers = polynomial.polyfit(centred, weights, _DEGREE).T.astype(np.float32)
    return EvenOddTaps(np.ascontiguousarray(powers[:, 0::2]), np.ascontiguousarray(powers[:, 1::2]))


@compiled
def tap_pair(taps: EvenOddTaps, k: int, g: np.float32) -> tuple[np.float32, np.float32]:
    """Return the weights of taps k and 7 - k at the fraction g + 1/2."""
    square = g * g
    even = taps.even[k, 3]
    odd = taps.odd[k, 3]
    for power in range(2, -1, -1):
        even = even * square + taps.even[k, power]
        odd = odd * square + taps.odd[k, power]
    odd = odd * g
    return even + odd, even - odd
