"""Compiled kernels: from radar lines and ground ranges to the relief, in the zero-Doppler plane."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from algorithms.constants import SPEED_OF_LIGHT
from simulator.ellipsoid import geodetic
from simulator.terrain import wave_height

Float64 = NDArray[np.float64]
Vector = tuple[float, float, float]


@njit(cache=True, inline="always")
def relief_height(
    longitude: float, latitude: float, frame: Float64, base: float, waves: Float64
) -> float:
    """Height of the relief at a point, radians to metres."""
    turn = longitude - frame[0]
    if turn > math.pi:
        turn -= 2 * math.pi
    elif turn < -math.pi:
        turn += 2 * math.pi
    return wave_height(turn * frame[2], (latitude - frame[1]) * frame[3], base, waves)


@njit(cache=True)
def look_axes(position: Float64, velocity: Float64) -> tuple[Vector, Vector]:
    """Return unit vectors of the zero-Doppler plane: down, and to the right of the flight."""
    speed = math.sqrt(velocity[0] ** 2 + velocity[1] ** 2 + velocity[2] ** 2)
    fx, fy, fz = velocity[0] / speed, velocity[1] / speed, velocity[2] / speed
    along = position[0] * fx + position[1] * fy + position[2] * fz
    dx, dy, dz = along * fx - position[0], along * fy - position[1], along * fz - position[2]
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / length, dy / length, dz / length
    right = (dy * fz - dz * fy, dz * fx - dx * fz, dx * fy - dy * fx)
    return (dx, dy, dz), right


@njit(cache=True, inline="always")
def ray_end(antenna: Float64, down: Vector, right: Vector, reach: float, angle: float) -> Vector:
    """Longitude, latitude and height of the end of a ray of given length and look angle."""
    deep, wide = reach * math.cos(angle), reach * math.sin(angle)
    return geodetic(
        antenna[0] + deep * down[0] + wide * right[0],
        antenna[1] + deep * down[1] + wide * right[1],
        antenna[2] + deep * down[2] + wide * right[2],
    )


@njit(cache=True)
def meet_relief(  # type: ignore[no-untyped-def]
    antenna, down, right, reach, angle, relief
) -> tuple[float, float, float, float]:
    """Turn a ray of given length until it ends on the relief: its end and its look angle.

    Secant steps from `angle`; the height of the end grows by about R sin(incidence) a radian.
    """
    frame, base, waves = relief
    step, gap_before = 0.0, 0.0
    longitude, latitude, height = 0.0, 0.0, 0.0
    for attempt in range(50):
        longitude, latitude, height = ray_end(antenna, down, right, reach, angle)
        gap = height - relief_height(longitude, latitude, frame, base, waves)
        if abs(gap) < 1e-6:
            break
        slope = 1.15 * reach * math.sin(angle)
        if attempt > 0 and abs(gap - gap_before) > 0.2 * slope * abs(step):
            slope = (gap - gap_before) / step
        step = -gap / slope
        gap_before = gap
        angle += step
    return longitude, latitude, height, angle


@njit(cache=True, nogil=True)
def fill_ground(  # type: ignore[no-untyped-def]
    orbit, ground_range, origin, coefficients, bulk_delay, relief, ground
) -> None:
    """Write longitude, latitude and height of the relief under every line and ground range.

    `orbit` holds position, velocity and acceleration of each line, shape (n, 3); a NaN
    `bulk_delay` switches the bistatic term off; `relief` is (frame, base, waves) of the terrain;
    `ground` has shape (n, m, 3).
    """
    positions, velocities, accelerations = orbit
    degree = coefficients.shape[1] - 1
    for row in range(positions.shape[0]):
        angle = 0.6  # about 35 degrees; then that of the sample before
        for column in range(ground_range.size):
            along = ground_range[column] - origin[row]
            reach = coefficients[row, degree]
            for power in range(degree - 1, -1, -1):
                reach = reach * along + coefficients[row, power]
            late = 0.0
            if not math.isnan(bulk_delay):
                late = reach / SPEED_OF_LIGHT - bulk_delay / 2
            antenna = positions[row] + late * velocities[row]
            down, right = look_axes(antenna, velocities[row] + late * accelerations[row])
            longitude, latitude, height, angle = meet_relief(
                antenna, down, right, reach, angle, relief
            )
            ground[row, column, 0] = longitude
            ground[row, column, 1] = latitude
            ground[row, column, 2] = height
