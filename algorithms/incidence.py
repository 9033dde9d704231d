"""Incidence angles of a map block: on the ellipsoid and on the terrain."""

import math
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.compiled import compiled
from algorithms.geodesy import geodetic_to_ecef
from algorithms.radar_geometry import RadarGeometry
from algorithms.terrain import LEAST_PIXELS, look_vectors, map_distortion

Float32 = NDArray[np.float32]

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
    longitude, latitude = Transformer.from_crs(epsg, 4326, always_xy=True).transform(
        easting, northing
    )
    level = np.full(longitude.shape, np.nanmean(height) if np.isfinite(height).any() else 0.0)
    position = (np.radians(longitude), np.radians(latitude), level)
    antenna = geometry.antenna_position(geometry.locate(*position).azimuth_time)
    look = look_vectors(geodetic_to_ecef(*position), antenna)
    distortion = map_distortion(epsg, easting.mean(), northing.mean())
    rate = float(distortion.scale) / transform.a
    angles = IncidenceAngles(np.empty_like(height), np.empty_like(height))
    _fill_angles(
        height,
        np.ascontiguousarray(look, np.float64),
        rate * math.cos(distortion.convergence),
        rate * math.sin(distortion.convergence),
        angles.ellipsoid,
        angles.terrain,
    )
    return angles


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
    height: Float32,
    look: NDArray[np.float64],
    cosine: float,
    sine: float,
    ellipsoid: Float32,
    terrain: Float32,
) -> None:
    """Fill both angles; `cosine` and `sine` of the convergence turn and scale differences."""
    rows, columns = height.shape
    start, change = np.empty(3), np.empty(3)
    for i in range(rows):
        k, v = i // STEP, (i % STEP) / STEP
        middle_row = min(max(i, 1), rows - 2)
        for j in range(columns):
            m, u = j // STEP, j % STEP
            if u == 0:
                for axis in range(3):
                    left = look[k, m, axis]
                    left += v * (look[k + 1, m, axis] - left)
                    right = look[k, m + 1, axis]
                    right += v * (look[k + 1, m + 1, axis] - right)
                    start[axis], change[axis] = left, (right - left) / STEP
            east = start[0] + u * change[0]
            north = start[1] + u * change[1]
            up = start[2] + u * change[2]
            length = math.sqrt(east * east + north * north + up * up)
            middle = min(max(j, 1), columns - 2)
            eastward = _slope(
                height[i, middle - 1], height[i, middle], height[i, middle + 1], j, columns - 1
            )
            northward = -_slope(
                height[middle_row - 1, j],
                height[middle_row, j],
                height[middle_row + 1, j],
                i,
                rows - 1,
            )
            to_east = eastward * cosine + northward * sine
            to_north = northward * cosine - eastward * sine
            facing = up - to_east * east - to_north * north
            facing /= length * math.sqrt(1.0 + to_east * to_east + to_north * to_north)
            # Nothing is added to a number; what is not known stays so.
            unknown = 0.0 * height[i, j]
            ellipsoid[i, j] = math.acos(min(up / length, 1.0)) + unknown
            terrain[i, j] = math.acos(min(max(facing, -1.0), 1.0)) + unknown + 0.0 * facing
