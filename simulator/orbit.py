"""Where the antenna is: a nominal Sentinel-1 orbit, and trajectories interpolated from vectors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline

Float64 = NDArray[np.float64]

EARTH_ROTATION = 7.292_115e-5  # rad/s, WGS 84
ORBITS_PER_CYCLE = 175
CYCLE_S = 12 * 86_400.0
NODAL_PERIOD_S = CYCLE_S / ORBITS_PER_CYCLE
SEMI_MAJOR_AXIS = 7_070_980.0  # m: mean altitude 693 km over the equator
INCLINATION = np.radians(98.18)
ECCENTRICITY = 0.00117  # frozen orbit: perigee over the north
NODE_DRIFT = 2 * np.pi / (365.2422 * 86_400)  # rad/s: J2 keeps the plane sun-synchronous


@dataclass(frozen=True)
class NominalOrbit:
    """A frozen, sun-synchronous orbit: Kepler to first order in eccentricity, J2 as nodal drift.

    Position and velocity are exact derivatives of each other, which is what a simulator needs.

    Parameters
    ----------
    node_longitude
        Longitude of the ascending node at `node_time`, radians.
    node_time
        Seconds since the epoch at which the satellite crosses that node.
    """

    node_longitude: float
    node_time: float

    def argument_of_latitude(self, time: Float64) -> Float64:
        """Angle from the ascending node along the orbit, radians, mean motion."""
        return 2 * np.pi / NODAL_PERIOD_S * (np.asarray(time, np.float64) - self.node_time)

    def states(self, time: Float64) -> tuple[Float64, Float64]:
        """Earth-fixed position (m) and velocity (m/s), shape (..., 3), at seconds since epoch."""
        time = np.asarray(time, np.float64)
        rate = 2 * np.pi / NODAL_PERIOD_S
        mean = self.argument_of_latitude(time)
        anomaly = mean - np.pi / 2  # perigee at the northernmost point
        radius = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY * np.cos(anomaly))
        radius_rate = SEMI_MAJOR_AXIS * ECCENTRICITY * np.sin(anomaly) * rate
        angle = mean + 2 * ECCENTRICITY * (np.sin(anomaly) + 1.0)
        angle_rate = rate * (1 + 2 * ECCENTRICITY * np.cos(anomaly))
        node_rate = NODE_DRIFT - EARTH_ROTATION
        node = self.node_longitude + node_rate * (time - self.node_time)

        along, across = np.cos(angle), np.sin(angle)
        tilted = across * np.cos(INCLINATION)
        tilted_rate = along * np.cos(INCLINATION)
        cosine, sine = np.cos(node), np.sin(node)
        direction = np.stack(
            (
                along * cosine - tilted * sine,
                along * sine + tilted * cosine,
                across * np.sin(INCLINATION),
            ),
            axis=-1,
        )
        turning = np.stack(
            (
                -across * cosine - tilted_rate * sine,
                -across * sine + tilted_rate * cosine,
                along * np.sin(INCLINATION),
            ),
            axis=-1,
        )
        drifting = np.stack((-direction[..., 1], direction[..., 0], np.zeros_like(angle)), axis=-1)
        position = radius[..., None] * direction
        velocity = (
            radius_rate[..., None] * direction
            + (radius * angle_rate)[..., None] * turning
            + (radius * node_rate)[..., None] * drifting
        )
        return position, velocity

    def trajectory(self, time: Float64) -> "Trajectory":
        """State vectors at some times, seconds since the epoch."""
        return Trajectory(time, *self.states(time))


@dataclass(frozen=True)
class Trajectory:
    """State vectors, positions and velocities each interpolated by a spline of degree 7.

    Velocity is not taken as the derivative of position: the vectors that a satellite downlinks
    disagree there by 1 cm/s, and only their own velocities reproduce the annotation's grid.

    Parameters
    ----------
    time
        Seconds since the epoch, shape (n,), increasing.
    position, velocity
        Metres and metres a second, shape (n, 3).
    """

    time: Float64
    position: Float64
    velocity: Float64

    @cached_property
    def _position_spline(self) -> BSpline:
        return make_interp_spline(self.time, self.position, k=7)

    @cached_property
    def _velocity_spline(self) -> BSpline:
        return make_interp_spline(self.time, self.velocity, k=7)

    @cached_property
    def _acceleration_spline(self) -> BSpline:
        return self._velocity_spline.derivative()

    def position_at(self, time: float | Float64) -> Float64:
        """Position in metres, shape (..., 3)."""
        return np.asarray(self._position_spline(time))

    def velocity_at(self, time: float | Float64) -> Float64:
        """Velocity in metres a second, shape (..., 3)."""
        return np.asarray(self._velocity_spline(time))

    def acceleration_at(self, time: float | Float64) -> Float64:
        """Acceleration in metres a second squared, shape (..., 3)."""
        return np.asarray(self._acceleration_spline(time))

    def shifted(self, along_m: float, across_m: float) -> "Trajectory":
        """Return the same trajectory moved along and across the track, metres."""
        forward = self.velocity / np.linalg.norm(self.velocity, axis=1, keepdims=True)
        right = np.cross(forward, self.position)
        right /= np.linalg.norm(right, axis=1, keepdims=True)
        moved = self.position + along_m * forward + across_m * right
        return Trajectory(self.time, moved, self.velocity)
