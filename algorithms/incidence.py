"""Incidence angles of a map block: on the ellipsoid and on the terrain."""

from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import map_coordinates

from algorithms.geodesy import geodetic_to_ecef
from algorithms.radar_geometry import RadarGeometry
from algorithms.terrain import local_incidence_angle, look_vectors, map_distortion, surface_normals

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
        Metres above the ellipsoid, shape (row, column), north up.
    epsg, transform
        The map projection, and the block's own pixels to easting and northing of their corner.
    """
    row, column = (np.arange(0, size + STEP, STEP, dtype=np.float64) for size in height.shape)
    columns, rows = np.meshgrid(column, row)
    easting, northing = transform @ (columns + 0.5, rows + 0.5)
    longitude, latitude = Transformer.from_crs(epsg, 4326, always_xy=True).transform(
        easting, northing
    )
    level = np.full(longitude.shape, np.nanmean(height) if np.isfinite(height).any() else 0.0)
    position = (np.radians(longitude), np.radians(latitude), level)
    antenna = geometry.antenna_position(geometry.locate(*position).azimuth_time)
    look = look_vectors(geodetic_to_ecef(*position), antenna)
    look = _interpolated(look, height.shape)
    distortion = map_distortion(epsg, easting.mean(), northing.mean())
    normals = surface_normals(
        height,
        transform.a,
        convergence=float(distortion.convergence),
        scale=float(distortion.scale),
    )
    ellipsoid: Float32 = np.arccos(np.clip(look[..., 2], -1.0, 1.0))
    ellipsoid[np.isnan(height)] = np.nan
    return IncidenceAngles(ellipsoid, local_incidence_angle(normals, look))


def _interpolated(vectors: Float32, shape: tuple[int, int]) -> Float32:
    """Return vectors at every pixel, linear between points that are `STEP` apart, unit length."""
    place = np.indices(shape, dtype=np.float32) / STEP
    full = np.stack(
        [map_coordinates(vectors[..., k], place, order=1, mode="nearest") for k in range(3)],
        axis=-1,
    )
    length = np.sqrt(np.einsum("...i,...i->...", full, full))
    unit: Float32 = full / length[..., None]
    return unit
