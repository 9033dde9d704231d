"""The kernels of the orthorectification: nodes of a tile, and positions of a block's pixels."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.geodesy import ecef_of_point
from algorithms.radar_model import ImageArrays, OrbitArrays, fill_pixels, zero_doppler

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class BlockGrid(NamedTuple):
    """The nodes of a tile and where a block begins in it (`ortho.TileNodes.coefficients`)."""

    coefficients: Float64
    spacing: int
    middle_height: float
    half_height: float
    row: int
    column: int


class HeightGrid(NamedTuple):
    """Heights on a longitude-latitude grid: the first centre, and cells a degree."""

    height: Float32
    longitude: float
    cells_a_longitude: float
    latitude: float
    cells_a_latitude: float


@compiled
def fill_nodes(
    coefficients: Float64, middle: float, half: float, orbit: OrbitArrays, image: ImageArrays
) -> None:
    """Fill the parabolas of nodes whose longitude and latitude are set."""
    variable = 0.0
    for i in range(coefficients.shape[0]):
        for j in range(coefficients.shape[1]):
            node = coefficients[i, j]
            longitude, latitude = math.radians(node[6]), math.radians(node[7])
            for k in range(3):
                x, y, z = ecef_of_point(longitude, latitude, middle + (k - 1) * half)
                variable, slant_range = zero_doppler(x, y, z, variable, orbit)
                azimuth_time = orbit.centre + variable * orbit.half_span
                image_time = azimuth_time - slant_range * orbit.delay_per_metre
                node[k] = (image_time - image.time_origin) / image.line_interval
                node[3 + k] = slant_range
                if math.isnan(variable):
                    variable = 0.0
            for k in (0, 3):
                low, centre, high = node[k], node[k + 1], node[k + 2]
                node[k] = centre
                node[k + 1] = 0.5 * (high - low)
                node[k + 2] = 0.5 * (high + low) - centre


@compiled
def fill_positions(
    grid: BlockGrid,
    heights: HeightGrid,
    image: ImageArrays,
    origin: tuple[int, int],
    line: Float32,
    sample: Float32,
    height: Float32,
) -> tuple[float, float, float, float]:
    """Fill positions relative to `origin`; return least and largest line, least and largest sample.

    The extremes are relative too, and infinite where no pixel lies in the image.
    """
    extremes = np.array([math.inf, -math.inf, math.inf, -math.inf])
    start, slope = np.empty(8), np.empty(8)
    rows, slant_ranges = np.empty(line.shape[1]), np.empty(line.shape[1])
    for i in range(line.shape[0]):
        first = 0
        while first < line.shape[1]:
            end = min(_segment(grid, i, first, start, slope), line.shape[1])
            target = height[i, first:end]
            _fill_heights(start, slope, heights, target)
            _fill_ranges(
                start,
                slope,
                grid.middle_height,
                1.0 / grid.half_height,
                target,
                rows[first:end],
                slant_ranges[first:end],
            )
            first = end
        fill_pixels(rows, slant_ranges, image, origin, line[i], sample[i])
        _widen(line[i], sample[i], extremes)
    return extremes[0], extremes[1], extremes[2], extremes[3]


@compiled
def _segment(grid: BlockGrid, i: int, j: int, start: Float64, slope: Float64) -> int:
    """Interpolate the nodes along one row from column j; return the column of the next node."""
    spacing = grid.spacing
    above, left = (grid.row + i) // spacing, (grid.column + j) // spacing
    v = (grid.row + i - above * spacing) / spacing
    offset = grid.column + j - left * spacing
    for k in range(8):
        near, far = grid.coefficients[above, left, k], grid.coefficients[above, left + 1, k]
        near += v * (grid.coefficients[above + 1, left, k] - near)
        far += v * (grid.coefficients[above + 1, left + 1, k] - far)
        slope[k] = (far - near) / spacing
        start[k] = near + offset * slope[k]
    return j + spacing - offset


@compiled
def _fill_heights(start: Float64, slope: Float64, grid: HeightGrid, height: Float32) -> None:
    """Fill heights along a segment bilinearly, NaN outside the grid."""
    x0 = (start[6] - grid.longitude) * grid.cells_a_longitude
    y0 = (start[7] - grid.latitude) * grid.cells_a_latitude
    dx, dy = slope[6] * grid.cells_a_longitude, slope[7] * grid.cells_a_latitude
    values = grid.height
    rows, columns = values.shape
    x1, y1 = x0 + (height.size - 1) * dx, y0 + (height.size - 1) * dy
    # Positions are linear along the segment: where both ends lie inside, all do.
    if (
        min(x0, x1) < 0.0
        or min(y0, y1) < 0.0
        or not max(x0, x1) < columns - 1
        or not max(y0, y1) < rows - 1
    ):
        for n in range(height.size):
            x, y = x0 + n * dx, y0 + n * dy
            height[n] = math.nan
            if x >= 0.0 and y >= 0.0 and x < columns - 1 and y < rows - 1:
                height[n] = _bilinear_height(values, x, y)
        return
    for n in range(height.size):
        height[n] = _bilinear_height(values, x0 + n * dx, y0 + n * dy)


@compiled
def _bilinear_height(values: Float32, x: float, y: float) -> np.float32:
    """Interpolate between the four heights around a position inside the grid."""
    j, i = np.uint32(x), np.uint32(y)
    u, v = np.float32(x - j), np.float32(y - i)
    one = np.uint32(1)
    upper: np.float32 = values[i, j] + u * (values[i, j + one] - values[i, j])
    lower: np.float32 = values[i + one, j] + u * (values[i + one, j + one] - values[i + one, j])
    return upper + v * (lower - upper)


@compiled
def _fill_ranges(
    start: Float64,
    slope: Float64,
    middle: float,
    inverse_half: float,
    height: Float32,
    row: Float64,
    slant_range: Float64,
) -> None:
    """Fill rows of the image and slant ranges (m) along a segment, from the heights."""
    a, b, c, d, e, f = start[0], start[1], start[2], start[3], start[4], start[5]
    da, db, dc = slope[0], slope[1], slope[2]
    dd, de, df = slope[3], slope[4], slope[5]
    for n in range(height.size):
        z = (height[n] - middle) * inverse_half
        row[n] = a + n * da + z * (b + n * db + z * (c + n * dc))
        slant_range[n] = d + n * dd + z * (e + n * de + z * (f + n * df))


@compiled
def _widen(line: Float32, sample: Float32, extremes: Float64) -> None:
    """Widen extremes by the positions of one row; NaN compares false and changes nothing."""
    low_line, high_line = np.float32(extremes[0]), np.float32(extremes[1])
    low_sample, high_sample = np.float32(extremes[2]), np.float32(extremes[3])
    for n in range(line.size):
        y, x = line[n], sample[n]
        low_line = y if y < low_line else low_line
        high_line = y if y > high_line else high_line
        low_sample = x if x < low_sample else low_sample
        high_sample = x if x > high_sample else high_sample
    extremes[0], extremes[1], extremes[2], extremes[3] = (
        low_line,
        high_line,
        low_sample,
        high_sample,
    )
