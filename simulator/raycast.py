"""Backscatter of steep relief by casting rays: layover and shadow come by themselves.

From the antenna, rays leave in the zero-Doppler plane at uniform steps of the look angle. The tube
between two rays cuts an area R dalpha da normal to the look direction (da along the track) out of
the first surface it meets, whatever its slope: that is the area which gamma nought refers to
(Small, 2011, Flattening Gamma, IEEE TGRS 49(8), section II). Its power falls into the slant ranges
between the two hits. No facet normal, local incidence angle or area projection is involved.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from algorithms.constants import SPEED_OF_LIGHT
from simulator.geometry import RadarFrame
from simulator.terrain import Terrain
from simulator.zero_doppler import look_axes, meet_relief, ray_end, relief_height

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

RAY_SPACING = 1.0  # m between rays where they land
MARGIN_SAMPLES = 150  # rays start and end this far outside the image
JUMP = 60.0  # ray spacings between two hits that tell of a shadow between them
LINES_A_TASK = 25


@dataclass(frozen=True)
class RayCast:
    """Image of relief of uniform gamma0 = 1, all of shape (line, sample).

    `beta0` in linear power; `layover` where two or more places share a pixel, `shadow` where
    none is seen.
    """

    beta0: Float32
    layover: NDArray[np.bool_]
    shadow: NDArray[np.bool_]


def cast(frame: RadarFrame, terrain: Terrain, *, rays_a_line: int = 1, threads: int = 2) -> RayCast:
    """Cast rays at the relief for every line of a frame.

    Parameters
    ----------
    frame
        Geometry of the image.
    terrain
        The relief.
    rays_a_line
        Fans of rays spread over the azimuth extent of a line.
    threads
        Fans cast at once.
    """
    sample = np.arange(-MARGIN_SAMPLES - 0.5, frame.samples + MARGIN_SAMPLES + 0.5)
    power = np.zeros((frame.lines, sample.size - 1))
    layover = np.zeros(power.shape, np.bool_)
    bulk_delay = math.nan if frame.bulk_delay is None else frame.bulk_delay
    relief = (terrain.frame, terrain.base, terrain.waves)
    limits = (terrain.height_range[1], math.tan(terrain.steepest_slope))

    def work(first: int) -> None:
        lines = np.arange(first, min(first + LINES_A_TASK, frame.lines))
        for fan in range(rays_a_line):
            line = np.asarray(lines + (fan + 0.5) / rays_a_line - 0.5, np.float64)
            time = frame.line_time(line) + frame.azimuth_offset
            orbit = (
                frame.trajectory.position_at(time),
                frame.trajectory.velocity_at(time),
                frame.trajectory.acceleration_at(time),
            )
            bounds = frame.slant_range(line[:, None], sample[None, :])
            part = slice(lines[0], lines[-1] + 1)
            _cast_fans(orbit, bounds, bulk_delay, relief, limits, power[part], layover[part])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(0, frame.lines, LINES_A_TASK)))
    inside = slice(MARGIN_SAMPLES, MARGIN_SAMPLES + frame.samples)
    beta0 = power[:, inside].astype(np.float32) / np.float32(rays_a_line)
    return RayCast(beta0, layover[:, inside], beta0 == 0)


@njit(cache=True)
def _first_hit(  # type: ignore[no-untyped-def]
    antenna, down, right, angle, start, relief, steepest
) -> float:
    """Length of a ray down to the first relief it meets.

    Marches from the length `start`, above the relief, by steps that cannot pass through it: the
    gap below a ray closes by less than cos(incidence) + slope sin(incidence) a metre, the slope
    being at most `steepest`.
    """
    frame, base, waves = relief
    reach = start
    sine, cosine = math.sin(angle * 1.12), math.cos(angle)
    closing = cosine + steepest * sine
    for _ in range(400):
        longitude, latitude, height = ray_end(antenna, down, right, reach, angle)
        gap = height - relief_height(longitude, latitude, frame, base, waves)
        if gap < 1e-3:
            break
        reach += gap / closing
    return reach  # type: ignore[no-any-return]


@njit(cache=True)
def _spread(low, high, energy, bounds, power) -> None:  # type: ignore[no-untyped-def]
    """Add energy to the bins between two slant ranges, evenly; a bin's power is energy a metre."""
    first = np.searchsorted(bounds, low, side="right") - 1
    width = max(high - low, 1e-9)
    for k in range(max(first, 0), power.size):
        if bounds[k] >= high:
            break
        share = (min(high, bounds[k + 1]) - max(low, bounds[k])) / width
        if share > 0:
            power[k] += energy * share / (bounds[k + 1] - bounds[k])


@njit(cache=True)
def _mark(low, high, sheet, bounds, sheets, layover) -> None:  # type: ignore[no-untyped-def]
    """Note which sheet of the surface fills the bins, and where a second one joins."""
    first = np.searchsorted(bounds, low, side="right") - 1
    for k in range(max(first, 0), sheets.size):
        if bounds[k] >= high:
            break
        if sheets[k] >= 0 and sheets[k] != sheet:
            layover[k] = True
        sheets[k] = sheet


@njit(cache=True)
def _down_to(antenna, down, right, angle, start, highest) -> float:  # type: ignore[no-untyped-def]
    """Length of a ray down to the height that no relief exceeds."""
    reach = start
    for _ in range(20):
        _, _, height = ray_end(antenna, down, right, reach, angle)
        gap = height - highest
        reach += gap / math.cos(angle * 1.12)
        if abs(gap) < 0.1:
            break
    return reach - 1.0  # type: ignore[no-any-return]


@njit(cache=True)
def _add_tube(hits, sheet, energy, bounds, line) -> None:  # type: ignore[no-untyped-def]
    """Add the power between two neighbouring hits to a line, on one sheet of the surface."""
    power, layover, sheets = line
    before, reach = hits
    low, high = min(reach, before), max(reach, before)
    if high - low > JUMP * RAY_SPACING:  # the far side of a ridge is in shadow
        _spread(before, before + 0.5, 0.5 * energy, bounds, power)
        _spread(reach, reach + 0.5, 0.5 * energy, bounds, power)
    else:
        _spread(low, high, energy, bounds, power)
        _mark(low, high, sheet, bounds, sheets, layover)


@njit(cache=True)
def _cast_fan(  # type: ignore[no-untyped-def]
    state, bounds, bulk_delay, relief, limits, line
) -> None:
    """Cast the rays of one fan, from near range to far, and add up their power."""
    position, velocity, acceleration = state
    near, far = bounds[0], bounds[-1]
    flat = (relief[0], relief[1], relief[2][:0])
    down, right = look_axes(position, velocity)
    angle = meet_relief(position, down, right, near, 0.6, flat)[3]
    last = meet_relief(position, down, right, far, 0.6, flat)[3]
    step = RAY_SPACING / (0.5 * (near + far))
    sheet, outwards, reach, before, late = 0, True, near, 0.0, 0.0
    while angle < last:
        if not math.isnan(bulk_delay):
            late = reach / SPEED_OF_LIGHT - bulk_delay / 2
        antenna = position + late * velocity
        down, right = look_axes(antenna, velocity + late * acceleration)
        if before > 0:
            # A place that a ray has cleared is cleared by the next one, which passes above:
            # the march resumes over the last hit.
            start = reach - 1.2 * reach * step / math.tan(angle)
        else:
            start = _down_to(antenna, down, right, angle, near, limits[0])
        reach = _first_hit(antenna, down, right, angle, start, relief, limits[1])
        if before > 0:
            if (reach >= before) != outwards:
                outwards = not outwards
                sheet += 1
            _add_tube((before, reach), sheet, 0.5 * (reach + before) * step, bounds, line)
        before = reach
        angle += step


@njit(cache=True, nogil=True)
def _cast_fans(  # type: ignore[no-untyped-def]
    orbit, bounds, bulk_delay, relief, limits, power, layover
) -> None:
    """Cast one fan of rays for each line.

    `orbit` holds position, velocity and acceleration of each line; `bounds` (line, sample + 1)
    the slant ranges between pixels; `limits` the highest height and the steepest slope (tangent).
    """
    positions, velocities, accelerations = orbit
    for row in range(positions.shape[0]):
        sheets = np.full(power.shape[1], -1)
        _cast_fan(
            (positions[row], velocities[row], accelerations[row]),
            bounds[row],
            bulk_delay,
            relief,
            limits,
            (power[row], layover[row], sheets),
        )
