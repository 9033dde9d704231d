"""The kernels of the orthorectification: nodes of a tile, and positions of a block's pixels."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.geodesy import ecef_of_point
from algorithms.radar_model import ImageArrays, OrbitArrays, pixel_of, zero_doppler

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
def height_at(longitude: float, latitude: float, grid: HeightGrid) -> float:
    """Return the height by bilinear interpolation, NaN outside the grid."""
    x = (longitude - grid.longitude) * grid.cells_a_longitude
    y = (latitude - grid.latitude) * grid.cells_a_latitude
    rows, columns = grid.height.shape
    if not (x >= 0.0 and y >= 0.0 and x < columns - 1 and y < rows - 1):
        return math.nan
    j, i = int(x), int(y)
    u, v = x - j, y - i
    upper: float = grid.height[i, j] + u * (grid.height[i, j + 1] - grid.height[i, j])
    lower: float = grid.height[i + 1, j] + u * (grid.height[i + 1, j + 1] - grid.height[i + 1, j])
    return upper + v * (lower - upper)


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
    low_line = low_sample = math.inf
    high_line = high_sample = -math.inf
    start, slope = np.empty(8), np.empty(8)
    for i in range(line.shape[0]):
        j = 0
        while j < line.shape[1]:
            end = min(_segment(grid, i, j, start, slope), line.shape[1])
            for n in range(j, end):
                step = n - j
                h = height_at(start[6] + step * slope[6], start[7] + step * slope[7], heights)
                z = (h - grid.middle_height) / grid.half_height
                row = (
                    start[0]
                    + step * slope[0]
                    + z * (start[1] + step * slope[1] + z * (start[2] + step * slope[2]))
                )
                slant_range = (
                    start[3]
                    + step * slope[3]
                    + z * (start[4] + step * slope[4] + z * (start[5] + step * slope[5]))
                )
                y, x = pixel_of(row, slant_range, image)
                y -= origin[0]
                x -= origin[1]
                line[i, n], sample[i, n], height[i, n] = y, x, h
                # NaN compares false and changes nothing.
                low_line = y if y < low_line else low_line
                high_line = y if y > high_line else high_line
                low_sample = x if x < low_sample else low_sample
                high_sample = x if x > high_sample else high_sample
            j = end
    return low_line, high_line, low_sample, high_sample


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
