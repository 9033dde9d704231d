"""Repeat passes: orbits that follow each other at some metres, and where they see a point."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.orbit import NominalOrbit, Trajectory

Float64 = NDArray[np.float64]

STEP_S = 10.0  # between state vectors
LEAD_S = 120.0  # of vectors before and after a pass
_HALF = 0.5  # s, of the difference that a velocity is


class ZeroDoppler(NamedTuple):
    """When an antenna is abeam of points, seconds, and how far, metres; any shape."""

    time: Float64
    slant_range: Float64


def shifted_trajectory(
    orbit: NominalOrbit, first: float, last: float, *, across: float, radial: float
) -> Trajectory:
    """State vectors of an orbit beside a nominal one.

    Parameters
    ----------
    orbit
        The nominal one.
    first, last
        Seconds that the pass spans.
    across, radial
        Metres to the right of the flight, and outwards.

    Returns
    -------
    Velocities are the derivative of the positions, to 1e-8 m/s.
    """
    time = np.arange(np.floor((first - LEAD_S) / STEP_S), (last + LEAD_S) / STEP_S + 1) * STEP_S

    def position(at: Float64) -> Float64:
        place, velocity = orbit.states(at)
        right = np.cross(velocity, place)
        right /= np.linalg.norm(right, axis=-1, keepdims=True)
        up = place / np.linalg.norm(place, axis=-1, keepdims=True)
        return np.asarray(place + across * right + radial * up)

    return Trajectory(time, position(time), _derivative(position, time))


def _derivative(function: Callable[[Float64], Float64], time: Float64) -> Float64:
    """Slope of a smooth function of time, by differences of the fourth order."""
    near = function(time + _HALF) - function(time - _HALF)
    far = function(time + 2 * _HALF) - function(time - 2 * _HALF)
    return (8 * near - far) / (12 * _HALF)


def zero_doppler(trajectory: Trajectory, points: Float64, guess: float) -> ZeroDoppler:
    """Find when the antenna is abeam of points: where the range is least, its slope is zero.

    Parameters
    ----------
    trajectory
        Of the antenna.
    points
        Earth-fixed metres, shape (..., 3).
    guess
        Seconds, within some minutes of the answer.
    """
    time = np.full(points.shape[:-1], guess)
    for _ in range(20):
        ray = points - trajectory.position_at(time)
        velocity = trajectory.velocity_at(time)
        gap = (ray * velocity).sum(axis=-1)
        slope = (ray * trajectory.acceleration_at(time)).sum(axis=-1) - (velocity**2).sum(axis=-1)
        step = gap / slope
        time = time - step
        if np.abs(step).max(initial=0.0) < 1e-11:
            break
    ray = points - trajectory.position_at(time)
    return ZeroDoppler(time, np.linalg.norm(ray, axis=-1))
