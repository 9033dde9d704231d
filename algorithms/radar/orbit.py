"""The orbit of the antenna over one scene, as a polynomial in time.

A polynomial of degree 7 on a few minutes of a Sentinel-1 orbit is exact far below a millimetre;
the vectors come from the annotation or from a precise orbit file, at any spacing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike

from algorithms.radar.grd import Float64, StateVectors

DEGREE = 7
# Vectors this far before and after the scene take part in the fit: the ends of a fit are its
# weakest part, and six vectors of 10 s on each side keep the scene away from them.
MARGIN_S = 65.0


@dataclass(frozen=True)
class OrbitPolynomial:
    """Position and velocity of the antenna as polynomials of time.

    Both are fitted on their own, as the processor does: in some annotations the velocities differ
    by a centimetre a second from the slope of the positions, and images follow the velocities.

    Parameters
    ----------
    centre, half_span
        Seconds; the polynomials' variable is (time - centre) / half_span, within [-1, 1].
    coefficients
        Ascending powers, shape (degree + 1, 6): x, y, z in metres, then velocities in metres a
        second, in ECEF.
    residual
        Largest distance of the fit from a state vector's position, metres.
    """

    centre: float
    half_span: float
    coefficients: Float64
    residual: float

    def position(self, time: ArrayLike) -> Float64:
        """Return the position in metres at `time` (s, any shape): shape (..., 3)."""
        return self._evaluate(time, slice(0, 3))

    def velocity(self, time: ArrayLike) -> Float64:
        """Return the velocity in metres a second at `time` (s, any shape): shape (..., 3)."""
        return self._evaluate(time, slice(3, 6))

    def _evaluate(self, time: ArrayLike, columns: slice) -> Float64:
        """Evaluate some of the polynomials, the components last."""
        variable = (np.asarray(time, float) - self.centre) / self.half_span
        values = polynomial.polyval(variable, self.coefficients[:, columns])
        return np.moveaxis(np.asarray(values, float), 0, -1)


def fit_orbit(vectors: StateVectors, first_time: float, last_time: float) -> OrbitPolynomial:
    """Fit the state vectors around a scene.

    Parameters
    ----------
    vectors
        State vectors, increasing in time.
    first_time, last_time
        First and last instant of the scene, seconds since the epoch of `vectors`.

    Raises
    ------
    ValueError
        When the vectors do not cover the scene, or are fewer than the degree needs.
    """
    spacing = float(np.median(np.diff(vectors.time))) if vectors.time.size > 1 else 0.0
    if first_time < vectors.time[0] - spacing or last_time > vectors.time[-1] + spacing:
        raise ValueError(
            f"state vectors cover {vectors.time[0]:.3f} s to {vectors.time[-1]:.3f} s, "
            f"the scene needs {first_time:.3f} s to {last_time:.3f} s"
        )
    used = (vectors.time >= first_time - MARGIN_S) & (vectors.time <= last_time + MARGIN_S)
    time = vectors.time[used]
    if time.size <= DEGREE:
        raise ValueError(f"{time.size} state vectors around the scene, {DEGREE + 1} are needed")
    centre = 0.5 * (time[0] + time[-1])
    half_span = 0.5 * (time[-1] - time[0])
    powers = polynomial.polyvander((time - centre) / half_span, DEGREE)
    values = np.hstack([vectors.position[used], vectors.velocity[used]])
    coefficients = np.linalg.lstsq(powers, values, rcond=None)[0].astype(np.float64)
    error = powers @ coefficients - values
    return OrbitPolynomial(
        centre=float(centre),
        half_span=float(half_span),
        coefficients=np.ascontiguousarray(coefficients),
        residual=float(np.linalg.norm(error[:, :3], axis=1).max()),
    )
