"""Range-Doppler geometry of bursts, both ways, and what it says about a pair.

The ground that a pixel shows lies in the plane of zero Doppler of its line, at its slant range and
at a height: (line, sample, height) is a point on the ground, without a search. The offsets between
two images are smooth functions of the three.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from algorithms.compiled import compiled
from algorithms.interferometry.model import RadarFrame
from algorithms.interferometry.smooth import SmoothFunction, fit_smooth
from algorithms.radar.grd import Float64
from algorithms.radar.model import OrbitArrays, zero_doppler
from algorithms.terrain.nodes import ground_point

# Degrees in line, sample and height: 1e-6 pixels over a burst and 9 km of heights.
OFFSET_DEGREES = (3, 6, 3)


class RadarPlace(NamedTuple):
    """Places in a burst, fractional lines and samples; NaN where the orbit does not reach."""

    line: Float64
    sample: Float64


class Baseline(NamedTuple):
    """Where the secondary antenna is, seen from the reference one, in metres.

    `perpendicular` counts across the line of sight in the plane of zero Doppler, positive below it:
    where it is positive, higher ground has a larger phase arg(reference conj(secondary)).
    `parallel` counts along the line of sight, positive towards the ground.
    """

    perpendicular: Float64
    parallel: Float64


def ground_at(frame: RadarFrame, line: ArrayLike, sample: ArrayLike, height: ArrayLike) -> Float64:
    """Return the ECEF positions (m) that pixels show when the ground has given heights.

    Parameters
    ----------
    line, sample
        Fractional; shapes broadcast with `height`.
    height
        Metres above the ellipsoid.

    Returns
    -------
    Shape (..., 3).
    """
    line, sample, height = np.broadcast_arrays(line, sample, height)
    slant_range = frame.range_of(sample)
    time = frame.time_of(line, slant_range)
    position = frame.orbit_polynomial.position(time)
    velocity = frame.orbit_polynomial.velocity(time)
    along = velocity / np.linalg.norm(velocity, axis=-1, keepdims=True)
    down = np.sum(position * along, axis=-1, keepdims=True) * along - position
    down /= np.linalg.norm(down, axis=-1, keepdims=True)
    right = np.cross(down, along)
    return ground_point(position, down, right, slant_range, height)


def place_of(frame: RadarFrame, ground: Float64) -> RadarPlace:
    """Return where ECEF positions (m), shape (..., 3), lie in a burst, by zero Doppler."""
    time, slant_range = zero_doppler_of(frame, ground)
    return RadarPlace(frame.line_of(time, slant_range), frame.sample_of(slant_range))


def pair_offsets(
    reference: RadarFrame, secondary: RadarFrame, height_range: tuple[float, float]
) -> SmoothFunction:
    """Compute where the ground of the reference lies in the secondary.

    Parameters
    ----------
    reference, secondary
        Bursts with one identifier.
    height_range
        Lowest and highest ground, metres above the ellipsoid.

    Returns
    -------
    Two functions of line, sample and height (m): line and sample in the secondary less those in the
    reference.
    """

    def offsets(line: Float64, sample: Float64, height: Float64) -> Float64:
        place = place_of(secondary, ground_at(reference, line, sample, height))
        return np.stack([place.line - line, place.sample - sample])

    bounds = ((0.0, reference.lines), (0.0, reference.samples), height_range)
    return fit_smooth(offsets, bounds, OFFSET_DEGREES)


def baseline_at(reference: RadarFrame, secondary: RadarFrame, ground: Float64) -> Baseline:
    """Compute the baseline at ECEF positions (m), shape (..., 3)."""
    times = zero_doppler_of(reference, ground)[0], zero_doppler_of(secondary, ground)[0]
    first = reference.orbit_polynomial.position(times[0])
    sight = ground - first
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    # For an antenna that looks right, path x sight points below the line of sight.
    below = np.cross(reference.orbit_polynomial.velocity(times[0]), sight)
    below /= np.linalg.norm(below, axis=-1, keepdims=True)
    apart = secondary.orbit_polynomial.position(times[1]) - first
    return Baseline(np.sum(apart * below, axis=-1), np.sum(apart * sight, axis=-1))


def zero_doppler_of(frame: RadarFrame, ground: Float64) -> tuple[Float64, Float64]:
    """Return zero-Doppler times (s) and slant ranges (m) of ECEF positions, shape (..., 3)."""
    points = np.ascontiguousarray(ground, np.float64).reshape(-1, 3)
    orbit = frame.orbit_polynomial
    arrays = OrbitArrays(orbit.centre, orbit.half_span, orbit.coefficients, 0.0)
    time, slant_range = np.empty(len(points)), np.empty(len(points))
    _solve(points, arrays, time, slant_range)
    return time.reshape(ground.shape[:-1]), slant_range.reshape(ground.shape[:-1])


@compiled
def _solve(points: Float64, orbit: OrbitArrays, time: Float64, slant_range: Float64) -> None:
    """Fill zero-Doppler times (s) and slant ranges (m) of ECEF points."""
    variable = 0.0
    for i in range(len(points)):
        variable, slant_range[i] = zero_doppler(
            points[i, 0], points[i, 1], points[i, 2], variable, orbit
        )
        time[i] = orbit.centre + variable * orbit.half_span
        if not abs(variable) <= 3.0:
            variable = 0.0
