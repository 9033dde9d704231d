"""Conversions between geodetic coordinates and Earth-fixed Cartesian ones, on WGS 84.

Written for the simulator alone, so that an error here and one in the code under test cannot cancel.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from algorithms.constants import WGS84_FLATTENING, WGS84_SEMI_MAJOR

Float64 = NDArray[np.float64]

SEMI_MINOR = WGS84_SEMI_MAJOR * (1.0 - WGS84_FLATTENING)  # m
ECCENTRICITY_2 = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
SECOND_ECCENTRICITY_2 = ECCENTRICITY_2 / (1.0 - ECCENTRICITY_2)


def cartesian(longitude: Float64, latitude: Float64, height: Float64) -> Float64:
    """Earth-fixed position of geodetic points.

    Parameters
    ----------
    longitude, latitude
        Radians, any common shape.
    height
        Metres above the ellipsoid, same shape.

    Returns
    -------
    Metres, shape (..., 3).
    """
    longitude, latitude, height = np.broadcast_arrays(longitude, latitude, height)
    normal = WGS84_SEMI_MAJOR / np.sqrt(1.0 - ECCENTRICITY_2 * np.sin(latitude) ** 2)
    horizontal = (normal + height) * np.cos(latitude)
    z = (normal * (1.0 - ECCENTRICITY_2) + height) * np.sin(latitude)
    return np.stack((horizontal * np.cos(longitude), horizontal * np.sin(longitude), z), axis=-1)


@njit(cache=True, inline="always")
def geodetic(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Longitude and latitude (radians) and height (metres) of an Earth-fixed position.

    Bowring (1976), Transformation from spatial to geographical coordinates, Survey Review 23,
    with one more pass of his formula: below a micrometre from the ground to the satellite.
    """
    horizontal = math.sqrt(x * x + y * y)
    tangent = z * WGS84_SEMI_MAJOR / (horizontal * SEMI_MINOR)  # of the reduced latitude
    latitude_tangent = 0.0
    for _ in range(2):
        cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
        sine = tangent * cosine
        latitude_tangent = (z + SECOND_ECCENTRICITY_2 * SEMI_MINOR * sine**3) / (
            horizontal - ECCENTRICITY_2 * WGS84_SEMI_MAJOR * cosine**3
        )
        tangent = (1.0 - WGS84_FLATTENING) * latitude_tangent
    cosine = 1.0 / math.sqrt(1.0 + latitude_tangent * latitude_tangent)
    sine = latitude_tangent * cosine
    curvature = math.sqrt(1.0 - ECCENTRICITY_2 * sine * sine)
    height = horizontal * cosine + z * sine - WGS84_SEMI_MAJOR * curvature
    return math.atan2(y, x), math.atan(latitude_tangent), height


def metres_per_radian(latitude: float) -> tuple[float, float]:
    """Length of one radian of longitude and of latitude on the ellipsoid at a latitude, metres."""
    curvature = 1.0 - ECCENTRICITY_2 * math.sin(latitude) ** 2
    normal = WGS84_SEMI_MAJOR / math.sqrt(curvature)
    meridian = normal * (1.0 - ECCENTRICITY_2) / curvature
    return normal * math.cos(latitude), meridian
