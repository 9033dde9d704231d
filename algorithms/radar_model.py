"""The kernels of the range-Doppler model: a ground point to image time and slant range to a pixel.

Image time is zero-Doppler azimuth time less half the two-way time (the residual bistatic term,
`docs/explanation`), or azimuth time itself when that term is switched off. A line of a frame is a
linear function of it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.geodesy import ecef_of_point
from algorithms.ground_range import SLANT_STEP

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

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
    """The frames of an image for the kernels; every array but the last two has shape (frame,).

    Parameters
    ----------
    time_origin, line_interval
        Image time of line 0 and seconds a line, of the first frame: the `row` of a point is
        (image time - origin) / interval.
    begin
        Row where each frame begins; -inf for the first.
    line_scale, line_offset
        line = row * scale + offset.
    first_sample, last_sample
        Samples of the whole image that the frame holds.
    first_record, last_record
        Rows of `sample` that belong to the frame.
    lines
        Lines of all frames.
    linear
        Whether the table is interpolated between records, or the nearest record holds.
    slant_origin
        Slant range of the first column of `sample`, metres.
    records_a_line
        Mean number of records a line.
    record_line
        Line of each record, shape (record,).
    sample
        Sample of the whole image by record and slant range, shape (record, column).
    """

    time_origin: float
    line_interval: float
    begin: Float64
    line_scale: Float64
    line_offset: Float64
    first_sample: Float64
    last_sample: Float64
    first_record: Int64
    last_record: Int64
    lines: float
    linear: bool
    slant_origin: float
    records_a_line: float
    record_line: Float64
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
def pixel_of(row: float, slant_range: float, image: ImageArrays) -> tuple[float, float]:
    """Return line and sample in the whole image, NaN outside it."""
    frame = 0
    while frame + 1 < image.begin.size and row >= image.begin[frame + 1]:
        frame += 1
    line = row * image.line_scale[frame] + image.line_offset[frame]
    # Written so that NaN fails.
    if not (line >= -0.5 and line <= image.lines - 0.5):
        return math.nan, math.nan
    record, weight = record_at(line, frame, image)
    column = (slant_range - image.slant_origin) * (1.0 / SLANT_STEP)
    if not (column >= 0.0 and column < image.sample.shape[1] - 1):
        return math.nan, math.nan
    left = int(column)
    share = column - left
    near, far = image.sample[record, left], image.sample[record, left + 1]
    sample = near + share * (far - near)
    if weight > 0.0:
        near, far = image.sample[record + 1, left], image.sample[record + 1, left + 1]
        sample += weight * (near + share * (far - near) - sample)
    if not (sample >= image.first_sample[frame] - 0.5 and sample <= image.last_sample[frame] + 0.5):
        return math.nan, math.nan
    return line, sample


@compiled
def record_at(line: float, frame: int, image: ImageArrays) -> tuple[int, float]:
    """Return the record before a line and the weight of the one after it."""
    first, last = image.first_record[frame], image.last_record[frame]
    # Records come about every second: the guess is right but for rounding.
    guess = first + int((line - image.record_line[first]) * image.records_a_line)
    record = min(max(guess, first), last)
    while record > first and line < image.record_line[record]:
        record -= 1
    while record < last and line >= image.record_line[record + 1]:
        record += 1
    if record == last:
        return record, 0.0
    before, after = image.record_line[record], image.record_line[record + 1]
    weight = min(max((line - before) / (after - before), 0.0), 1.0)
    if not image.linear:
        weight = 1.0 if weight >= 0.5 else 0.0
    return record, weight


@compiled
def pixels_of(
    row: Float64, slant_range: Float64, image: ImageArrays, line: Float64, sample: Float64
) -> None:
    """Fill lines and samples of points given by row and slant range (m)."""
    for i in range(row.size):
        line[i], sample[i] = pixel_of(row[i], slant_range[i], image)
