"""Plan passes over a place: their orbits, the schedule of the bursts, and the frame of each burst.

The beam visits the swaths in turn, and every pass does so at the same places: that is what burst
identifiers number (Sentinel-1 Level 1 Detailed Algorithm Definition, SEN-TN-52-7445, section 9.25).
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from algorithms.constants import SPEED_OF_LIGHT
from simulator.acquisition import ground_at, orbit_at
from simulator.instrument import SATELLITES, Satellite
from simulator.orbit import NODAL_PERIOD_S, ORBITS_PER_CYCLE, NominalOrbit, Trajectory
from simulator.terrain import Terrain
from simulator.tops.instrument import IW, Swath, TopsMode
from simulator.tops.orbits import shifted_trajectory
from simulator.tops.scene import Scene

Float64 = NDArray[np.float64]

# Of a whole burst: lines without data at its ends, samples without at both sides.
EMPTY_LINES = (21, 18)
EMPTY_SAMPLES = (900, 1_100)


@dataclass(frozen=True)
class Pass:
    """One of the passes; the first of an order is the one that scatterers are placed by.

    Parameters
    ----------
    days
        After the first one.
    across, radial
        Where its orbit lies beside the nominal one: metres to the right of the flight, outwards.
    late
        Seconds by which its bursts start later than those of the nominal schedule.
    misregistration
        Lines by which the content of its images lies later than orbit and relief say.
    coherence
        Share of the backscatter of dry land that it has in common with the first pass.
    uplift
        Share of the scene's displacement that has happened.
    orbit_error
        Metres along and across the track by which annotated vectors are off. A good orbit file is
        written where they are.
    satellite
        That of the order by default.
    """

    days: int = 0
    across: float = 0.0
    radial: float = 0.0
    late: float = 0.0
    misregistration: float = 0.0
    coherence: float = 1.0
    uplift: float = 0.0
    orbit_error: tuple[float, float] = (0.0, 0.0)
    satellite: str | None = None


PAIR = (Pass(), Pass(days=12, across=85.0, radial=20.0, late=2.3e-3, coherence=0.85, uplift=1.0))


@dataclass(frozen=True)
class Order:
    """What to acquire: bursts around the origin of the scene's terrain.

    Parameters
    ----------
    scene
        The ground.
    passes
        When it is seen.
    mode, swaths
        The mode, and the swaths that products hold; next to each other where they are short.
    bursts
        Of each swath.
    lines, samples
        Of each burst; those of the mode by default. Bursts of fewer lines come in a shorter cycle
        and span less Doppler, at the mode's own rate.
    overlap
        Lines that two short bursts share; a quarter of one by default.
    swath_overlap
        Samples that two short swaths share; a fifth of one by default.
    start
        Time of the middle of the first pass, UTC.
    satellite, ascending, processor, polarizations
        As products say; burst identifiers are written by processors from 3.40 on.
    bistatic
        Whether lines lie earlier than zero Doppler by half of what the two-way time exceeds that
        of the middle of the mode: what real processors leave of the bistatic delay.
    seed
        Of scatterers and noise.
    """

    scene: Scene
    passes: tuple[Pass, ...] = PAIR
    mode: TopsMode = IW
    swaths: tuple[str, ...] = ("IW2",)
    bursts: int = 2
    lines: int | None = None
    samples: int | None = None
    overlap: int | None = None
    swath_overlap: int | None = None
    start: datetime = datetime(2023, 3, 19, 17, 40, 7, tzinfo=UTC)
    satellite: str = "S1A"
    ascending: bool = True
    processor: str = "3.71"
    polarizations: tuple[str, ...] = ("VV",)
    bistatic: bool = True
    seed: int = 1

    @property
    def bulk_delay(self) -> float | None:
        """Two-way time (s) for which the bistatic delay is corrected; None where it is for all."""
        return self.mode.bulk_delay if self.bistatic else None

    @property
    def has_identifiers(self) -> bool:
        """Whether the processor writes burst identifiers."""
        major, minor = (int(part) for part in self.processor.split("."))
        return (major, minor) >= (3, 40)


@dataclass(frozen=True)
class BurstFrame:
    """One burst: zero-Doppler time of its first line and sensing time (s), and its identifier."""

    azimuth_time: float
    sensing_time: float
    relative_id: int
    absolute_id: int


@dataclass(frozen=True)
class SwathFrame:
    """One swath of a pass.

    `slant_range_time` of the first sample, two-way seconds; `valid_lines` and `valid_samples` of
    each burst, first and one after the last.
    """

    swath: Swath
    line_interval: float
    sampling_rate: float
    slant_range_time: float
    lines: int
    samples: int
    valid_lines: tuple[int, int]
    valid_samples: tuple[int, int]
    bursts: tuple[BurstFrame, ...]

    @property
    def near_range(self) -> float:
        """Slant range of the first sample, metres."""
        return 0.5 * SPEED_OF_LIGHT * self.slant_range_time

    @property
    def range_spacing(self) -> float:
        """Slant range between samples, metres."""
        return 0.5 * SPEED_OF_LIGHT / self.sampling_rate

    @property
    def last_time(self) -> float:
        """Time of the last line of the last burst, seconds."""
        return self.bursts[-1].azimuth_time + (self.lines - 1) * self.line_interval


@dataclass(frozen=True)
class PassFrame:
    """One pass, or a slice of it: satellite, true trajectory and swaths.

    Times are seconds since its epoch; `whole` is the pass that it is a slice of.
    """

    order: Order
    number: int
    epoch: datetime
    satellite: Satellite
    node_time: float
    absolute_orbit: int
    trajectory: Trajectory
    swaths: tuple[SwathFrame, ...]
    whole: "PassFrame | None" = None

    def slice(self, bursts: range) -> "PassFrame":
        """Return the part of the pass that holds some of its bursts."""
        swaths = (
            replace(one, bursts=one.bursts[bursts.start : bursts.stop]) for one in self.swaths
        )
        return replace(self, swaths=tuple(swaths), whole=self)

    @property
    def flown(self) -> Pass:
        """What the order says of the pass."""
        return self.order.passes[self.number]

    @property
    def relative_orbit(self) -> int:
        """Track, 1 to 175."""
        return self.satellite.relative_orbit(self.absolute_orbit)

    @property
    def datatake(self) -> int:
        """Number of the data take, one for all slices."""
        return (self.absolute_orbit * 7 + int((self.whole or self).start_time)) % 0xFFFFF

    @property
    def start_time(self) -> float:
        """Time of the first line, seconds."""
        return min(swath.bursts[0].azimuth_time for swath in self.swaths)

    @property
    def stop_time(self) -> float:
        """Time of the last line, seconds."""
        return max(swath.last_time for swath in self.swaths)

    @cached_property
    def annotated_trajectory(self) -> Trajectory:
        """State vectors as the product states them."""
        return self.trajectory.shifted(*self.flown.orbit_error)

    def utc(self, time: float) -> datetime:
        """Instant of seconds since the epoch."""
        return self.epoch + timedelta(seconds=float(time))


@dataclass(frozen=True)
class _Schedule:
    """When the beam begins its cycles: what all passes share, but for the delay of each."""

    first_cycle: float
    cycle: float
    node_time: float
    first_id: int
    near_delays: tuple[float, ...] = field(default=())


def plan(order: Order) -> tuple[PassFrame, ...]:
    """Find orbit and frames of every pass of an order.

    Raises
    ------
    ValueError
        When short bursts are asked of a processor that writes no identifiers: theirs could not be
        computed.
    """
    if order.lines is not None and not order.has_identifiers:
        raise ValueError(f"short bursts need identifiers, processor {order.processor} writes none")
    epoch = order.start.replace(hour=0, minute=0, second=0, microsecond=0)
    middle = (order.start - epoch).total_seconds()
    delays = _near_delays(order)
    far = (
        delays[-1] + _samples(order, order.mode.swath(order.swaths[-1])) / order.mode.sampling_rate
    )
    orbit = _orbit_over(order, middle, 0.25 * SPEED_OF_LIGHT * (delays[0] + far))
    first = SATELLITES[order.satellite]
    absolute = first.absolute_orbit(epoch + timedelta(seconds=orbit.node_time))
    schedule = _schedule(order, middle, orbit.node_time, first.relative_orbit(absolute))
    schedule = replace(schedule, near_delays=delays)
    return tuple(
        _pass_frame(order, number, epoch + timedelta(days=flown.days), orbit, absolute, schedule)
        for number, flown in enumerate(order.passes)
    )


def _samples(order: Order, swath: Swath) -> int:
    return order.samples or swath.samples


def _near_delays(order: Order) -> tuple[float, ...]:
    """Return the two-way time of each swath's first sample; short swaths follow each other."""
    swaths = [order.mode.swath(name) for name in order.swaths]
    rate = order.mode.sampling_rate
    if order.samples is None:
        # The samples of all swaths lie on one lattice, as those of real products do.
        first = order.mode.swaths[0].near_delay
        return tuple(first + round((one.near_delay - first) * rate) / rate for one in swaths)
    shared = order.samples // 5 if order.swath_overlap is None else order.swath_overlap
    step = (order.samples - shared) / rate
    middle = swaths[0].near_delay + 0.4 * swaths[0].samples / rate
    return tuple(middle + step * number for number in range(len(swaths)))


def _orbit_over(order: Order, time: float, reach: float) -> NominalOrbit:
    """Orbit that has the origin of the terrain abeam at a time and slant range."""
    origin = order.scene.terrain
    flat = Terrain(origin.longitude, origin.latitude, origin.base, np.empty((0, 4)))

    def gap(argument: float) -> float:
        latitude = ground_at(orbit_at(argument, time), time, reach, flat)[1]
        return (latitude - origin.latitude) * (1 if order.ascending else -1)

    middle = 0.0 if order.ascending else np.pi
    argument = brentq(gap, middle - 1.5, middle + 1.5, xtol=1e-13)
    orbit = orbit_at(argument, time)
    longitude = ground_at(orbit, time, reach, flat)[0]
    return replace(orbit, node_longitude=origin.longitude - longitude)


def _schedule(order: Order, middle: float, node_time: float, relative_orbit: int) -> _Schedule:
    """Cycles around the middle of the pass, and the node from which identifiers count them.

    The node that products state is moved by half a cycle at most, so that a cycle of ESA's burst
    map lies in the middle of the scene.
    """
    mode = order.mode
    cycle = mode.cycle
    if order.lines is not None:
        shared = order.lines // 4 if order.overlap is None else order.overlap
        cycle = (order.lines - shared) * mode.line_interval
    share = cycle / mode.cycle
    # The cycle's middle is that of its bursts: of the first swath's start and the last one's end.
    ends = [mode.swath(name) for name in order.swaths]
    span = 0.5 * (ends[0].start + ends[-1].start + ends[-1].dwell) * share
    first_cycle = middle - span - 0.5 * (order.bursts - 1) * cycle
    before = (relative_orbit - 1) * NODAL_PERIOD_S - mode.preamble
    counted = (first_cycle + 0.5 * mode.cycle - node_time + before) / mode.cycle
    number = int(np.floor(counted))
    moved = (counted - number - 0.5) * mode.cycle
    return _Schedule(first_cycle, cycle, node_time + moved, number + 1)


def _pass_frame(
    order: Order,
    number: int,
    epoch: datetime,
    orbit: NominalOrbit,
    absolute: int,
    schedule: _Schedule,
) -> PassFrame:
    """Return the frame of one pass; the nominal orbit repeats after some days to the second."""
    flown = order.passes[number]
    satellite = SATELLITES[flown.satellite or order.satellite]
    own = satellite.absolute_orbit(epoch + timedelta(seconds=orbit.node_time))
    track = SATELLITES[order.satellite].relative_orbit(absolute)
    own += (track - satellite.relative_orbit(own) + 87) % ORBITS_PER_CYCLE - 87
    swaths = tuple(
        _swath_frame(order, order.mode.swath(name), delay, flown.late, schedule, own)
        for name, delay in zip(order.swaths, schedule.near_delays, strict=True)
    )
    first, last = swaths[0].bursts[0].azimuth_time, swaths[-1].last_time
    trajectory = shifted_trajectory(orbit, first, last, across=flown.across, radial=flown.radial)
    return PassFrame(
        order, number, epoch, satellite, schedule.node_time + flown.late, own, trajectory, swaths
    )


def _swath_frame(
    order: Order, swath: Swath, delay: float, late: float, schedule: _Schedule, absolute: int
) -> SwathFrame:
    """Return the bursts of a swath.

    The lines of all bursts and swaths lie on one lattice, as those of real products do, and are
    dated to the microsecond.
    """
    mode = order.mode
    lines, samples = order.lines or swath.lines, _samples(order, swath)
    share = schedule.cycle / mode.cycle
    origin = round(schedule.first_cycle + late, 6)
    bursts = []
    for number in range(order.bursts):
        sensing = schedule.first_cycle + late + number * schedule.cycle + swath.start * share
        nominal = sensing + 0.5 * swath.dwell * share - 0.5 * lines * mode.line_interval
        steps = round((nominal - origin) / mode.line_interval)
        absolute_id = (absolute - 1) * NODAL_PERIOD_S / mode.cycle + schedule.first_id + number
        bursts.append(
            BurstFrame(
                round(origin + steps * mode.line_interval, 6),
                round(sensing, 6),
                schedule.first_id + number,
                int(absolute_id),
            )
        )
    is_whole = order.lines is None, order.samples is None
    top, bottom = EMPTY_LINES if is_whole[0] else (max(2, lines // 70), max(2, lines // 80))
    near, beyond = EMPTY_SAMPLES if is_whole[1] else (max(2, samples // 40), max(2, samples // 40))
    return SwathFrame(
        swath, mode.line_interval, mode.sampling_rate, round(delay, 15), lines, samples,
        (top, lines - bottom), (near, samples - beyond), tuple(bursts),
    )  # fmt: skip
