"""The kernels of the orthorectification: nodes of a tile, and positions of a block's pixels."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.geodesy import ecef_of_point
from algorithms.radar.ground_range import SLANT_STEP
from algorithms.radar.model import ImageArrays, OrbitArrays, fill_pixels, zero_doppler

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


class SpanNumbers(NamedTuple):
    """What one span of the image (`model.ImageArrays`) needs to place a block's pixels.

    Lines and samples are relative to the block's origin, whose sample is `sample_origin`.
    """

    line_scale: float
    line_offset: float
    weight_scale: float
    weight_offset: float
    first_sample: float
    last_sample: float
    slant_origin: float
    sample_origin: int
    middle_height: float
    half_height: float


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
    segment = np.empty((2, 8))
    columns = image.sample.shape[1]
    # Arguments are passed by value: handing the whole image over for each segment would cost more
    # than the work.
    span, numbers = 0, _span_numbers(grid, image, 0, origin)
    for i in range(line.shape[0]):
        first = 0
        while first < line.shape[1]:
            end = min(_segment(grid, i, first, segment), line.shape[1])
            h = height[i, first:end]
            y = line[i, first:end]
            x = sample[i, first:end]
            _fill_heights(segment, heights, h)
            found, whole = _find_span(segment, h.size, image.begin, span)
            if found != span:
                span, numbers = found, _span_numbers(grid, image, found, origin)
            if whole and _clear_of_ends(segment, h.size, image.slant_origin, columns):
                record = image.record[span]
                before, after = image.sample[record], image.sample[record + 1]
                _fill_in_span(segment, numbers, before, after, h, y, x)
            else:
                _fill_anywhere(segment, grid, image, origin, h, y, x)
            first = end
        _widen(line[i], sample[i], extremes)
    return extremes[0], extremes[1], extremes[2], extremes[3]


@compiled
def _span_numbers(
    grid: BlockGrid, image: ImageArrays, span: int, origin: tuple[int, int]
) -> SpanNumbers:
    """Return what a span of the image needs to place the pixels of a block."""
    return SpanNumbers(
        image.line_scale[span],
        image.line_offset[span] - origin[0],
        image.weight_scale[span],
        image.weight_offset[span],
        image.first_sample[span] - origin[1],
        image.last_sample[span] - origin[1],
        image.slant_origin,
        origin[1],
        grid.middle_height,
        grid.half_height,
    )


@compiled
def _segment(grid: BlockGrid, i: int, j: int, segment: Float64) -> int:
    """Interpolate the nodes along one row from column j; return the column of the next node.

    `segment` takes the eight coefficients at column j and what they change by from pixel to pixel.
    """
    spacing = grid.spacing
    above, left = (grid.row + i) // spacing, (grid.column + j) // spacing
    v = (grid.row + i - above * spacing) / spacing
    offset = grid.column + j - left * spacing
    for k in range(8):
        near, far = grid.coefficients[above, left, k], grid.coefficients[above, left + 1, k]
        near += v * (grid.coefficients[above + 1, left, k] - near)
        far += v * (grid.coefficients[above + 1, left + 1, k] - far)
        segment[1, k] = (far - near) / spacing
        segment[0, k] = near + offset * segment[1, k]
    return j + spacing - offset


@compiled
def _fill_heights(segment: Float64, grid: HeightGrid, height: Float32) -> None:
    """Fill heights along a segment bilinearly, NaN outside the grid."""
    x0 = (segment[0, 6] - grid.longitude) * grid.cells_a_longitude
    y0 = (segment[0, 7] - grid.latitude) * grid.cells_a_latitude
    dx, dy = segment[1, 6] * grid.cells_a_longitude, segment[1, 7] * grid.cells_a_latitude
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
def _clear_of_ends(segment: Float64, size: int, slant_origin: float, columns: int) -> bool:
    """Return whether the slant ranges of a segment keep away from the ends of the sample table."""
    column = (segment[0, 3] - slant_origin) / SLANT_STEP
    reach = abs(segment[0, 4]) + abs(segment[0, 5]) + size * abs(segment[1, 3])
    margin = 2.0 + reach / SLANT_STEP
    return bool(column > margin and column < columns - 1 - margin)


@compiled
def _find_span(segment: Float64, size: int, begin: Float64, span: int) -> tuple[int, bool]:
    """Return the span of a segment, looked for from `span`, and whether it holds all of it."""
    first, last = segment[0, 0], segment[0, 0] + size * segment[1, 0]
    reach = 1.0 + abs(segment[0, 1]) + abs(segment[0, 2])
    low, high = min(first, last) - reach, max(first, last) + reach
    # Written so that NaN is outside.
    if not (low >= begin[0] and high < begin[begin.size - 1]):
        return span, False
    while low < begin[span]:
        span -= 1
    while low >= begin[span + 1]:
        span += 1
    return span, high < begin[span + 1]


@compiled
def _fill_in_span(
    segment: Float64,
    span: SpanNumbers,
    before: Float64,
    after: Float64,
    height: Float32,
    line: Float32,
    sample: Float32,
) -> None:
    """Fill a segment that lies in one span, in float32 relative to its middle.

    `before` and `after` are the samples of the span's records. The sample is a parabola of slant
    range around the middle of the segment: over some hundred metres it errs by millimetres, and
    rounding by 1e-4 pixels.
    """
    single = np.float32
    start, slope = segment[0], segment[1]
    z = (height[height.size // 2] - span.middle_height) / span.half_height
    z = 0.0 if math.isnan(z) else min(max(z, -1.0), 1.0)
    centre = start[3] + 0.5 * height.size * slope[3] + z * (start[4] + z * start[5])
    column = (centre - span.slant_origin) / SLANT_STEP
    p = _sample_parabola(before, column)
    q = _sample_parabola(after, column)
    p0, p1, p2 = single(p[0] - span.sample_origin), single(p[1]), single(p[2])
    q0, q1, q2 = single(q[0] - p[0]), single(q[1] - p[1]), single(q[2] - p[2])
    scale, offset = span.line_scale, span.line_offset
    a, b, c = single(start[0] * scale + offset), single(start[1] * scale), single(start[2] * scale)
    da, db, dc = single(slope[0] * scale), single(slope[1] * scale), single(slope[2] * scale)
    d, e, f = single(start[3] - centre), single(start[4]), single(start[5])
    dd, de, df = single(slope[3]), single(slope[4]), single(slope[5])
    weight_scale = span.weight_scale / scale
    w0, w1 = single(span.weight_offset - weight_scale * offset), single(weight_scale)
    low, high = single(span.first_sample), single(span.last_sample)
    base, inverse, none = single(span.middle_height), single(1.0 / span.half_height), single(np.nan)
    for n in range(height.size):
        k = single(n)
        h = (height[n] - base) * inverse
        y = a + k * da + h * (b + k * db + h * (c + k * dc))
        r = d + k * dd + h * (e + k * de + h * (f + k * df))
        x = p0 + r * (p1 + r * p2) + (w0 + w1 * y) * (q0 + r * (q1 + r * q2))
        inside = x >= low and x <= high
        line[n] = y if inside else none
        sample[n] = x if inside else none


@compiled
def _sample_parabola(samples: Float64, column: float) -> tuple[float, float, float]:
    """Expand a row of the sample table around a fractional column, by metres of slant range."""
    middle = int(column + 0.5)
    u = column - middle
    first = 0.5 * (samples[middle + 1] - samples[middle - 1])
    second = 0.5 * (samples[middle + 1] + samples[middle - 1]) - samples[middle]
    return (
        samples[middle] + u * (first + u * second),
        (first + 2.0 * u * second) / SLANT_STEP,
        second / SLANT_STEP**2,
    )


@compiled
def _fill_anywhere(
    segment: Float64,
    grid: BlockGrid,
    image: ImageArrays,
    origin: tuple[int, int],
    height: Float32,
    line: Float32,
    sample: Float32,
) -> None:
    """Fill a segment that spans cut or that reaches outside the image, point by point."""
    start, slope = segment[0], segment[1]
    row, slant_range = np.empty(height.size), np.empty(height.size)
    for n in range(height.size):
        z = (height[n] - grid.middle_height) / grid.half_height
        a, b, c = start[0] + n * slope[0], start[1] + n * slope[1], start[2] + n * slope[2]
        d, e, f = start[3] + n * slope[3], start[4] + n * slope[4], start[5] + n * slope[5]
        row[n] = a + z * (b + z * c)
        slant_range[n] = d + z * (e + z * f)
    fill_pixels(row, slant_range, image, origin, line, sample)


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
