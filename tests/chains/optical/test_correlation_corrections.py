"""Planes, steps and jitter that are put into a field are taken off, and told in metres."""

import numpy as np
import pytest

from peps_wps.chains.correlation_s2.corrections import Sampling, corrected, track_slope
from simulator.optical.displacement import DETECTOR_WIDTH, Attitude, detector_index

SHAPE = (160, 600)
SAMPLING = Sampling(10, 10)
ROW, COLUMN = np.indices(SHAPE, np.float64)
SLOPE = 0.27
DETECTORS = (4 + (COLUMN + SLOPE * ROW) // 258).astype(np.uint8)


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


def tile_of_detectors(parallax, first_column=0):
    """True jitter of nodes every 100 m and their detectors: 26 km wide, and parts of others."""
    row, column = np.indices((160, 700)) * 10.0
    column = column + first_column
    attitude = Attitude((0.03, 0.06), 180.0, (0.0, 0.05), DETECTOR_WIDTH, parallax)
    detectors = 4 + detector_index(row, column).astype(np.uint8)
    return attitude(row, column)[1], detectors


def test_jitter_that_detectors_see_at_other_times_is_taken_off():
    truth, detectors = tile_of_detectors(90.0, first_column=2300)
    rng = np.random.default_rng(4)
    dy, dx = (0.02 * rng.standard_normal((2, *truth.shape))).astype(np.float32)
    noise = dx.copy()
    # Ground that moves below a third of a detector stays.
    motion = np.zeros_like(dx)
    motion[60:100, 350:430] = 0.8
    found = corrected(
        dy, (truth + motion).astype(np.float32) + dx, ("steps", "jitter"), [detectors], SAMPLING
    )
    left = found.dx - noise - motion
    for number in np.unique(detectors):
        inside = left[detectors == number]
        # Of 0.042 in each; a running median of three periods leaves a tenth of the amplitude.
        assert np.std(inside) < 0.012, number


def test_jitter_of_two_orbits_is_taken_off_where_their_detectors_meet():
    truth, detectors = tile_of_detectors(90.0)
    other, others = tile_of_detectors(45.0, first_column=1290)
    rng = np.random.default_rng(5)
    dy, dx = (0.02 * rng.standard_normal((2, *truth.shape))).astype(np.float32)
    field = (truth - other).astype(np.float32)
    found = corrected(dy, field + dx, ("steps", "jitter"), [detectors, others], SAMPLING)
    left = found.dx - dx
    assert np.std(field) > 0.05
    # Where both detectors are a strip of some kilometres, waves of both orbits stay.
    assert np.std(left) < 0.3 * np.std(field)


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
    part = np.s_[:, 200:270]  # 7 km, across one seam
    found = corrected(
        noise[0][part], (wave + noise[1])[part], ("jitter",), [DETECTORS[part]], SAMPLING
    )
    assert "less than 10 km wide" in found.removed["jitter"]
    np.testing.assert_array_equal(found.dx, (wave + noise[1])[part])
