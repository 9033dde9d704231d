"""Geodetic coordinates to Earth-centred, Earth-fixed ones and back, on the WGS84 ellipsoid."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algorithms.compiled import compiled
from algorithms.constants import WGS84_FLATTENING, WGS84_SEMI_MAJOR

Float64 = NDArray[np.float64]

ECCENTRICITY_SQUARED = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
SEMI_MINOR = WGS84_SEMI_MAJOR * (1.0 - WGS84_FLATTENING)


@compiled
def ecef_of_point(longitude: float, latitude: float, height: float) -> tuple[float, float, float]:
    """Return the ECEF position (m) of one point; angles in radians, height in metres."""
    sine = math.sin(latitude)
    cosine = math.cos(latitude)
    normal = WGS84_SEMI_MAJOR / math.sqrt(1.0 - ECCENTRICITY_SQUARED * sine * sine)
    in_plane = (normal + height) * cosine
    return (
        in_plane * math.cos(longitude),
        in_plane * math.sin(longitude),
        (normal * (1.0 - ECCENTRICITY_SQUARED) + height) * sine,
    )


def geodetic_to_ecef(longitude: ArrayLike, latitude: ArrayLike, height: ArrayLike) -> Float64:
    """Convert geodetic coordinates to ECEF positions.

    Parameters
    ----------
    longitude, latitude
        Radians, shapes that broadcast.
    height
        Metres above the ellipsoid.

    Returns
    -------
    Positions in metres, shape (..., 3).
    """
    lon, lat, h = np.broadcast_arrays(
        *(np.asarray(a, float) for a in (longitude, latitude, height))
    )
    sine, cosine = np.sin(lat), np.cos(lat)
    normal = WGS84_SEMI_MAJOR / np.sqrt(1.0 - ECCENTRICITY_SQUARED * sine**2)
    return np.stack(
        [
            (normal + h) * cosine * np.cos(lon),
            (normal + h) * cosine * np.sin(lon),
            (normal * (1.0 - ECCENTRICITY_SQUARED) + h) * sine,
        ],
        axis=-1,
    )


def ecef_to_geodetic(position: ArrayLike) -> tuple[Float64, Float64, Float64]:
    """Convert ECEF positions to geodetic coordinates.

    Bowring's formula on the reduced latitude, iterated twice: below 1e-9 m from the centre of
    the Earth's crust to satellites, at the poles too.

    Parameters
    ----------
    position
        Metres, shape (..., 3).

    Returns
    -------
    Longitude and latitude in radians and height in metres, each of shape (...).

    References
    ----------
    Bowring, B. R. (1976), Transformation from spatial to geographical coordinates, Survey Review
    23(181), 323-327.
    """
    x, y, z = np.moveaxis(np.asarray(position, float), -1, 0)
    axis_distance = np.hypot(x, y)
    second_eccentricity_squared = ECCENTRICITY_SQUARED / (1.0 - ECCENTRICITY_SQUARED)
    reduced = np.arctan2(z * WGS84_SEMI_MAJOR, axis_distance * SEMI_MINOR)
    for _ in range(2):
        latitude = np.arctan2(
            z + second_eccentricity_squared * SEMI_MINOR * np.sin(reduced) ** 3,
            axis_distance - ECCENTRICITY_SQUARED * WGS84_SEMI_MAJOR * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2((1.0 - WGS84_FLATTENING) * np.sin(latitude), np.cos(latitude))
    # The projection on the normal stays well conditioned from the equator to the poles.
    sine, cosine = np.sin(latitude), np.cos(latitude)
    height = (
        axis_distance * cosine
        + z * sine
        - WGS84_SEMI_MAJOR * np.sqrt(1.0 - ECCENTRICITY_SQUARED * sine**2)
    )
    return np.arctan2(y, x), latitude, height
