"""Exact image geometry under a window of a radar image, at nodes a few hundred metres apart.

A node belongs to an image line and to a slant range at a reference height. Around it, the
zero-Doppler plane has two axes: down to the Earth's centre, and right of the path.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray

from algorithms.constants import WGS84_FLATTENING, WGS84_SEMI_MAJOR
from algorithms.geodesy import ECCENTRICITY_SQUARED, SEMI_MINOR, ecef_to_geodetic
from algorithms.radar.grd import Float64
from algorithms.radar.ortho import Window
from algorithms.terrain.directions import local_axes


class SampleTable(NamedTuple):
    """Samples of some image lines on a uniform grid of slant range; linear in between.

    `first_range` and `range_step` are in metres, `samples` has shape (line, slant range) and grows
    with slant range.
    """

    first_range: float
    range_step: float
    samples: Float64


class ImagingGeometry(Protocol):
    """What profiles ask of the geometry of an image."""

    def antenna_state(self, line: Float64, slant_range: Float64) -> tuple[Float64, Float64]:
        """Return ECEF position (m) and velocity (m/s), shape (..., 3), at zero Doppler.

        Line and slant range (m) are arrays that broadcast.
        """

    def slant_limits(self, window: Window) -> tuple[float, float]:
        """Return slant ranges (m) that no sample of a window lies outside of."""

    def sample_table(self, window: Window, near: float, far: float) -> SampleTable:
        """Return the samples of every line of a window from `near` to `far`, at least."""


@dataclass(frozen=True)
class Terrain:
    """A height grid in longitude and latitude.

    Parameters
    ----------
    heights
        Metres above the ellipsoid, float32, shape (row, column); NaN where unknown.
    transform
        Degrees, to pixel corners. Longitudes may run past 180 degrees.
    """

    heights: NDArray[np.float32]
    transform: Affine

    @cached_property
    def height_range(self) -> tuple[float, float] | None:
        """Return the lowest and highest height, None when every height is unknown."""
        return _height_range(self.heights)

    def height_range_within(self, column: Float64, row: Float64) -> tuple[float, float] | None:
        """Return the lowest and highest height in the box around some pixel positions."""
        rows, columns = self.heights.shape
        top, bottom = max(int(row.min()) - 2, 0), min(int(row.max()) + 4, rows)
        left, right = max(int(column.min()) - 2, 0), min(int(column.max()) + 4, columns)
        if top >= bottom or left >= right:
            return None
        return _height_range(self.heights[top:bottom, left:right])

    def position(self, longitude: Float64, latitude: Float64) -> tuple[Float64, Float64]:
        """Return (column, row) of points in radians; integers are pixel centres."""
        centre = (self.transform @ (self.heights.shape[1] / 2.0, 0.0))[0]
        degrees = np.degrees(longitude)
        degrees = degrees - 360.0 * np.round((degrees - centre) / 360.0)
        column, row = ~self.transform @ (degrees, np.degrees(latitude))
        return column - 0.5, row - 0.5


@dataclass(frozen=True)
class ProfileNodes:
    """Exact geometry at some lines and reference ranges; linear in between.

    Parameters
    ----------
    line, reference_range
        Positions of the nodes, both evenly spaced, shapes (n,) and (m,).
    column, row
        Pixel position in the height grid at the reference height, shape (n, m).
    column_rate, row_rate
        Their change for each metre of height: the ellipsoid's normal leans out of the zero-Doppler
        plane by up to 0.2 degrees.
    down, right
        Coordinates in the zero-Doppler plane, metres from the antenna, towards the Earth's centre
        and to the right of the path.
    down_rate, right_rate
        Their change for each metre of height.
    """

    line: Float64
    reference_range: Float64
    column: Float64
    row: Float64
    column_rate: Float64
    row_rate: Float64
    down: Float64
    right: Float64
    down_rate: Float64
    right_rate: Float64

    @cached_property
    def descent(self) -> Float64:
        """Return by how much a metre of height shortens the range: cosine of the incidence."""
        product = self.down * self.down_rate + self.right * self.right_rate
        return -product / np.hypot(self.down, self.right)

    @cached_property
    def stack(self) -> Float64:
        """Return the eight fields as one array, shape (n, 8, m), as the kernels read them."""
        fields = (self.column, self.row, self.column_rate, self.row_rate)
        plane = (self.down, self.right, self.down_rate, self.right_rate)
        return np.ascontiguousarray(np.stack(fields + plane, axis=1))


def solve_nodes(
    geometry: ImagingGeometry,
    terrain: Terrain,
    lines: Float64,
    ranges: Float64,
    height: float,
) -> ProfileNodes:
    """Solve the geometry exactly at every pair of a line and a range."""
    position, velocity = geometry.antenna_state(lines[:, np.newaxis], ranges[np.newaxis, :])
    along = velocity / np.linalg.norm(velocity, axis=-1, keepdims=True)
    down = _dot(position, along)[..., np.newaxis] * along - position
    down /= np.linalg.norm(down, axis=-1, keepdims=True)
    right = np.cross(down, along)
    ground = ground_point(position, down, right, ranges, height)
    longitude, latitude, _ = ecef_to_geodetic(ground)
    east, north, normal = local_axes(longitude, latitude)
    # The direction in the zero-Doppler plane that gains one metre of height a metre.
    lean = _dot(normal, along)
    rise = (normal - lean[..., np.newaxis] * along) / (1.0 - lean**2)[..., np.newaxis]
    prime, meridian = _curvature_radii(latitude)
    column, row = terrain.position(longitude, latitude)
    moved_column, moved_row = terrain.position(
        longitude + _dot(rise, east) / ((prime + height) * np.cos(latitude)),
        latitude + _dot(rise, north) / (meridian + height),
    )
    relative = ground - position
    return ProfileNodes(
        line=lines,
        reference_range=ranges,
        column=column,
        row=row,
        column_rate=moved_column - column,
        row_rate=moved_row - row,
        down=_dot(relative, down),
        right=_dot(relative, right),
        down_rate=_dot(rise, down),
        right_rate=_dot(rise, right),
    )


def ground_point(
    position: Float64, down: Float64, right: Float64, ranges: Float64, height: ArrayLike
) -> Float64:
    """Return where ranges meet the ellipsoid raised by `height`, right of the path, by Newton.

    The raised ellipsoid has both axes longer by `height`; it is parallel to the true one within
    f**2 * height, 5 cm at the top of Everest.
    """
    height = np.asarray(height, np.float64)
    flattened = (WGS84_SEMI_MAJOR + height) / (SEMI_MINOR + height)
    scale = np.stack(np.broadcast_arrays(1.0, 1.0, flattened), axis=-1)
    radius_squared = (WGS84_SEMI_MAJOR + height) ** 2
    distance = np.linalg.norm(position, axis=-1)
    local = WGS84_SEMI_MAJOR * (1.0 - WGS84_FLATTENING / 2.0) + height
    cosine = (distance**2 + ranges**2 - local**2) / (2.0 * distance * ranges)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    for _ in range(6):
        sine, cosine = np.sin(angle)[..., np.newaxis], np.cos(angle)[..., np.newaxis]
        ray = np.asarray(ranges)[..., np.newaxis] * (cosine * down + sine * right) * scale
        turn = np.asarray(ranges)[..., np.newaxis] * (cosine * right - sine * down) * scale
        point = position * scale + ray
        excess = _dot(point, point) - radius_squared
        angle = angle - excess / (2.0 * _dot(point, turn))
    sine, cosine = np.sin(angle)[..., np.newaxis], np.cos(angle)[..., np.newaxis]
    result: Float64 = position + np.asarray(ranges)[..., np.newaxis] * (
        cosine * down + sine * right
    )
    return result


def _dot(first: Float64, second: Float64) -> Float64:
    """Return the scalar product over the last axis."""
    product: Float64 = np.einsum("...i,...i->...", first, second)
    return product


def _curvature_radii(latitude: Float64) -> tuple[Float64, Float64]:
    """Return the radii of curvature in the prime vertical and in the meridian, metres."""
    root = np.sqrt(1.0 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2)
    prime: Float64 = WGS84_SEMI_MAJOR / root
    meridian: Float64 = prime * (1.0 - ECCENTRICITY_SQUARED) / root**2
    return prime, meridian


def _height_range(heights: NDArray[np.float32]) -> tuple[float, float] | None:
    """Return the extremes of the known heights."""
    lowest, highest = np.fmin.reduce(heights, axis=None), np.fmax.reduce(heights, axis=None)
    return None if np.isnan(lowest) else (float(lowest), float(highest))
