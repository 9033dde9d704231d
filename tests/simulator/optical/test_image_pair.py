"""Pairs move as they say: a rendered displacement is the ground seen from elsewhere."""

import numpy as np
import pytest

from simulator.optical.displacement import Attitude, Fault, Glacier, Ramp, Shift, origin, still
from simulator.optical.ground import reflectance, render
from simulator.optical.image_pair import make_pair

SIZE = 96


def image(row0=0.0, column0=0.0):
    def place(row, column):
        return (column + column0) * 10.0, -(row + row0) * 10.0

    return reflectance(render((SIZE, SIZE), place, seed=4), 3)


def test_a_shift_by_whole_pixels_shows_the_same_ground():
    np.testing.assert_allclose(image(7.0, -3.0)[:-7, 3:], image()[7:, :-3], atol=1e-6)


def test_shares_of_the_ground_sum_to_one():
    ground = render((SIZE, SIZE), lambda row, column: (column * 10.0, row * 10.0), seed=9)
    np.testing.assert_allclose(ground[:3].sum(axis=0), 1.0, atol=1e-5)
    assert ground[3].min() > 0.0


def test_a_pair_without_noise_differs_by_its_displacement_only():
    pair = make_pair(Shift(2.0, -5.0), SIZE, noise=0.0, changed=0.0)
    np.testing.assert_allclose(
        pair.secondary[2:, :-5].astype(int), pair.reference[:-2, 5:].astype(int), atol=1
    )
    assert not pair.is_changed.any()


def test_still_ground_under_noise_keeps_its_level():
    pair = make_pair(still, SIZE, noise=12.0, changed=0.0)
    difference = pair.secondary.astype(float) - pair.reference
    assert difference.std() == pytest.approx(12.0 * np.sqrt(2.0), rel=0.05)


@pytest.mark.parametrize(
    "displacement",
    [
        Ramp((-0.7, 4e-4, 0.0), (1.3, 0.0, -3e-4)),
        Glacier(48.0, 40.0, 6.0, bend=10.0),
        Attitude(),
    ],
)
def test_the_origin_of_a_pixel_moves_onto_it(displacement):
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    before = origin(displacement, row, column)
    dy, dx = displacement(*before)
    inside = slice(10, -10)  # far from seams, where a step has no inverse
    np.testing.assert_allclose((before[0] + dy)[inside, inside], row[inside, inside], atol=1e-4)
    np.testing.assert_allclose((before[1] + dx)[inside, inside], column[inside, inside], atol=1e-4)


def test_the_sides_of_a_fault_slide_apart_by_the_slip():
    fault = Fault(48.0, 48.0, 0.3, 1.6)
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    dy, dx = fault(row, column)
    along = dy * np.sin(0.3) + dx * np.cos(0.3)
    far = np.abs(fault.distance(row, column)) > 1.0
    np.testing.assert_allclose(np.abs(along[far]), 0.8)
    assert along[-1, 0] - along[0, -1] == pytest.approx(1.6)
