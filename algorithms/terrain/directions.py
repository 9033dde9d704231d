"""Directions on the ground: the axes of a map, and the way to the antenna.

Directions are local: east, north, up at the pixel. A map's grid north leans from true north by the
meridian convergence, and its metres are `scale` times those on the ground.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer

from algorithms.geodesy import ecef_to_geodetic
from algorithms.radar.grd import Float64

Float32 = NDArray[np.float32]


class MapDistortion(NamedTuple):
    """How a conformal map is turned and stretched at some points.

    `convergence` is the angle, radians, from true north to grid north, positive where grid north
    lies east of it; `scale` the length on the map over the length on the ellipsoid.
    """

    convergence: Float64
    scale: Float64


def map_distortion(epsg: int, easting: Float64, northing: Float64) -> MapDistortion:
    """Compute convergence and scale of a conformal projection such as UTM.

    Parameters
    ----------
    epsg
        The projection.
    easting, northing
        Metres, shapes that broadcast. Both change slowly: a few points a tile are enough.
    """
    crs = CRS.from_epsg(epsg)
    easting, northing = np.broadcast_arrays(easting, northing)
    to_geodetic = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    longitude, latitude = to_geodetic.transform(easting, northing)
    factors = Proj(crs).get_factors(longitude, latitude)
    return MapDistortion(
        np.radians(np.asarray(factors.meridian_convergence, np.float64)),
        np.asarray(factors.meridional_scale, np.float64),
    )


def local_axes(longitude: Float64, latitude: Float64) -> tuple[Float64, Float64, Float64]:
    """Return the unit vectors east, north and up (ECEF, shape (..., 3)) at points in radians."""
    sin_lon, cos_lon = np.sin(longitude), np.cos(longitude)
    sin_lat, cos_lat = np.sin(latitude), np.cos(latitude)
    east = np.stack([-sin_lon, cos_lon, np.zeros_like(sin_lon)], axis=-1)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    return east, north, up


def look_vectors(ground: Float64, antenna: Float64) -> Float32:
    """Compute the directions from ground points to the antenna.

    Parameters
    ----------
    ground
        ECEF positions, metres, shape (..., 3).
    antenna
        ECEF positions at zero Doppler of each point, same shape.

    Returns
    -------
    Unit vectors east, north, up at the point (ellipsoidal normal), float32, shape (..., 3).
    """
    longitude, latitude, _ = ecef_to_geodetic(ground)
    axes = np.stack(local_axes(longitude, latitude), axis=-2)
    direction = antenna - ground
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    look: Float32 = np.einsum("...ij,...j->...i", axes, direction).astype(np.float32)
    return look
