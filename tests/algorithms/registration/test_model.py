"""A model says the same over any pixels, and as a matrix."""

import numpy as np
import pytest

from algorithms.registration import Model, Shift

POLYNOMIAL = Model(
    "polynomial",
    (49.5, 99.5),
    100.0,
    (0.3, -0.2, 0.1, 0.05, -0.04, 0.02),
    (-1.2, 0.4, 0.2, -0.01, 0.03, 0.06),
)
AFFINE = Model("affine", (49.5, 99.5), 100.0, (0.3, -0.2, 0.1), (-1.2, 0.4, 0.2))


def test_terms_are_those_of_a_second_order_surface():
    row, column = np.array([12.0, 80.0]), np.array([3.0, 140.0])
    v, u = (row - 49.5) / 100, (column - 99.5) / 100
    dy, dx = POLYNOMIAL.at(row, column)
    a, b = POLYNOMIAL.dy, POLYNOMIAL.dx
    expected = [
        c[0] + c[1] * v + c[2] * u + c[3] * v**2 + c[4] * v * u + c[5] * u**2 for c in (a, b)
    ]
    np.testing.assert_allclose([dy, dx], expected, rtol=1e-12)


def test_the_shift_is_that_of_the_centre():
    assert POLYNOMIAL.shift == Shift(0.3, -1.2)
    assert [float(part) for part in POLYNOMIAL.at(*POLYNOMIAL.centre)] == [0.3, -1.2]


def test_pixels_of_another_size_move_by_the_same_metres():
    # Pixels twice as large, from a corner 7 rows and 11 columns further up and left.
    coarse = POLYNOMIAL.regridded(2.0, -7.0, -11.0)
    row, column = np.array([0.0, 31.0]), np.array([5.0, 60.0])
    fine = POLYNOMIAL.at((row + 0.5) * 2 - 7.5, (column + 0.5) * 2 - 11.5)
    np.testing.assert_allclose(coarse.at(row, column), np.array(fine) / 2, rtol=1e-12)


def test_a_matrix_says_where_corners_lie():
    row, column = 30.0, 170.0  # a pixel's centre lies half a pixel from its corner
    dy, dx = AFFINE.at(row, column)
    x, y = AFFINE.matrix() @ (column + 0.5, row + 0.5)
    assert (x, y) == pytest.approx((column + 0.5 + dx, row + 0.5 + dy), rel=1e-12)


def test_a_further_displacement_adds_to_it():
    moved = AFFINE.moved(100.0, -3.0)
    np.testing.assert_allclose(
        np.array(moved.at(5, 6)) - np.array(AFFINE.at(5, 6)), [100.0, -3.0], rtol=1e-12
    )


def test_a_polynomial_is_no_matrix():
    with pytest.raises(ValueError, match="a polynomial is no matrix"):
        POLYNOMIAL.matrix()


def test_coefficients_are_those_of_the_kind():
    with pytest.raises(ValueError, match="expected 3"):
        Model("affine", (0.0, 0.0), 1.0, (1.0,), (1.0,))
