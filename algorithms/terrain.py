"""Surface normals, slope, aspect and local incidence angle of terrain on a map grid.

Directions are local: east, north, up at the pixel. A map's grid north leans from true north by the
meridian convergence, and its metres are `scale` times those on the ground.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Proj, Transformer

from algorithms.geodesy import ecef_to_geodetic
from algorithms.grd import Float64

Float32 = NDArray[np.float32]

LEAST_PIXELS = 3  # a side, for differences of the second order at the rim


class MapDistortion(NamedTuple):
    """How a conformal map is turned and stretched at some points.

    `convergence` is the angle, radians, from true north to grid north, positive where grid north
    lies east of it; `scale` the length on the map over the length on the ellipsoid.
    """

    convergence: Float64
    scale: Float64


class SlopeAspect(NamedTuple):
    """Steepness of a surface and the direction it faces, radians.

    `slope` is 0 on level ground; `aspect` is the true azimuth downhill, clockwise from north,
    in [0, 2 pi).
    """

    slope: Float32
    aspect: Float32


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


def surface_normals(
    height: Float32,
    spacing: float,
    *,
    convergence: Float64 | float = 0.0,
    scale: Float64 | float = 1.0,
) -> Float32:
    """Compute the upward unit normals of a height grid.

    Parameters
    ----------
    height
        Metres, shape (row, column), rows from north to south; NaN where unknown.
    spacing
        Metres on the map between pixels.
    convergence, scale
        Of the map, see `MapDistortion`; numbers or arrays of the grid's shape.

    Returns
    -------
    East, north and up components, float32, shape (row, column, 3); NaN where a neighbour that the
    difference needs is unknown. Differences are of the second order, at the rim too.
    """
    if min(height.shape) < LEAST_PIXELS:
        raise ValueError(f"height has shape {height.shape}, at least 3 by 3 is needed")
    # Metres of the ground are metres of the map over the scale.
    southward, grid_east = np.gradient(height.astype(np.float64), spacing, edge_order=2)
    grid_east, grid_north = grid_east * scale, -southward * scale
    cosine, sine = np.cos(convergence), np.sin(convergence)
    # Grid north has the true azimuth `convergence`, grid east a quarter turn more.
    east = grid_east * cosine + grid_north * sine
    north = grid_north * cosine - grid_east * sine
    length = np.sqrt(1.0 + east**2 + north**2)
    return np.stack([-east / length, -north / length, 1.0 / length], axis=-1).astype(np.float32)


def slope_aspect(normals: Float32) -> SlopeAspect:
    """Compute slope and aspect from unit normals of shape (..., 3)."""
    east, north, up = normals[..., 0], normals[..., 1], normals[..., 2]
    slope = np.arctan2(np.hypot(east, north), up)
    return SlopeAspect(slope, np.mod(np.arctan2(east, north), np.float32(2.0 * np.pi)))


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


def local_incidence_angle(normals: Float32, look: Float32) -> Float32:
    """Compute the angle between the surface normal and the direction to the antenna.

    Parameters
    ----------
    normals, look
        Unit vectors in the same axes, shapes (..., 3) that broadcast.

    Returns
    -------
    Radians, float32, in [0, pi]; above pi / 2 the surface faces away.
    """
    cosine = np.einsum("...i,...i->...", normals, look)
    angle: Float32 = np.arccos(np.clip(cosine, -1.0, 1.0))
    return angle
