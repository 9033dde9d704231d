"""Range-Doppler geometry, both ways: radar pixel to ground, and ground point to radar pixel.

The way to the ground (`RadarFrame.ground`) turns the antenna's look angle in the zero-Doppler
plane until the ray of given length ends on the relief. The way back (`RadarFrame.locate`) finds
the zero of the Doppler frequency by bracketing. They share the trajectory and nothing else.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from algorithms.constants import SPEED_OF_LIGHT
from simulator.annotation import Annotation, GroundRange
from simulator.ellipsoid import cartesian
from simulator.orbit import Trajectory
from simulator.terrain import Terrain
from simulator.zero_doppler import fill_ground

Float64 = NDArray[np.float64]
RangeRule = Literal["linear", "nearest"]


@dataclass(frozen=True)
class RadarFrame:
    """How the lines and samples of one image relate to time, slant range and ground.

    Parameters
    ----------
    first_line_time, line_interval
        Azimuth time of line 0 (seconds since the epoch) and seconds between lines.
    range_spacing
        Metres of ground range between samples.
    lines, samples
        Size of the image.
    trajectory
        Of the antenna.
    ground_range
        Records that turn ground range into slant range.
    bulk_delay
        Two-way delay tau0, seconds. The azimuth time of a pixel departs from its line's by
        B = (tau - tau0) / 2, as the grids of real annotations do: the processor corrects the
        bulk delay only. None switches the term off.
    azimuth_offset
        Constant by which the annotation's times precede zero Doppler, seconds: old processors
        left 0.3 to 0.45 ms between their grid and their own state vectors.
    range_rule
        How coefficients are taken between records: interpolated, or those of the nearest one.
        Before the first and after the last record theirs hold.
    """

    first_line_time: float
    line_interval: float
    range_spacing: float
    lines: int
    samples: int
    trajectory: Trajectory
    ground_range: GroundRange
    bulk_delay: float | None
    azimuth_offset: float = 0.0
    range_rule: RangeRule = "linear"

    def line_time(self, line: float | Float64) -> Float64:
        """Azimuth time that the annotation gives a line, seconds since the epoch."""
        return np.asarray(self.first_line_time + self.line_interval * np.asarray(line))

    def polynomials(self, line: Float64) -> tuple[Float64, Float64]:
        """Origin (m) and coefficients of slant range at lines, shapes (n,) and (n, degree + 1)."""
        records = self.ground_range
        number = np.arange(records.time.size, dtype=np.float64)
        place = np.interp(self.line_time(line), records.time, number)
        if self.range_rule == "nearest":
            place = np.rint(place)
        first = np.minimum(place.astype(np.intp), records.time.size - 1)
        second = np.minimum(first + 1, records.time.size - 1)
        weight = place - first
        origin = (1 - weight) * records.origin[first] + weight * records.origin[second]
        share = weight[..., None]
        low, high = records.coefficients[first], records.coefficients[second]
        return origin, (1 - share) * low + share * high

    def slant_range(self, line: Float64, sample: Float64) -> Float64:
        """Slant range in metres of pixels, shape of `line` and `sample`."""
        origin, coefficients = self.polynomials(np.asarray(line, np.float64))
        ground = np.asarray(sample) * self.range_spacing - origin
        powers = np.polynomial.polynomial.polyvander(ground, coefficients.shape[-1] - 1)
        return np.asarray((powers * coefficients).sum(axis=-1))

    def azimuth_time(self, line: Float64, slant_range: float | Float64) -> Float64:
        """Azimuth time of pixels by the annotation's clock: line time and bistatic term."""
        time = self.line_time(line)
        if self.bulk_delay is None:
            return time
        return time + slant_range / SPEED_OF_LIGHT - self.bulk_delay / 2

    def ground(self, line: Float64, sample: Float64, terrain: Terrain) -> Float64:
        """Longitude, latitude (radians) and height (m) on the relief, shape (n, m, 3).

        `line` has shape (n,) and `sample` (m,): the ground under every pair.
        """
        line, sample = np.asarray(line, np.float64), np.asarray(sample, np.float64)
        origin, coefficients = self.polynomials(line)
        time = self.line_time(line) + self.azimuth_offset
        ground = np.empty((line.size, sample.size, 3))
        fill_ground(
            (
                self.trajectory.position_at(time),
                self.trajectory.velocity_at(time),
                self.trajectory.acceleration_at(time),
            ),
            sample * self.range_spacing,
            origin,
            coefficients,
            math.nan if self.bulk_delay is None else self.bulk_delay,
            (terrain.frame, terrain.base, terrain.waves),
            ground,
        )
        return ground

    def locate(self, longitude: Float64, latitude: Float64, height: Float64) -> Float64:
        """Line and sample of ground points (radians, metres), shape (n, 2); NaN if never abeam."""
        points = np.atleast_2d(cartesian(longitude, latitude, height))
        return np.array([self._locate_one(point) for point in points]).reshape(-1, 2)

    def _locate_one(self, point: Float64) -> tuple[float, float]:
        """Line and sample of one Earth-fixed point."""
        time = zero_doppler_time(self.trajectory, point)
        if math.isnan(time):
            return math.nan, math.nan
        distance = float(np.linalg.norm(point - self.trajectory.position_at(time)))
        late = float(self.azimuth_time(np.zeros(()), distance)) - self.first_line_time
        line = (time - self.azimuth_offset - late - self.first_line_time) / self.line_interval
        origin, coefficients = self.polynomials(np.array([line]))
        polynomial = np.polynomial.Polynomial(coefficients[0])
        reach = self.samples * self.range_spacing
        ground = _root(lambda g: float(polynomial(g) - distance), -0.1 * reach, 1.1 * reach)
        return line, (ground + float(origin[0])) / self.range_spacing


def frame_of(
    annotation: Annotation,
    trajectory: Trajectory | None = None,
    *,
    bistatic: bool = True,
    range_rule: RangeRule = "linear",
) -> RadarFrame:
    """Frame of an annotated image.

    Parameters
    ----------
    annotation
        Of the image. Its own state vectors and grid give tau0 and the azimuth offset.
    trajectory
        The true one when the annotation's state vectors are degraded.
    bistatic, range_rule
        As in `RadarFrame`.
    """
    grid = annotation.grid
    late = grid.azimuth_time - annotation.first_line_time - grid.line * annotation.line_interval
    points = cartesian(grid.longitude, grid.latitude, grid.height)
    own = annotation.trajectory
    offset = np.array([zero_doppler_time(own, point) for point in points]) - grid.azimuth_time
    return RadarFrame(
        annotation.first_line_time,
        annotation.line_interval,
        annotation.range_spacing,
        annotation.lines,
        annotation.samples,
        trajectory or own,
        annotation.ground_range,
        float(np.mean(grid.slant_range_time - 2.0 * late)) if bistatic else None,
        float(np.mean(offset)),
        range_rule,
    )


def zero_doppler_time(trajectory: Trajectory, point: Float64) -> float:
    """Time at which an Earth-fixed point is abeam of the antenna, NaN if it never is."""

    def closing(time: float) -> float:
        line_of_sight = point - trajectory.position_at(time)
        return float(line_of_sight @ trajectory.velocity_at(time))

    return _root(closing, trajectory.time[0], trajectory.time[-1])


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Zero of a function, NaN when it does not change sign on the interval."""
    if function(low) * function(high) > 0:
        return math.nan
    return float(brentq(function, low, high, xtol=1e-12, rtol=8.9e-16))
