"""The carrier of TOPS bursts against figures computed apart from real annotations."""

import numpy as np
import pytest

from algorithms.interferometry.carrier import (
    burst_time,
    carrier_at,
    doppler_frequency,
    steering_rate,
)
from tests.algorithms.interferometry.scene import carrier_cycles, make_burst

# 2025-04-06, burst 4 (counted from 0), middle of the range: k_s, k_a, k_t in Hz/s, Doppler span of
# the burst in Hz, lines and samples.
REFERENCE = {
    "IW1": (7596.383, -2242.547, 1731.412, 5346.0, (1502, 22612)),
    "IW2": (4680.298, -2107.634, 1453.220, 4520.0, (1513, 26395)),
    "IW3": (6674.878, -1979.845, 1526.938, 4765.0, (1518, 25384)),
}


@pytest.mark.parametrize("swath", REFERENCE)
def test_rates_of_a_real_burst_are_those_of_the_reference_table(real_bursts, swath):
    steering, focusing, rate, span, shape = REFERENCE[swath]
    burst = real_bursts[0][swath][4]
    middle = burst.samples // 2
    tau = burst.slant_range_time + middle / burst.range_sampling_rate

    # The table is given to a thousandth.
    assert steering_rate(burst) == pytest.approx(steering, abs=2e-3)
    assert float(burst.fm_rate.at(tau)) == pytest.approx(focusing, abs=2e-3)
    assert float(carrier_at(burst, middle).rate) == pytest.approx(rate, abs=2e-3)
    lines = doppler_frequency(burst, np.array([0.0, burst.lines]), middle)
    assert np.ptp(lines) == pytest.approx(span, abs=1.0)
    assert (burst.lines, burst.samples) == shape


# Seconds between bursts, lines that two bursts share, azimuth and range bandwidth.
TIMING = {
    "IW1": (2.758556, 160, 327.0, 56.50e6, 0.70),
    "IW2": (2.760612, 170, 313.0, 48.30e6, 0.75),
    "IW3": (2.758557, 176, 314.0, 42.79e6, 0.75),
}


@pytest.mark.parametrize("swath", TIMING)
def test_bursts_follow_each_other_as_the_reference_table_says(real_bursts, swath):
    period, shared, azimuth, across, hamming = TIMING[swath]
    first, second = real_bursts[0][swath][4:6]
    apart = second.azimuth_time - first.azimuth_time

    assert apart == pytest.approx(period, abs=2e-6)
    assert first.lines - round(apart / first.azimuth_time_interval) == pytest.approx(shared, abs=1)
    assert first.azimuth_window.bandwidth == azimuth
    assert first.azimuth_window.hamming == hamming
    assert first.range_window.bandwidth == pytest.approx(across, rel=1e-3)


def test_sampling_of_real_bursts(real_bursts):
    burst = real_bursts[0]["IW1"][4]

    assert burst.wavelength == pytest.approx(0.05546576, abs=5e-9)
    assert 1.0 / burst.azimuth_time_interval == pytest.approx(486.486, abs=1e-3)
    speed = np.linalg.norm(burst.orbit_polynomial.velocity(burst.mid_time))
    assert speed == pytest.approx(7589.7, abs=0.1)


def test_doppler_is_the_slope_of_the_carrier():
    burst = make_burst()
    line, sample = np.indices((burst.lines, burst.samples))[:, ::37, ::53].astype(float)

    step = 1e-3
    after, before = (carrier_cycles(burst, line + s, sample) for s in (step, -step))
    slope = (after - before) / (2.0 * step * burst.azimuth_time_interval)

    # A quadratic: central differences are exact up to rounding, 1e-13 of 1e3 cycles in 4e-6 s.
    np.testing.assert_allclose(doppler_frequency(burst, line, sample), slope, atol=1e-4)


def test_the_middle_of_the_burst_and_of_the_swath_has_no_carrier():
    burst = make_burst()

    assert burst_time(burst, burst.lines / 2) == 0.0
    assert carrier_cycles(burst, burst.lines / 2, burst.samples / 2) == pytest.approx(
        0.0, abs=1e-12
    )
