"""What the air adds is found, what the ground does is left."""

import numpy as np
import pytest

from algorithms.time_series import inverter, network
from algorithms.time_series.atmosphere import Trend, trend_of_network, turbulent_delay
from algorithms.time_series.network import nearest_pairs
from algorithms.time_series.reference import ReferenceBlock, best_block, referenced

NET = network(np.arange(9) * 12, nearest_pairs(9, 2))
SHAPE = (60, 70)


@pytest.fixture
def elevation(rng):
    row, column = np.indices(SHAPE)
    return (500 + 300 * np.sin(row / 9) * np.cos(column / 7)).astype(np.float32)


def test_planes_and_stratified_air_go_and_a_bowl_stays(rng, elevation):
    row, column = np.indices(SHAPE)
    bowl = np.exp(-((row - 30) ** 2 + (column - 35) ** 2) / 40)
    slopes = rng.normal(0.0, [[0.02], [0.03], [2.0]], (3, 9))
    air = (
        slopes[0][:, None, None] * row
        + slopes[1][:, None, None] * column
        + slopes[2][:, None, None] * elevation / 1000
    )
    ground = np.arange(9)[:, None, None] * 0.3 * bowl
    dates = air + ground
    pairs = dates[NET.pairs[:, 1]] - dates[NET.pairs[:, 0]]
    pairs += rng.normal(0.0, 0.05, pairs.shape)
    pairs[:, 5:9, 5:9] = np.nan

    left = pairs - trend_of_network(pairs, NET, Trend(elevation=elevation))

    expected = ground[NET.pairs[:, 1]] - ground[NET.pairs[:, 0]]
    error = left - expected
    error -= np.nanmedian(error, axis=(1, 2), keepdims=True)  # a reference settles the offset
    # Coefficients of 4000 pixels with noise 0.05 are known to some 0.003 over the image.
    assert np.sqrt(np.nanmean(error**2)) < 0.055


def test_triangles_close_as_before(rng):
    pairs = rng.normal(0.0, 1.0, (len(NET.pairs), *SHAPE))

    trend = trend_of_network(pairs, NET, Trend())

    one, two, three = NET.triplets().T
    np.testing.assert_allclose(trend[one] + trend[two], trend[three], atol=1e-5)


def test_too_few_pixels_tell_no_trend():
    pairs = np.full((len(NET.pairs), 5, 5), np.nan)
    with pytest.raises(ValueError, match="too few for a trend of 3 terms"):
        trend_of_network(pairs, NET, Trend())


def test_air_is_what_changes_from_date_to_date_and_is_smooth(rng):
    net = network(np.arange(40) * 12, nearest_pairs(40, 1))
    row, column = np.indices(SHAPE)
    air = rng.normal(0.0, 1.0, (40, 1, 1)) * np.sin(row / 20) * np.cos(column / 20)
    ground = np.sin(np.arange(40) / 15)[:, None, None] * np.exp(
        -((row - 30) ** 2 + (column - 35) ** 2) / 40
    )
    series = (air + ground - air[0] - ground[0]).astype(np.float32)
    series[:, 3, 3] = np.nan

    left = series - turbulent_delay(series, net, smooth_pixels=4.0)

    def spread(values):
        return np.nanstd(np.diff(values, axis=0))

    # Half of what a Gaussian of 60 days holds of independent dates stays: 1 / sqrt(17).
    assert spread(left - ground) < 0.35 * spread(air)
    assert np.isnan(left[:, 3, 3]).all()


def test_a_reference_is_zero_in_every_pair(rng):
    pairs = rng.normal(5.0, 1.0, (4, 20, 20)).astype(np.float32)
    pairs[2] = np.nan
    block = ReferenceBlock(3, 19, 2)

    told = referenced(pairs, block)

    rows, columns = block.window((20, 20))
    np.testing.assert_allclose(told[[0, 1, 3], rows, columns].mean(axis=(1, 2)), 0.0, atol=1e-6)
    assert np.isnan(told[2]).all()
    with pytest.raises(ValueError, match="lies outside"):
        referenced(pairs, ReferenceBlock(20, 0))


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
    after = solver.solve(referenced(pairs, ReferenceBlock(0, 0, 0))).values

    np.testing.assert_allclose(after, before - before[:, :1, :1], atol=1e-4)
