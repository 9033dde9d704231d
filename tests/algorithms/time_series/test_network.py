"""Pairs that are the sides of Delaunay's triangles."""

import itertools

import numpy as np
import pytest

from algorithms.time_series.network import delaunay_pairs, network

# A circle through three dates that holds none other, but for what doubles leave.
ROOM = 1e-9


def circle_of(corners: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and squared radius of the circle through three places."""
    moved = corners[1:] - corners[0]
    centre = np.linalg.solve(2 * moved, (moved**2).sum(axis=1))
    return corners[0] + centre, float(centre @ centre)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_sides_of_triangles_with_nothing_in_their_circles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = np.sort(rng.uniform(0, 400, 12))
    baselines = rng.normal(0, 80, 12)
    places = np.column_stack([days / np.ptp(days), baselines / np.ptp(baselines)])
    expected = set()
    for triangle in itertools.combinations(range(12), 3):
        centre, square = circle_of(places[list(triangle)])
        if (((places - centre) ** 2).sum(axis=1) > square - ROOM).all():
            expected |= set(itertools.combinations(triangle, 2))

    found = delaunay_pairs(days, baselines)

    assert {(int(i), int(j)) for i, j in found} == expected
    assert network(days, found).parts().max() == 0


@pytest.mark.parametrize("baselines", [[5.0, 5.0, 5.0, 5.0], [0.0, 12.0, 24.0, 36.0]])
def test_dates_on_one_line_make_pairs_with_the_next(baselines: list[float]) -> None:
    found = delaunay_pairs(np.array([0.0, 12.0, 24.0, 36.0]), np.array(baselines))
    assert found.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_two_dates_are_a_pair() -> None:
    assert delaunay_pairs(np.array([0.0, 12.0]), np.array([0.0, 50.0])).tolist() == [[0, 1]]
