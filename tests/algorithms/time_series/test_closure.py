"""Triangles that do not close tell which phases are a cycle off."""

import numpy as np

from algorithms.time_series import network
from algorithms.time_series.closure import corrected_cycles
from algorithms.time_series.network import nearest_pairs

CYCLE = 2.0 * np.pi
NET = network(np.arange(10) * 12, nearest_pairs(10, 3))


def consistent(rng, pixels):
    dates = np.cumsum(rng.normal(0.0, 5.0, (pixels, 10)), axis=1)
    noise = rng.normal(0.0, 0.3, (pixels, len(NET.pairs)))
    return (dates[:, NET.pairs[:, 1]] - dates[:, NET.pairs[:, 0]] + noise).astype(np.float32)


def test_triangles_are_those_of_the_network():
    triplets = NET.triplets()

    closes = NET.pairs[triplets]
    assert (closes[:, 0, 1] == closes[:, 1, 0]).all()
    assert (closes[:, 0, 0] == closes[:, 2, 0]).all()
    assert (closes[:, 1, 1] == closes[:, 2, 1]).all()
    # Spans of one and one, one and two, two and one dates that end before the last.
    assert len(triplets) == 8 + 7 + 7


def test_what_closes_is_left(rng):
    assert not corrected_cycles(consistent(rng, 200), NET.triplets()).any()


def test_single_wrong_cycles_are_found_where_two_triangles_tell(rng):
    phases = consistent(rng, 300)
    told = [k for k in range(len(NET.pairs)) if (NET.triplets() == k).sum() >= 2]
    wrong = rng.choice(told, 300)
    cycles = rng.choice([-1, 1, 2], 300)
    phases[np.arange(300), wrong] += (CYCLE * cycles).astype(np.float32)

    found = corrected_cycles(phases, NET.triplets())

    np.testing.assert_array_equal(found[np.arange(300), wrong], -cycles)
    assert np.count_nonzero(found) == 300


def test_a_pair_of_one_triangle_is_not_told_from_its_others(rng):
    alone = network([0, 12, 24], [(0, 1), (1, 2), (0, 2)])
    phases = np.array([[CYCLE, 0.0, 0.0]], np.float32)

    assert not corrected_cycles(phases, alone.triplets()).any()


def test_missing_pairs_take_no_part(rng):
    phases = consistent(rng, 100)
    phases[:, 5] = np.nan

    assert not corrected_cycles(phases, NET.triplets()).any()
