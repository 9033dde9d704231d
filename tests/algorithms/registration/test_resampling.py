"""Resampling is interpolation by cubic B-splines, part by part, with no data kept apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from algorithms.block import Block
from algorithms.correlation.images import Image
from algorithms.registration import Model
from algorithms.registration.resampling import needed, on_block

SHAPE = (120, 140)
BENT = Model(
    "polynomial",
    (60.0, 70.0),
    70.0,
    (1.3, 0.4, -0.2, 0.3, 0.1, 0.2),
    (-2.6, 0.3, 0.5, 0.0, 0.2, 0.1),
)
WHOLE = Block(0, 0, *SHAPE)


def shift(dy, dx):
    return Model("shift", (60.0, 70.0), 70.0, (dy,), (dx,))


@pytest.fixture
def image(rng):
    noise = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 1.0)
    return (2_000 + 3_000 * noise).astype(np.float32)


def test_values_are_those_of_the_spline(image):
    values, valid = on_block(Image(image), BENT, WHOLE)
    row, column = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    dy, dx = BENT.at(row, column)
    places = row + dy, column + dx
    expected = ndimage.map_coordinates(image.astype(float), places, order=3, mode="mirror")
    inside = np.logical_and.reduce(
        [(place >= 0) & (place <= side - 1) for place, side in zip(places, SHAPE, strict=True)]
    )
    np.testing.assert_array_equal(valid == 1, inside)
    # float32 of values up to 5,000, and a filter cut off at 1e-6.
    np.testing.assert_allclose(values[inside], expected[inside], atol=0.05)
    assert (values[~inside] == 0).all()


def test_parts_are_those_of_the_whole(image):
    whole, valid = on_block(Image(image), BENT, WHOLE)
    for block in (Block(0, 0, 50, 140), Block(50, 33, 70, 64), Block(119, 139, 1, 1)):
        part, known = on_block(Image(image), BENT, block)
        at = np.s_[block.row : block.row + block.rows, block.column : block.column + block.columns]
        np.testing.assert_array_equal(known, valid[at])
        # The filter of the spline is cut off at 1e-6 of the values.
        np.testing.assert_allclose(part, whole[at], atol=0.05)


def test_whole_shifts_copy_pixels(image):
    values, valid = on_block(Image(image), shift(3.0, -2.0), WHOLE)
    np.testing.assert_allclose(values[:-3, 2:], image[3:, :-2], atol=0.05)
    np.testing.assert_array_equal(valid[:-3, 2:], 1)
    assert not valid[-3:].any()
    assert not valid[:, :2].any()


def test_what_has_no_data_mixes_with_nothing(image):
    hole = image.copy()
    hole[40:60, 50:70] = np.nan
    values, valid = on_block(Image(hole), shift(0.25, 0.0), WHOLE)
    # Rows 39.25 to 59.25 touch the hole; columns lie on pixels.
    expected = np.ones(SHAPE, np.uint8)
    expected[39:60, 50:70] = 0
    expected[-1] = 0
    np.testing.assert_array_equal(valid, expected)
    assert (np.abs(values[valid == 1] - 2_000) < 5_000).all()


def test_an_image_elsewhere_gives_nothing(image):
    values, valid = on_block(Image(image), shift(500.0, 0.0), WHOLE)
    assert not valid.any()
    assert not values.any()


@settings(max_examples=30)
@given(
    st.floats(-200, 200), st.floats(-200, 200),
    st.integers(0, 119), st.integers(0, 139), st.integers(1, 60), st.integers(1, 60),
)  # fmt: skip
def test_what_is_needed_holds_all_that_is_asked(dy, dx, row, column, rows, columns):
    part = needed(shift(dy, dx), Block(row, column, rows, columns), SHAPE)
    first, last = (max(row + dy, 0), min(row + rows - 1 + dy, SHAPE[0] - 1))
    if part.rows > 0:
        assert part.row >= 0
        assert part.row + part.rows <= SHAPE[0]
    if first <= last:
        assert part.row <= first
        assert part.row + part.rows > last
