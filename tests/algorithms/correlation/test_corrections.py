"""What is put into a field is taken out of it, and motion of the ground stays."""

import numpy as np
import pytest

from algorithms.correlation.corrections import (
    detector_steps,
    fitted_plane,
    jitter,
    vector_median,
)

SHAPE = (120, 150)
ROW, COLUMN = np.indices(SHAPE, np.float32)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def noisy(field, rng, sigma=0.02):
    return (field + sigma * rng.standard_normal(SHAPE)).astype(np.float32)


def test_a_plane_is_fitted_beside_moving_ground(rng):
    truth = 0.3 + 2e-3 * ROW - 1e-3 * COLUMN
    field = noisy(truth, rng)
    field[20:60, 30:90] += 2.5  # a third of the answers
    field[rng.random(SHAPE) < 0.1] = np.nan
    error = fitted_plane(field).over(SHAPE) - truth
    assert np.abs(error).max() < 0.01


def test_a_plane_through_stable_ground_ignores_the_majority(rng):
    field = noisy(np.zeros(SHAPE), rng)
    stable = np.zeros(SHAPE, np.bool_)
    stable[:, :30] = True
    field[~stable] += 1.0
    assert np.abs(fitted_plane(field, stable).over(SHAPE)[:, :30]).max() < 0.01


def test_a_field_without_answers_has_no_plane():
    with pytest.raises(ValueError, match="0 nodes are answered, 30 are needed"):
        fitted_plane(np.full(SHAPE, np.nan, np.float32))


def test_steps_of_detectors_are_found_and_ramps_stay(rng):
    detectors = (4 + (COLUMN + 0.27 * ROW) // 60).astype(np.uint8)
    true_steps = np.where(detectors % 2, 0.05, 0.0)
    ramp = 1e-3 * COLUMN
    found = detector_steps(noisy(true_steps + ramp, rng), detectors)
    change = found - true_steps
    assert np.ptp(change) < 0.025  # the ramp over the nodes compared adds its own 0.008 a seam
    assert abs(found.mean()) < 1e-3


def test_seams_without_answers_make_no_step():
    detectors = np.where(COLUMN < 70, 4, 5).astype(np.uint8)
    empty = np.full(SHAPE, np.nan, np.float32)
    np.testing.assert_array_equal(detector_steps(empty, detectors), 0.0)


def test_jitter_is_found_and_slow_motion_stays(rng):
    along = ROW - 0.27 * COLUMN
    wave = 0.06 * np.sin(2.0 * np.pi * along / 12.0)
    slow = 0.2 * np.sin(2.0 * np.pi * along / 300.0)
    found = jitter(noisy(wave + slow, rng), along.astype(np.float64), bin_width=1.0)
    assert np.std(found - wave) < 0.012
    assert np.corrcoef(found.ravel(), wave.ravel())[0, 1] > 0.97


def test_jitter_of_nothing_is_nothing():
    empty = np.full(SHAPE, np.nan, np.float32)
    np.testing.assert_array_equal(jitter(empty, ROW.astype(np.float64), bin_width=2.0), 0.0)


def test_a_vector_median_removes_spikes_and_keeps_an_edge(rng):
    dy = np.where(COLUMN < 75, 0.0, 1.6).astype(np.float32)
    dx = -dy
    spiked = dy.copy()
    spikes = rng.random(SHAPE) < 0.02
    spiked[spikes] += 5.0
    hole = (ROW == 10) & (COLUMN == 10)
    spiked[hole] = np.nan
    out_y, out_x = vector_median(spiked, dx)
    assert np.isnan(out_y[hole]).all()
    away = ~hole & (np.abs(COLUMN - 74.5) > 2)
    np.testing.assert_array_equal(out_y[away], dy[away])
    np.testing.assert_array_equal(out_x[away], dx[away])
    # A twin in NumPy at one node.
    part = np.stack([spiked[30:33, 73:76].ravel(), dx[30:33, 73:76].ravel()], axis=1)
    total = np.linalg.norm(part[:, None] - part[None], axis=2).sum(axis=1)
    assert (out_y[31, 74], out_x[31, 74]) == tuple(part[total.argmin()])
