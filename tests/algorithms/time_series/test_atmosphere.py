"""What the air adds is found, what the ground does is left."""

import numpy as np
import pytest

from algorithms.time_series import inverter, network
from algorithms.time_series.atmosphere import fitted_trend
from algorithms.time_series.network import nearest_pairs
from algorithms.time_series.reference import ReferenceBlock, best_block

NET = network(np.arange(9) * 12, nearest_pairs(9, 2))
SHAPE = (60, 70)


def test_planes_and_stratified_air_are_found_beside_ground_that_moves(rng):
    row, column = np.indices(SHAPE)
    elevation = 0.5 + 0.3 * np.sin(row / 9) * np.cos(column / 7)  # km
    basis = np.stack([np.ones(SHAPE), row / SHAPE[0] - 0.5, column / SHAPE[1] - 0.5, elevation])
    bowl = 3.0 * np.exp(-((row - 30) ** 2 + (column - 35) ** 2) / 40)
    for slopes in rng.normal(0.0, 2.0, (5, 4)):
        trend = np.tensordot(slopes, basis, axes=1)
        image = trend + bowl + rng.normal(0.0, 0.05, SHAPE)
        image[5:9, 5:9] = np.nan

        found = np.tensordot(fitted_trend(image, basis), basis, axes=1)

        # Four terms of 4,000 pixels with noise of 0.05 are known to 0.002; the rim of the bowl, as
        # low as the noise, adds some 0.005.
        assert np.sqrt(np.mean((found - trend) ** 2)) < 0.01


def test_too_few_pixels_tell_no_trend():
    with pytest.raises(ValueError, match="too few for a trend of 3 terms"):
        fitted_trend(np.full((5, 5), np.nan), np.ones((3, 5, 5)))


def test_a_reference_outside_the_image_is_refused():
    with pytest.raises(ValueError, match="lies outside"):
        ReferenceBlock(20, 0).window((20, 20))


def test_the_best_block_is_where_no_pair_is_bad(rng):
    coherence = rng.uniform(0.2, 0.5, (5, 30, 40))
    coherence[:, 10:15, 20:25] = 0.9
    coherence[:4, 1:6, 1:6] = 1.0  # better, except in one pair

    assert best_block(coherence) == ReferenceBlock(12, 22, 2)


def test_a_reference_does_not_change_what_differs_between_pixels(rng):
    dates = np.cumsum(rng.normal(0.0, 1.0, (9, 6, 6)), axis=0)
    pairs = (dates[NET.pairs[:, 1]] - dates[NET.pairs[:, 0]]).astype(np.float32)
    solver = inverter(np.arange(9) * 12, NET.pairs)

    before = solver.solve(pairs).values
    after = solver.solve(pairs - pairs[:, :1, :1]).values

    np.testing.assert_allclose(after, before - before[:, :1, :1], atol=1e-4)
