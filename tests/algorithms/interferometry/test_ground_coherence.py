"""Coherence of cells that are joined, of speckle with a known one."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d
from scipy.special import gamma

from algorithms.interferometry.cells import Looks, PairCells
from algorithms.interferometry.coherence import expected_coherence, unbiased_coherence
from algorithms.interferometry.ground_coherence import (
    COHERENCE_LOOKS,
    coherence_window,
    expected_magnitude,
    ground_coherence,
)
from algorithms.interferometry.model import SpectralWindow
from benchmarks.coherence import Sampled, pair_of, sloped, speckle
from tests.algorithms.interferometry.scene import make_burst

SIDE = 96
EXTRA_WIDE = {
    "azimuth_time_interval": 2.919194958309765e-3,
    "range_sampling_rate": 2.502314816e7,
    "azimuth_window": SpectralWindow(233.0, 0.5),
    "range_window": SpectralWindow(14.4e6, 0.6),
}
INNER = np.s_[8:-8, 8:-8]


def images(looks, **changes):
    """Two images of speckle that have nothing in common."""
    sampled = Sampled(make_burst(**changes), looks, (SIDE * looks.azimuth, SIDE * looks.range))
    rng = np.random.default_rng(4)
    return sampled, speckle(sampled, rng), speckle(sampled, rng)


@pytest.fixture(scope="module")
def few():
    """Of the looks that S1_COHERENCE takes by default."""
    return images(Looks(2, 10))


def joined(cells, sampled, least=COHERENCE_LOOKS):
    window = coherence_window(sampled.burst, sampled.looks, least)
    return ground_coherence(cells, [(slice(0, cells.interferogram.shape[1]), window)])


@pytest.mark.parametrize("coherence", [0.2, 0.4, 0.6, 0.9])
def test_coherences_of_few_looks_are_those_of_the_ground(few, coherence):
    sampled, first, other = few

    found = joined(pair_of(first, other, coherence, sampled), sampled)[INNER]

    # 0.003 is left of the bias at 0.2; 600 independent windows of 0.08 scatter by 0.003.
    assert found.mean() == pytest.approx(coherence, abs=0.01)


def test_the_same_holds_for_extra_wide_swaths_and_for_many_looks():
    for looks, changes in ((Looks(2, 10), EXTRA_WIDE), (Looks(4, 20), {})):
        sampled, first, other = images(looks, **changes)
        found = joined(pair_of(first, other, 0.3, sampled), sampled)[INNER]
        assert found.mean() == pytest.approx(0.3, abs=0.01)


def test_a_slope_of_the_phase_costs_no_coherence(few):
    sampled, first, other = few
    cells = pair_of(first, other, 0.7, sampled)

    # 0.3 radians a cell: a fringe of 21 cells.
    steep = joined(sloped(cells), sampled)[INNER]

    assert steep.mean() == pytest.approx(joined(cells, sampled)[INNER].mean(), abs=2e-3)


def test_noise_has_no_slope_that_makes_it_coherent(few):
    sampled, first, other = few

    found = joined(pair_of(first, other, 0.0, sampled), sampled)[INNER]

    # The mean of what is above 0 by chance: half of the Rayleigh mean of 100 looks, 0.089.
    assert found.mean() < 0.05


def test_a_bright_target_lends_its_coherence_to_nothing_around(few):
    sampled, first, other = few
    cells = pair_of(first, other, 0.0, sampled)
    before = joined(cells, sampled)
    for part in cells[2:]:
        part[40, 40] = 1e4

    after = joined(cells, sampled)

    # One cell of some 14 that count.
    assert np.abs(after - before).max() < 0.25
    assert np.abs(after - before)[41:44, 41:44].max() < 0.2


def test_a_border_is_as_sharp_as_the_window(few):
    sampled, first, other = few
    half = SIDE // 2 * sampled.looks.range
    truth = np.where(np.arange(first.shape[1]) < half, 0.9, 0.3).astype(np.float32)

    profile = joined(pair_of(first, other, truth, sampled), sampled).mean(axis=0)

    # Weights reach to four cells, 1 % of them lie beyond the third.
    assert profile[8 : SIDE // 2 - 3] == pytest.approx(0.9, abs=0.02)
    assert profile[SIDE // 2 + 3 : -8].mean() == pytest.approx(0.3, abs=0.02)


def test_cells_at_the_edge_have_no_more_bias(few):
    sampled, first, other = few
    cells = pair_of(first, other, 0.6, sampled)
    for part in cells[2:]:
        part[:, :48] = 0.0
        part[40:44] = 0.0

    found = joined(cells, sampled)

    assert np.array_equal(np.isnan(found), cells.reference_power == 0.0)
    edge = np.concatenate([found[[0, 39, 44, 95], 48:].ravel(), found[:, 48]])
    # 250 cells of half the looks: scatter 0.06, a tenth of them independent.
    assert np.nanmean(edge) == pytest.approx(0.6, abs=0.03)


def test_strips_and_columns_of_swaths_join_without_a_seam(few, monkeypatch):
    sampled, first, other = few
    cells = pair_of(first, other, 0.5, sampled)
    whole = joined(cells, sampled)
    window = coherence_window(sampled.burst, sampled.looks)

    monkeypatch.setattr("algorithms.interferometry.ground_coherence._STRIP_CELLS", 1)
    parts = ground_coherence(cells, [(slice(0, 30), window), (slice(30, SIDE), window)])

    np.testing.assert_allclose(parts, whole, atol=2e-5)


def test_one_look_wanted_takes_every_cell_alone(few):
    sampled, first, other = few
    cells = pair_of(first, other, 0.5, sampled)
    window = coherence_window(sampled.burst, sampled.looks, 1.0)

    found = joined(cells, sampled, 1.0)

    assert window.sigma == 0.0
    np.testing.assert_array_equal(found, unbiased_coherence(cells.coherence, window.looks))


def test_windows_have_the_looks_that_are_wanted(few):
    sampled, first, other = few
    window = coherence_window(sampled.burst, sampled.looks)
    power = pair_of(first, other, 0.0, sampled).reference_power
    joined_power = correlate1d(correlate1d(power, window.weights, 0), window.weights, 1)[INNER]

    scatter = (joined_power.mean() / joined_power.std()) ** 2

    assert window.looks == pytest.approx(COHERENCE_LOOKS, rel=0.01)
    # A variance of some 600 independent windows is known within 6 %.
    assert scatter == pytest.approx(window.looks, rel=0.2)


@pytest.mark.parametrize("looks", [10.0, 60.0, 99.0, 400.0])
def test_the_mean_of_one_cell_is_that_of_its_sample_coherence(looks):
    ground, expected = expected_magnitude(looks, 1.0)

    # By another law, exact where Rice's is near: the more looks the nearer.
    np.testing.assert_allclose(expected, expected_coherence(ground, looks), atol=0.08 / looks)


def test_joined_cells_of_many_looks_keep_high_coherences():
    window = coherence_window(make_burst(), Looks(8, 40), 200.0)
    power = np.ones((12, 12), np.float32)
    cells = PairCells(0, 0, np.full((12, 12), 0.98, np.complex64), power, power)

    found = ground_coherence(cells, [(slice(0, 12), window)])

    assert 100.0 < window.cell_looks < window.looks
    np.testing.assert_allclose(found, 0.98, atol=1e-3)


@pytest.mark.parametrize("looks", [2.0, 9.0])
def test_no_coherence_and_full_coherence_show_what_they_must(looks):
    ground, expected = expected_magnitude(looks, 40.0)

    assert (ground[0], ground[-1]) == (0.0, 1.0)
    # Rayleigh's mean of a variance of 1 / (looks of all); nothing is left to scatter at 1.
    assert expected[0] == pytest.approx(gamma(1.5) / np.sqrt(40.0 * looks), rel=1e-6)
    assert expected[-1] == pytest.approx(1.0, abs=1e-6)
    assert np.all(np.diff(expected) > 0.0)
