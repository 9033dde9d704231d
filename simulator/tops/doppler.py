"""Azimuth FM rate and Doppler centroid of bursts, and the Doppler that steering gives each point.

Miranda (2017), Definition of the TOPS SLC deramping function, COPE-GSEG-EOPG-TN-14-0025, sections
4 and 5: a point at zero-Doppler time eta (0 in the middle of the burst) is seen around the
frequency f_c + k_t (eta - eta_ref), where k_t = k_a k_s / (k_a - k_s).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.constants import SPEED_OF_LIGHT
from simulator.ellipsoid import cartesian
from simulator.orbit import Trajectory
from simulator.terrain import Terrain
from simulator.tops.instrument import RADAR_FREQUENCY
from simulator.tops.plan import BurstFrame, SwathFrame
from simulator.zero_doppler import look_axes, meet_relief

Float64 = NDArray[np.float64]

WAVELENGTH = SPEED_OF_LIGHT / RADAR_FREQUENCY
_NODES = 9  # ranges that a polynomial of the FM rate is fitted to


@dataclass(frozen=True)
class Record:
    """A polynomial of two-way time (s), as an annotation gives it near a burst.

    `coefficients` in ascending powers of (tau - t0); `azimuth_time` in seconds.
    """

    azimuth_time: float
    t0: float
    coefficients: tuple[float, ...]

    def at(self, delay: Float64) -> Float64:
        """Values at two-way times."""
        return np.asarray(np.polynomial.Polynomial(self.coefficients)(delay - self.t0))


@dataclass(frozen=True)
class BurstDoppler:
    """FM rate (Hz/s) and Doppler centroid (Hz) of one burst, and the rate that steering adds."""

    fm_rate: Record
    centroid: Record
    steering_rate: float

    def lines(self, frame: SwathFrame, samples: Float64) -> tuple[Float64, Float64]:
        """Return frequency (Hz) at the burst's middle, and its slope (Hz/s), at some samples."""
        delay = frame.slant_range_time + samples / frame.sampling_rate
        middle = frame.slant_range_time + 0.5 * (frame.samples - 1) / frame.sampling_rate
        fm_rate, centroid = self.fm_rate.at(delay), self.centroid.at(delay)
        slope = fm_rate * self.steering_rate / (fm_rate - self.steering_rate)
        reference = -centroid / fm_rate
        reference += self.centroid.at(np.array(middle)) / self.fm_rate.at(np.array(middle))
        return centroid - slope * reference, slope


def burst_doppler(
    frame: SwathFrame, burst: BurstFrame, number: int, trajectory: Trajectory, terrain: Terrain
) -> BurstDoppler:
    """Return what the annotation of a burst states; `number` counts from 0 in its swath."""
    time = burst.azimuth_time + 0.5 * frame.lines * frame.line_interval
    speed = float(np.linalg.norm(trajectory.velocity_at(time)))
    rate = np.radians(frame.swath.steering_rate_deg)
    return BurstDoppler(
        fm_rate=_fm_rate(frame, time, trajectory, terrain),
        centroid=_centroid(frame, time, number),
        steering_rate=2 * speed / WAVELENGTH * float(rate),
    )


def _fm_rate(frame: SwathFrame, time: float, trajectory: Trajectory, terrain: Terrain) -> Record:
    """Fit -2 / lambda times the curvature of the range against time, for the relief's mean."""
    position, velocity = trajectory.position_at(time), trajectory.velocity_at(time)
    acceleration = trajectory.acceleration_at(time)
    down, right = look_axes(position, velocity)
    flat = (terrain.frame, terrain.base, terrain.waves[:0])
    reach = frame.near_range + np.linspace(0.0, frame.samples - 1, _NODES) * frame.range_spacing
    values = []
    for distance in reach:
        place = meet_relief(position, down, right, distance, 0.6, flat)[:3]
        ray = cartesian(*(np.array(part) for part in place)) - position
        values.append(-2 / WAVELENGTH * (velocity @ velocity - ray @ acceleration) / distance)
    t0 = frame.slant_range_time
    fitted = np.polynomial.Polynomial.fit(2 * reach / SPEED_OF_LIGHT - t0, values, 2).convert()
    return Record(time, t0, tuple(float(value) for value in fitted.coef))


def _centroid(frame: SwathFrame, time: float, number: int) -> Record:
    """Doppler centroid as real products have it: some tens of Hz, less at far range."""
    mean = 13.0 + 2.5 * np.sin(1.7 * number + frame.swath.near_delay * 1e4)
    coefficients = (mean, -5.1e4, 3.7e7)
    rounded = tuple(float(f"{value:.6e}") for value in coefficients)
    return Record(time + 0.11, frame.slant_range_time + 1.51e-5, rounded)
