"""Terrain as the radar sees it: one profile of the ground along range for every image line.

The antenna looks at right angles to its path, so that everything that shares an image line lies in
one plane: the zero-Doppler plane. In it, terrain is a curve, and layover, shadow and the area that
faces the radar (`radar.shadow`, `flattening`) are questions about that curve alone. The
columns of a profile are spaced evenly in *reference range*, the slant range that the column would
have at the window's reference height: about `GROUND_STEP` metres on the ground.

The image geometry comes in through the three methods of `ImagingGeometry`; `imaging` has
them for Sentinel-1 GRD images. No image is read here.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.radar.grd import Float64
from algorithms.radar.ortho import Window
from algorithms.terrain.nodes import (
    ImagingGeometry,
    ProfileNodes,
    SampleTable,
    Terrain,
    solve_nodes,
)

Float32 = NDArray[np.float32]
CubicWeights = tuple[np.float32, np.float32, np.float32, np.float32]

GROUND_STEP = 10.0  # m between the columns of a profile: three to a cell of a 1" DEM
LINE_STEP = 15.0  # m between profiles on the path of the antenna, 10 % longer than on the ground
NODE_RANGE = 250.0  # m of slant range between exact nodes: 1 cm of curvature on the ground
NODE_LINES = 32  # lines between exact nodes


@dataclass(frozen=True)
class TerrainProfiles:
    """Profiles of the terrain under a window of a radar image.

    Parameters
    ----------
    window
        The window that the profiles serve; they reach further on both sides in range.
    profiles_per_line
        Profiles for each image line, evenly spaced within it.
    reference_height
        Metres above the ellipsoid.
    first_range, range_step
        Reference range of the first column and between columns, metres.
    slant_range
        Metres, float64, shape (profile, column); NaN where the height is unknown.
    look_tangent
        Tangent of the angle at the antenna, in the zero-Doppler plane, between the ray to the
        ground and the direction to the Earth's centre; same shape, NaN alike.
    sample_table
        Sample by slant range, of every line of the window.
    nodes
        The exact geometry that the columns were interpolated from.
    """

    window: Window
    profiles_per_line: int
    reference_height: float
    first_range: float
    range_step: float
    slant_range: Float64
    look_tangent: Float64
    sample_table: SampleTable
    nodes: ProfileNodes


def dem_margin(height_range: float, incidence_angle: float) -> float:
    """Return how much terrain, metres on the ground, matters outside a map block.

    Terrain that is `height_range` higher is displaced towards the radar by `height_range` / tan of
    the incidence angle, and shades the ground over `height_range` * tan of it; both add up on the
    side of the radar.

    Parameters
    ----------
    height_range
        Highest minus lowest height around the block, metres.
    incidence_angle
        Radians, at the ellipsoid.
    """
    tangent = float(np.tan(incidence_angle))
    return height_range * (tangent + 1.0 / tangent)


def trace_profiles(
    geometry: ImagingGeometry, window: Window, terrain: Terrain
) -> TerrainProfiles | None:
    """Trace the terrain profiles that decide what a window of an image shows.

    Heights are interpolated with cubic convolution, which keeps the slopes continuous. Memory and
    time are proportional to the window: about 16 bytes and 30 ns for each line and column.

    Parameters
    ----------
    geometry
        The image's geometry.
    window
        Lines and samples wanted.
    terrain
        Heights under the window and `dem_margin` around it; beyond its edges heights are unknown.

    Returns
    -------
    The profiles, or None when no height is known under the window.
    """
    extent = _extent(geometry, window, terrain, terrain.height_range)
    if extent is not None:
        # The heights of the whole grid bound those near the window, which are what matters.
        extent = _extent(geometry, window, terrain, extent.heights_within)
    if extent is None:
        return None
    per_line = _profiles_per_line(geometry, window, extent)
    per_node = max(1, round(NODE_RANGE / extent.range_step))
    nodes = _window_nodes(geometry, window, terrain, extent, per_node)
    profiles = (window.last_line - window.first_line) * per_line
    line = window.first_line - 0.5 + (np.arange(profiles) + 0.5) / per_line
    shape = (profiles, (nodes.reference_range.size - 1) * per_node)
    slant_range, look_tangent = np.empty(shape), np.empty(shape)
    _trace(
        nodes.stack,
        (line - nodes.line[0]) / (nodes.line[1] - nodes.line[0]),
        per_node,
        extent.reference_height,
        np.ascontiguousarray(terrain.heights),
        slant_range,
        look_tangent,
    )
    return TerrainProfiles(
        window,
        per_line,
        extent.reference_height,
        extent.first_range,
        extent.range_step,
        slant_range,
        look_tangent,
        geometry.sample_table(window, *extent.image_ranges),
        nodes,
    )


class _Extent(NamedTuple):
    """The columns that a window needs; ranges in metres."""

    reference_height: float
    first_range: float
    last_range: float
    range_step: float
    image_ranges: tuple[float, float]
    heights_within: tuple[float, float] | None


def _window_nodes(
    geometry: ImagingGeometry, window: Window, terrain: Terrain, extent: _Extent, per_node: int
) -> ProfileNodes:
    """Solve the geometry at evenly spaced lines and ranges around a window and its extent."""
    first, last = window.first_line - 1.0, window.last_line + 0.0
    line = np.linspace(first, last, max(2, ceil((last - first) / NODE_LINES) + 1))
    step = per_node * extent.range_step
    intervals = ceil((extent.last_range - extent.first_range) / step)
    reference_range = extent.first_range + step * np.arange(intervals + 1, dtype=np.float64)
    return solve_nodes(geometry, terrain, line, reference_range, extent.reference_height)


def _profiles_per_line(geometry: ImagingGeometry, window: Window, extent: _Extent) -> int:
    """Return how many profiles a line needs, one every 15 m or so of the antenna's path."""
    lines = np.array([window.first_line, window.first_line + 1.0])
    position, _ = geometry.antenna_state(lines, np.full(2, extent.image_ranges[0]))
    return max(1, round(float(np.linalg.norm(position[1] - position[0])) / LINE_STEP))


def _extent(
    geometry: ImagingGeometry,
    window: Window,
    terrain: Terrain,
    heights: tuple[float, float] | None,
) -> _Extent | None:
    """Return the columns needed when the terrain lies between two heights."""
    if heights is None:
        return None
    span = heights[1] - heights[0]
    reference_height = 0.5 * (heights[0] + heights[1])
    lines = np.array([window.first_line, window.last_line - 1], np.float64)
    near, far = geometry.slant_limits(window)
    corners = solve_nodes(geometry, terrain, lines, np.array([near, far]), reference_height)
    # A metre of height brings a point nearer by the cosine of the incidence angle.
    cosine = corners.descent
    sine = np.sqrt(1.0 - cosine**2)
    displaced = 0.5 * span * float(cosine.max())
    shade = span * float((sine**2 / cosine).max())
    step = GROUND_STEP * float(sine.min())
    first = near - displaced - shade - 2.0 * step
    last = far + displaced + 2.0 * step
    reached = solve_nodes(geometry, terrain, lines, np.array([first, last]), reference_height)
    within = terrain.height_range_within(reached.column, reached.row)
    return _Extent(reference_height, first, last, step, (near, far), within)


@compiled
def _cubic_height(heights: Float32, column: float, row: float) -> float:
    """Interpolate a height by cubic convolution (Keys 1981, a = -1/2).

    NaN where one of the sixteen neighbours lies outside the grid or is not known.
    """
    if not (1.0 <= column < heights.shape[1] - 2.0 and 1.0 <= row < heights.shape[0] - 2.0):
        return np.nan
    left, top = int(column), int(row)
    weights = _cubic_weights(np.float32(column - left))
    down = _cubic_weights(np.float32(row - top))
    return float(
        down[0] * _weighted_row(heights, np.uint64(top - 1), np.uint64(left), weights)
        + down[1] * _weighted_row(heights, np.uint64(top), np.uint64(left), weights)
        + down[2] * _weighted_row(heights, np.uint64(top + 1), np.uint64(left), weights)
        + down[3] * _weighted_row(heights, np.uint64(top + 2), np.uint64(left), weights)
    )


@compiled
def _weighted_row(
    heights: Float32, row: np.uint64, column: np.uint64, weights: CubicWeights
) -> np.float32:
    """Return the weighted sum of four heights around a column; unsigned to spare index checks."""
    one = np.uint64(1)
    two = np.uint64(2)
    total: np.float32 = (
        weights[0] * heights[row, column - one]
        + weights[1] * heights[row, column]
        + weights[2] * heights[row, column + one]
        + weights[3] * heights[row, column + two]
    )
    return total


@compiled
def _cubic_weights(x: np.float32) -> CubicWeights:
    """Return the weights of the four neighbours at a fraction x of a cell, in float32."""
    square = x * x
    cube = square * x
    first = square - np.float32(0.5) * (cube + x)
    last = np.float32(0.5) * (cube - square)
    second = np.float32(1.5) * cube - np.float32(2.5) * square + np.float32(1.0)
    return first, second, np.float32(1.0) - first - second - last, last


@compiled
def _trace(
    nodes: Float64,
    node_rows: Float64,
    per_node: int,
    reference_height: float,
    heights: Float32,
    slant_range: Float64,
    look_tangent: Float64,
) -> None:
    """Fill the profiles: heights along each line, then range and look angle in its plane."""
    columns = slant_range.shape[1]
    start, change = np.empty(8), np.empty(8)
    # Heights above the reference on the profile before this one: near enough to know where on the
    # map a column of the zero-Doppler plane meets the ground. The first profile runs twice.
    rise = np.zeros(columns)
    for turn in range(-1, node_rows.size):
        profile = max(turn, 0)
        k = min(int(node_rows[profile]), nodes.shape[0] - 2)
        t = node_rows[profile] - k
        for node in range(nodes.shape[2] - 1):
            for i in range(8):
                start[i] = (1.0 - t) * nodes[k, i, node] + t * nodes[k + 1, i, node]
                end = (1.0 - t) * nodes[k, i, node + 1] + t * nodes[k + 1, i, node + 1]
                change[i] = (end - start[i]) / per_node
            first = node * per_node
            for column in range(first, first + per_node):
                step = column - first
                above = rise[column]
                x = start[0] + step * change[0] + above * (start[2] + step * change[2])
                y = start[1] + step * change[1] + above * (start[3] + step * change[3])
                above = _cubic_height(heights, x, y) - reference_height
                down = start[4] + step * change[4] + above * (start[6] + step * change[6])
                right = start[5] + step * change[5] + above * (start[7] + step * change[7])
                slant_range[profile, column] = np.sqrt(down * down + right * right)
                look_tangent[profile, column] = right / down
                rise[column] = 0.0 if np.isnan(above) else above
