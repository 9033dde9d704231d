"""Planes, steps and jitter that are put into a field are taken off, and told in metres."""

import numpy as np
import pytest

from peps_wps.chains.correlation_s2.corrections import Sampling, corrected, track_slope

SHAPE = (160, 200)
SAMPLING = Sampling(10, 10)
ROW, COLUMN = np.indices(SHAPE, np.float64)
SLOPE = 0.27
DETECTORS = (4 + (COLUMN + SLOPE * ROW) // 70).astype(np.uint8)


@pytest.fixture
def noise():
    return (0.02 * np.random.default_rng(2).standard_normal((2, *SHAPE))).astype(np.float32)


def test_the_direction_of_the_track_is_that_of_its_seams():
    assert track_slope(DETECTORS) == pytest.approx(SLOPE, abs=0.01)


def test_one_detector_tells_no_direction():
    assert track_slope(np.full(SHAPE, 5, np.uint8)) is None


def test_what_the_instrument_adds_is_taken_off(noise):
    plane = 0.4 + 1e-3 * ROW
    steps = np.where(DETECTORS % 2, 0.05, 0.0)
    wave = 0.06 * np.sin(2.0 * np.pi * (ROW - SLOPE * COLUMN) / 18.0)
    dx = (plane + steps + wave).astype(np.float32) + noise[0]
    found = corrected(noise[1], dx, ("plane", "steps", "jitter"), [DETECTORS, None], SAMPLING)
    # Of 0.06 / sqrt(2) + 0.025 of steps little is left beside the noise of 0.02.
    assert np.std(found.dx) < 0.025
    assert found.removed["plane"]["ew"]["middle_m"] == pytest.approx(4.8, abs=0.3)
    assert found.removed["plane"]["ew"]["by_km_south_m"] == pytest.approx(0.1, abs=0.01)
    assert found.removed["steps"]["ew"]["largest_m"] == pytest.approx(0.5, abs=0.15)
    assert found.removed["jitter"]["ew"]["rms_m"] == pytest.approx(0.42, abs=0.08)
    assert abs(found.removed["plane"]["ns"]["middle_m"]) < 0.02


def test_steps_are_taken_off_and_a_plane_left(noise):
    plane = (1e-3 * ROW + 2e-3 * COLUMN).astype(np.float32)
    steps = np.where(DETECTORS % 2, 0.05, 0.0).astype(np.float32)
    found = corrected(noise[1], plane + steps + noise[0], ("steps",), [DETECTORS], SAMPLING)
    assert np.std(found.dx - plane) < 0.025


def test_nothing_is_taken_off_unasked(noise):
    found = corrected(noise[0], noise[1], (), [DETECTORS], SAMPLING)
    np.testing.assert_array_equal(found.dy, noise[0])
    assert found.removed == {}


def test_a_narrow_field_keeps_what_oscillates(noise):
    wave = (0.06 * np.sin(2.0 * np.pi * ROW / 18.0)).astype(np.float32)
    part = np.s_[:, 50:120]  # 7 km, across one seam
    found = corrected(
        noise[0][part], (wave + noise[1])[part], ("jitter",), [DETECTORS[part]], SAMPLING
    )
    assert "less than 10 km wide" in found.removed["jitter"]
    np.testing.assert_array_equal(found.dx, (wave + noise[1])[part])
