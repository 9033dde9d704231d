"""Small bursts of a made-up sensor over a circular orbit, and fields that are known everywhere."""

import dataclasses

import numpy as np

from algorithms.interferometry.carrier import burst_time, carrier_at
from algorithms.interferometry.model import Burst, RangePolynomial, SpectralWindow
from algorithms.radar.grd import StateVectors

RADIUS, ANGULAR_VELOCITY = 7_071_000.0, 1.06e-3  # m, rad/s
SHIFT = np.array([20.0, 90.0, 0.0])  # m, of the secondary orbit: up and across


def orbit(shift=(0.0, 0.0, 0.0)):
    time = np.arange(-90.0, 91.0, 10.0)
    angle, zero = ANGULAR_VELOCITY * time, np.zeros_like(time)
    position = RADIUS * np.stack([np.cos(angle), zero, np.sin(angle)], axis=1)
    speed = RADIUS * ANGULAR_VELOCITY
    velocity = speed * np.stack([-np.sin(angle), zero, np.cos(angle)], axis=1)
    return StateVectors(time, position + np.asarray(shift), velocity)


def make_burst(lines=400, samples=600, margin=20, **changes):
    """Return a burst like those of IW2, with `margin` lines and samples that hold nothing."""
    first = np.full(lines, margin, np.int32)
    first[:margin] = first[lines - margin :] = -1
    last = np.where(first < 0, -1, samples - margin - 1).astype(np.int32)
    burst = Burst(
        swath="IW2",
        burst_id=7,
        azimuth_time=-0.5,
        azimuth_time_interval=2.0555563e-3,
        slant_range_time=5.85e-3,
        range_sampling_rate=64.345238e6,
        lines=lines,
        samples=samples,
        first_valid_sample=first,
        last_valid_sample=last,
        fm_rate=RangePolynomial(0.0, 5.85e-3, np.array([-2107.6, 3.5e5])),
        doppler_centroid=RangePolynomial(0.0, 5.85e-3, np.array([8.0, -2e4])),
        azimuth_steering_rate=np.radians(0.98),
        radar_frequency=5.405e9,
        orbit=orbit(),
        azimuth_window=SpectralWindow(313.0, 0.75),
        range_window=SpectralWindow(48.3e6, 0.75),
    )
    return dataclasses.replace(burst, **changes)


def secondary_of(burst, late=2.3e-3, **changes):
    """Return the burst as another pass sees it, `late` seconds later on its orbit."""
    changed = {"azimuth_time": burst.azimuth_time + late, "orbit": orbit(SHIFT), **changes}
    return dataclasses.replace(burst, **changed)


def waves(rng, count=5):
    """Return a function of line and sample: some plane waves within the bandwidth."""
    across, along = rng.uniform(-0.25, 0.25, (2, count))
    start = rng.uniform(0.0, 1.0, count)

    def field(line, sample):
        return sum(
            np.exp(2j * np.pi * (a * line + b * sample + c))
            for a, b, c in zip(along, across, start, strict=True)
        )

    return field


def carrier_cycles(burst, line, sample):
    """Return the phase of the carrier in cycles; shapes broadcast."""
    carrier = carrier_at(burst, sample)
    elapsed = burst_time(burst, line) - carrier.reference_time
    return elapsed * (0.5 * carrier.rate * elapsed + carrier.frequency)


def focused(burst, field):
    """Return the pixels of a burst whose baseband is a field, 0 where it holds no data."""
    line, sample = np.indices((burst.lines, burst.samples), sparse=True)
    pixels = field(line, sample) * np.exp(2j * np.pi * carrier_cycles(burst, line, sample))
    valid = np.zeros(pixels.shape)
    valid[slice(*burst.valid_lines), slice(*burst.valid_samples)] = 1.0
    return (pixels * valid).astype(np.complex64)
