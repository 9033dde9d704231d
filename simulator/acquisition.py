"""Plan an acquisition over a place: orbit, frame of each image, ground range records."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from algorithms.constants import SPEED_OF_LIGHT
from simulator.annotation import GroundRange
from simulator.ellipsoid import cartesian, geodetic
from simulator.geometry import RadarFrame, RangeRule
from simulator.instrument import SATELLITES, Mode, Processor, Satellite
from simulator.orbit import NODAL_PERIOD_S, NominalOrbit, Trajectory
from simulator.terrain import Terrain
from simulator.zero_doppler import look_axes, meet_relief

Float64 = NDArray[np.float64]

PRECISE_STEP_S, PRECISE_LEAD_S = 10.0, 120.0  # of orbit files
ARC_POINTS = 256


@dataclass(frozen=True)
class Order:
    """What to acquire.

    Parameters
    ----------
    mode, processor
        Type of product and version of the processor.
    longitude, latitude
        Middle of the (first) image, radians.
    start
        Azimuth time of the first line, UTC.
    satellite
        "S1A" to "S1D".
    ascending
        Direction of the pass; the antenna looks right.
    lines, samples
        Size of one image, by default that of the mode.
    range_position
        Where a narrow image lies in the full swath, 0 (near) to 1 (far).
    frames
        Number of consecutive images.
    bistatic, range_rule
        As in `RadarFrame`.
    """

    mode: Mode
    processor: Processor
    longitude: float
    latitude: float
    start: datetime = datetime(2021, 8, 9, 17, 39, 53, 153776, UTC)
    satellite: str = "S1A"
    ascending: bool = True
    lines: int | None = None
    samples: int | None = None
    range_position: float = 0.5
    frames: int = 1
    bistatic: bool = True
    range_rule: RangeRule = "linear"


@dataclass(frozen=True)
class Acquisition:
    """A planned pass: what its products have in common, and the frame of each.

    `first_sample` is the place of the images' first sample in the full swath of the mode.
    """

    order: Order
    epoch: datetime
    satellite: Satellite
    orbit: NominalOrbit
    absolute_orbit: int
    datatake: int
    first_sample: int
    frames: tuple[RadarFrame, ...]

    def utc(self, time: float | Float64) -> datetime:
        """Time of seconds since the epoch."""
        return self.epoch + timedelta(seconds=float(time))

    def precise_trajectory(self) -> Trajectory:
        """State vectors for an orbit file, from two minutes before the pass to two after it."""
        last = self.frames[-1]
        first_time = np.floor(self.frames[0].first_line_time) - PRECISE_LEAD_S
        stop = last.first_line_time + last.lines * last.line_interval + PRECISE_LEAD_S
        return self.orbit.trajectory(np.arange(first_time, stop, PRECISE_STEP_S))


def plan(order: Order, terrain: Terrain) -> Acquisition:
    """Find the orbit and the frames that image the order's place."""
    mode = order.mode
    lines, samples = order.lines or mode.lines, order.samples or mode.samples
    epoch = order.start.replace(hour=0, minute=0, second=0, microsecond=0)
    first_time = (order.start - epoch).total_seconds()
    first_sample = round(order.range_position * (mode.samples - samples))
    flat = Terrain(order.longitude, order.latitude, terrain.base, np.empty((0, 4)))

    # A first guess of the line interval is refined once the orbit is known.
    interval = mode.spacing / 6_670.0
    for _ in range(2):
        middle = first_time + interval * lines / 2
        orbit, distance = _orbit_over(order, middle, first_sample + samples / 2, flat)
        interval = _line_interval(orbit, middle, distance, mode.spacing, flat)
    span = interval * lines * order.frames
    lead = order.processor.vector_lead_s
    vectors = np.arange(-lead, span + lead, order.processor.vector_step_s)
    trajectory = orbit.trajectory(np.floor(first_time) + vectors)
    near = float(_full_swath(orbit, middle, mode, flat)(mode.spacing * first_sample))
    shape = (near, samples * mode.spacing, order.processor.range_degree)
    satellite = SATELLITES[order.satellite]
    absolute = satellite.absolute_orbit(epoch + timedelta(seconds=orbit.node_time))
    return Acquisition(
        order,
        epoch,
        satellite,
        orbit,
        absolute,
        datatake=(absolute * 7 + int(first_time)) % 0xFFFFF,
        first_sample=first_sample,
        frames=_frames(order, (first_time, interval, lines), trajectory, shape, terrain),
    )


def _frames(
    order: Order,
    timing: tuple[float, float, int],
    trajectory: Trajectory,
    shape: tuple[float, float, int],
    terrain: Terrain,
) -> tuple[RadarFrame, ...]:
    """Consecutive frames of a pass; first lines are dated to the microsecond, as in products."""
    first_time, interval, lines = timing
    _, reach, _ = shape
    frames = []
    for number in range(order.frames):
        time = round(first_time + number * lines * interval, 6)
        stop = time + lines * interval + order.processor.record_trail_s
        seconds = np.arange(time - order.processor.record_lead_s, stop, 1.0)
        frames.append(
            RadarFrame(
                time,
                interval,
                order.mode.spacing,
                lines,
                round(reach / order.mode.spacing),
                trajectory,
                _records(trajectory, seconds, shape, terrain),
                order.mode.bulk_delay if order.bistatic else None,
                order.processor.azimuth_offset,
                order.range_rule,
            )
        )
    return tuple(frames)


def _orbit_over(
    order: Order, time: float, sample: float, flat: Terrain
) -> tuple[NominalOrbit, float]:
    """Orbit that images the order's place at a time and sample, and the slant range then."""

    def ground(latitude_argument: float) -> tuple[float, float, float]:
        orbit = orbit_at(latitude_argument, time)
        reach = float(_full_swath(orbit, time, order.mode, flat)(sample * order.mode.spacing))
        longitude, latitude, _, _ = ground_at(orbit, time, reach, flat)
        return longitude, latitude, reach

    middle = 0.0 if order.ascending else np.pi
    argument = brentq(
        lambda u: (ground(u)[1] - order.latitude) * (1 if order.ascending else -1),
        middle - 1.5, middle + 1.5, xtol=1e-12,
    )  # fmt: skip
    longitude, _, reach = ground(argument)
    orbit = orbit_at(argument, time)
    return replace(orbit, node_longitude=order.longitude - longitude), reach


def orbit_at(latitude_argument: float, time: float) -> NominalOrbit:
    """Orbit whose argument of latitude has a value at a time; its node is the one before."""
    turn = latitude_argument % (2 * np.pi)
    return NominalOrbit(0.0, time - turn / (2 * np.pi) * NODAL_PERIOD_S)


def ground_at(
    orbit: NominalOrbit, time: float, reach: float, flat: Terrain
) -> tuple[float, float, float, float]:
    """Longitude, latitude, height and look angle abeam at a slant range."""
    position, velocity = orbit.states(np.array(time))
    down, right = look_axes(position, velocity)
    relief = (flat.frame, flat.base, flat.waves)
    return meet_relief(position, down, right, reach, 0.6, relief)


def _line_interval(
    orbit: NominalOrbit, time: float, reach: float, spacing: float, flat: Terrain
) -> float:
    """Seconds in which the beam moves by one pixel on the ground."""
    ends = [
        cartesian(*(np.array(part) for part in ground_at(orbit, moment, reach, flat)[:3]))
        for moment in (time - 0.5, time + 0.5)
    ]
    return float(spacing / np.linalg.norm(ends[1] - ends[0]))


def _full_swath(
    orbit: NominalOrbit, time: float, mode: Mode, flat: Terrain
) -> np.polynomial.Polynomial:
    """Slant range against ground range over the whole swath of the mode."""
    position, velocity = orbit.states(np.array(time))
    near = mode.near_delay * SPEED_OF_LIGHT / 2
    return _fit(position, velocity, flat.base, (near, mode.samples * mode.spacing, 8))


def _records(
    trajectory: Trajectory, seconds: Float64, shape: tuple[float, float, int], terrain: Terrain
) -> GroundRange:
    """Return records at some times, each for the mean height of the relief under its swath."""
    coefficients = []
    for time in seconds:
        position = trajectory.position_at(time)
        velocity = trajectory.velocity_at(time)
        points = _arc(position, velocity, terrain.base, shape)[0]
        height = float(np.mean(terrain.height(points[::8, 0], points[::8, 1])))
        polynomial = _fit(position, velocity, height, shape)
        coefficients.append(np.resize(polynomial.coef, shape[2] + 1))
    return GroundRange(seconds, np.zeros(seconds.size), np.array(coefficients))


def _arc(
    position: Float64, velocity: Float64, height: float, shape: tuple[float, float, int]
) -> tuple[Float64, Float64]:
    """Points abeam at a height: longitude, latitude (n, 2), and slant ranges (n,)."""
    near, reach, _ = shape
    # The slant range grows by sin(incidence) < 0.76 of the ground range in all modes.
    slant = near + np.linspace(0.0, 0.76 * reach + 1.0, ARC_POINTS)
    down, right = look_axes(position, velocity)
    longitude, latitude, _ = geodetic(*position)
    flat = Terrain(longitude, latitude, height, np.empty((0, 4)))
    relief = (flat.frame, flat.base, flat.waves)
    points = np.array(
        [meet_relief(position, down, right, distance, 0.6, relief)[:2] for distance in slant]
    )
    return points, slant


def _fit(
    position: Float64, velocity: Float64, height: float, shape: tuple[float, float, int]
) -> np.polynomial.Polynomial:
    """Polynomial of slant range against ground range along the ellipsoid at a height."""
    near, reach, degree = shape
    points, slant = _arc(position, velocity, height, shape)
    places = cartesian(points[:, 0], points[:, 1], np.full(slant.size, height))
    chords = np.linalg.norm(np.diff(places, axis=0), axis=1)
    ground = np.concatenate(([0.0], np.cumsum(chords)))
    inside = ground <= 1.05 * reach
    fitted = np.polynomial.Polynomial.fit(ground[inside], slant[inside], degree).convert()
    # The first sample lies at the near range whatever the relief, as in real products.
    fitted.coef[0] = near
    return fitted
