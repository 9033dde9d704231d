"""The kernels of the range-Doppler model: a ground point to image time and slant range to a pixel.

Image time is zero-Doppler azimuth time less half the two-way time (the residual bistatic term,
`docs/decisions/srgr-and-bistatic.md`), or azimuth time itself when that term is switched off. A
line of a frame is a linear function of it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.geodesy import ecef_of_point
from algorithms.radar.ground_range import SLANT_STEP

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Float = NDArray[np.floating[Any]]

NEWTON_STEPS = 8
TIME_TOLERANCE = 1e-10  # s: 1 um along the orbit
# The orbit polynomial means nothing this many half spans from the centre of its vectors.
ORBIT_LIMIT = 3.0


class OrbitArrays(NamedTuple):
    """An `OrbitPolynomial` for the kernels, with what turns time and range into image time.

    Parameters
    ----------
    centre, half_span
        Seconds.
    coefficients
        Positions and velocities, ascending powers, shape (degree + 1, 6).
    delay_per_metre
        1 / c, or 0 without the bistatic term, seconds a metre of slant range.
    """

    centre: float
    half_span: float
    coefficients: Float64
    delay_per_metre: float


class ImageArrays(NamedTuple):
    """Lines and samples of an image for the kernels, one frame or several.

    The image is cut along the track into spans in which one frame and one pair of ground range
    records hold; arrays have shape (span,).

    Parameters
    ----------
    time_origin, line_interval
        Image time of line 0 and seconds a line, of the first frame: the `row` of a point is
        (image time - origin) / interval.
    begin
        Row where each span begins, and where the last ends, shape (span + 1,), increasing.
    line_scale, line_offset
        line = row * scale + offset.
    record, weight_scale, weight_offset
        A sample comes from row `record` of `sample` and the next one, whose weight is
        row * scale + offset.
    first_sample, last_sample
        Edges of the frame's outermost samples, in samples of the whole image.
    slant_origin
        Slant range of the first column of `sample`, metres.
    sample
        Sample of the whole image by record and slant range, shape (record, column).
    """

    time_origin: float
    line_interval: float
    begin: Float64
    line_scale: Float64
    line_offset: Float64
    record: Int64
    weight_scale: Float64
    weight_offset: Float64
    first_sample: Float64
    last_sample: Float64
    slant_origin: float
    sample: Float64


@compiled
def zero_doppler(
    x: float, y: float, z: float, variable: float, orbit: OrbitArrays
) -> tuple[float, float]:
    """Return the orbit variable of zero Doppler and the slant range (m) of an ECEF point.

    Newton steps on (X - P) . V = 0 from `variable`; NaN where they leave the orbit.
    """
    coefficients = orbit.coefficients
    degree = coefficients.shape[0] - 1
    tolerance = TIME_TOLERANCE / orbit.half_span
    for _ in range(NEWTON_STEPS):
        px = py = pz = vx = vy = vz = ax = ay = az = 0.0
        for k in range(degree, -1, -1):
            px = px * variable + coefficients[k, 0]
            py = py * variable + coefficients[k, 1]
            pz = pz * variable + coefficients[k, 2]
            ax, ay, az = ax * variable + vx, ay * variable + vy, az * variable + vz
            vx = vx * variable + coefficients[k, 3]
            vy = vy * variable + coefficients[k, 4]
            vz = vz * variable + coefficients[k, 5]
        dx, dy, dz = x - px, y - py, z - pz
        # a is the derivative by the variable, v by time: the half span brings them together.
        slope = dx * ax + dy * ay + dz * az - (vx * vx + vy * vy + vz * vz) * orbit.half_span
        step = (dx * vx + dy * vy + dz * vz) / slope
        distance = math.sqrt(dx * dx + dy * dy + dz * dz)
        variable -= step
        if abs(variable) > ORBIT_LIMIT:
            return math.nan, math.nan
        if abs(step) < tolerance:
            return variable, distance
    return math.nan, math.nan


@compiled
def locate_points(
    longitude: Float64,
    latitude: Float64,
    height: Float64,
    orbit: OrbitArrays,
    azimuth_time: Float64,
    slant_range: Float64,
) -> None:
    """Fill zero-Doppler azimuth times (s) and slant ranges (m) of points given in radians."""
    variable = 0.0
    for i in range(longitude.size):
        x, y, z = ecef_of_point(longitude[i], latitude[i], height[i])
        variable, slant_range[i] = zero_doppler(x, y, z, variable, orbit)
        azimuth_time[i] = orbit.centre + variable * orbit.half_span
        if not abs(variable) <= ORBIT_LIMIT:
            variable = 0.0


@compiled
def fill_pixels(
    row: Float64,
    slant_range: Float64,
    image: ImageArrays,
    origin: tuple[int, int],
    line: Float,
    sample: Float,
) -> None:
    """Fill lines and samples less `origin` of points given by row and slant range (m).

    Points outside the image become NaN. Neighbours lie in one span mostly, so that a span is
    looked for only where a run of points leaves it.
    """
    begin = image.begin
    span = first = 0
    while first < row.size:
        # Written so that NaN is outside.
        if not (row[first] >= begin[0] and row[first] < begin[-1]):
            line[first] = sample[first] = math.nan
            first += 1
            continue
        while row[first] < begin[span]:
            span -= 1
        while row[first] >= begin[span + 1]:
            span += 1
        end = first + 1
        while end < row.size and row[end] >= begin[span] and row[end] < begin[span + 1]:
            end += 1
        _fill_run(
            row[first:end],
            slant_range[first:end],
            image,
            span,
            origin,
            line[first:end],
            sample[first:end],
        )
        first = end


@compiled
def _fill_run(
    row: Float64,
    slant_range: Float64,
    image: ImageArrays,
    span: int,
    origin: tuple[int, int],
    line: Float,
    sample: Float,
) -> None:
    """Fill points that lie in one span."""
    scale, offset = image.line_scale[span], image.line_offset[span] - origin[0]
    weight_scale, weight_offset = image.weight_scale[span], image.weight_offset[span]
    low, high = image.first_sample[span], image.last_sample[span]
    before, after = image.sample[image.record[span]], image.sample[image.record[span] + 1]
    limit = before.size - 1.000001
    one = np.uint32(1)
    for n in range(row.size):
        column = (slant_range[n] - image.slant_origin) * (1.0 / SLANT_STEP)
        inside = min(max(column, 0.0), limit)
        left = np.uint32(inside)
        share = inside - left
        near = before[left] + share * (before[left + one] - before[left])
        far = after[left] + share * (after[left + one] - after[left])
        x = near + (weight_scale * row[n] + weight_offset) * (far - near)
        valid = inside == column and x >= low and x <= high
        line[n] = row[n] * scale + offset if valid else math.nan
        sample[n] = x - origin[1] if valid else math.nan
