"""Incidence angles of a map block: on the ellipsoid and on the terrain."""

import math
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.compiled import compiled
from algorithms.geodesy import geodetic_to_ecef
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.grd import Float64
from algorithms.terrain.directions import look_vectors, map_distortion

Float32 = NDArray[np.float32]

LEAST_PIXELS = 3  # a side, for differences of the second order at the rim
# Pixels between the points where the look direction is exact: over 1 km it turns by 1e-3 rad,
# linearly to 1e-6.
STEP = 64


class IncidenceAngles(NamedTuple):
    """Radians, float32, NaN where the height is unknown.

    `ellipsoid` is measured from the normal of the ellipsoid, `terrain` from that of the surface:
    above pi / 2 the surface faces away from the radar.
    """

    ellipsoid: Float32
    terrain: Float32


def incidence_angles(
    geometry: RadarGeometry, height: Float32, *, epsg: int, transform: Affine
) -> IncidenceAngles:
    """Compute the incidence angles of every pixel of a block.

    Slopes at the rim are one-sided: a block that is one of many is given with a pixel more on each
    side, which is cut off after.

    Parameters
    ----------
    geometry
        Of the image.
    height
        Metres above the ellipsoid, shape (row, column), north up, at least 3 by 3.
    epsg, transform
        The map projection, and the block's own pixels to easting and northing of their corner.
    """
    if min(height.shape) < LEAST_PIXELS:
        raise ValueError(f"height has shape {height.shape}, at least 3 by 3 is needed")
    row, column = (np.arange(0, size + STEP, STEP, dtype=np.float64) for size in height.shape)
    columns, rows = np.meshgrid(column, row)
    easting = transform.c + transform.a * (columns + 0.5)
    northing = transform.f + transform.e * (rows + 0.5)
    distortion = map_distortion(epsg, easting, northing)
    look = _map_looks(geometry, epsg, easting, northing, distortion.convergence, _extent(height))
    angles = IncidenceAngles(np.empty_like(height), np.empty_like(height))
    rate = float(np.mean(distortion.scale)) / transform.a
    _fill_angles(height, look, rate, angles.ellipsoid, angles.terrain)
    return angles


def _extent(height: Float32) -> tuple[float, float]:
    """Return the least height and the range of heights, at least 100 m, of a block."""
    known = height[np.isfinite(height)]
    if known.size == 0:
        return 0.0, 100.0
    return float(known.min()), max(float(np.ptp(known)), 100.0)


def _map_looks(
    geometry: RadarGeometry,
    epsg: int,
    easting: Float64,
    northing: Float64,
    convergence: Float64,
    extent: tuple[float, float],
) -> Float64:
    """Return the look directions at points as linear functions of the height.

    Shape (..., 6): components along grid east, grid north and up at height 0, and their change a
    metre. Over 3 km of relief they bend by 1e-5.
    """
    longitude, latitude = Transformer.from_crs(epsg, 4326, always_xy=True).transform(
        easting, northing
    )
    low, reach = extent
    looks = []
    for level in (low, low + reach):
        place = np.radians(longitude), np.radians(latitude), np.full(longitude.shape, level)
        antenna = geometry.antenna_position(geometry.locate(*place).azimuth_time)
        look = look_vectors(geodetic_to_ecef(*place), antenna).astype(np.float64)
        east, north, up = np.moveaxis(look, -1, 0)
        # Grid north has the true azimuth `convergence`, grid east a quarter turn more.
        cosine, sine = np.cos(convergence), np.sin(convergence)
        looks.append(np.stack([east * cosine - north * sine, east * sine + north * cosine, up], -1))
    change = (looks[1] - looks[0]) / reach
    return np.concatenate([looks[0] - low * change, change], axis=-1)


@compiled
def _slope(before: float, here: float, after: float, place: int, last: int) -> float:
    """Return the difference a pixel at the first, a middle or the last of three in a row."""
    if place == 0:
        return 2.0 * here - 1.5 * before - 0.5 * after
    if place == last:
        return 1.5 * after - 2.0 * here + 0.5 * before
    return 0.5 * (after - before)


@compiled
def _fill_angles(
    height: Float32, look: Float64, rate: float, ellipsoid: Float32, terrain: Float32
) -> None:
    """Fill both angles; `rate` makes slopes of differences a pixel."""
    rows, columns = height.shape
    start, change = np.empty(6), np.empty(6)
    for i in range(rows):
        k, v = i // STEP, (i % STEP) / STEP
        row = min(max(i, 1), rows - 2)
        for j in range(columns):
            m, u = j // STEP, j % STEP
            if u == 0:
                for axis in range(6):
                    left = look[k, m, axis]
                    left += v * (look[k + 1, m, axis] - left)
                    right = look[k, m + 1, axis]
                    right += v * (look[k + 1, m + 1, axis] - right)
                    start[axis], change[axis] = left, (right - left) / STEP
            here = float(height[i, j])
            east = start[0] + u * change[0] + here * (start[3] + u * change[3])
            north = start[1] + u * change[1] + here * (start[4] + u * change[4])
            up = start[2] + u * change[2] + here * (start[5] + u * change[5])
            length = math.sqrt(east * east + north * north + up * up)
            column = min(max(j, 1), columns - 2)
            left, middle, right = height[i, column - 1], height[i, column], height[i, column + 1]
            eastward = rate * _slope(left, middle, right, j, columns - 1)
            above, middle, below = height[row - 1, j], height[row, j], height[row + 1, j]
            northward = -rate * _slope(above, middle, below, i, rows - 1)
            facing = up - eastward * east - northward * north
            facing /= length * math.sqrt(1.0 + eastward * eastward + northward * northward)
            # Nothing is added to a number; what is not known stays so.
            unknown = 0.0 * here
            ellipsoid[i, j] = math.acos(min(up / length, 1.0)) + unknown
            terrain[i, j] = math.acos(min(max(facing, -1.0), 1.0)) + unknown + 0.0 * facing
