"""Cosine and sine of a phase in cycles, without branches, so that loops become vectors."""

import numpy as np
from numpy.polynomial import Polynomial, chebyshev

from algorithms.compiled import compiled
from algorithms.radar.grd import Float64

# Adding and taking off 3 * 2**51 rounds a number of double precision to the nearest integer.
_ROUND = 6_755_399_441_055_744.0


def _fit(values: Float64, square: Float64) -> tuple[np.float32, ...]:
    """Return ascending powers of a polynomial of degree 4 through values at squares."""
    fitted = Polynomial.fit(square, values, 4).convert()
    return tuple(np.float32(coefficient) for coefficient in fitted.coef)


# Half a turn at most: x in [-1/2, 1/2] half turns, sine over x and cosine in powers of x**2.
_X = 0.5 * np.sqrt(0.5 + 0.5 * chebyshev.chebpts1(64))
_S0, _S1, _S2, _S3, _S4 = _fit(np.sin(np.pi * _X) / _X, _X**2)
_C0, _C1, _C2, _C3, _C4 = _fit(np.cos(np.pi * _X), _X**2)
_TWO = np.float32(2.0)
_ONE = np.float32(1.0)


@compiled
def phasor(cycles: float) -> tuple[np.float32, np.float32]:
    """Return cosine and sine of 2 pi cycles within 1e-6."""
    x = np.float32(cycles - ((cycles + _ROUND) - _ROUND))
    square = x * x
    # Of half the angle first, which a short polynomial covers.
    sine = x * (_S0 + square * (_S1 + square * (_S2 + square * (_S3 + square * _S4))))
    cosine = _C0 + square * (_C1 + square * (_C2 + square * (_C3 + square * _C4)))
    return _ONE - _TWO * sine * sine, _TWO * sine * cosine
