"""The kernel of map tiles beside SciPy's interpolation."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from algorithms.regridding import regrid

SHAPE = (48, 40)
WINDOW = (60, 70)


@pytest.fixture
def window(rng) -> np.ndarray:
    return rng.normal(0, 1, WINDOW).astype(np.float32)


def _nodes(transform) -> tuple[np.ndarray, np.ndarray]:
    """Positions of 7 x 6 nodes over the grid: of an affine mapping bilinear is exact."""
    y, x = np.meshgrid(np.linspace(0, SHAPE[0], 7), np.linspace(0, SHAPE[1], 6), indexing="ij")
    return transform(y, x)


def _centres(transform) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.meshgrid(np.arange(SHAPE[0]) + 0.5, np.arange(SHAPE[1]) + 0.5, indexing="ij")
    return transform(y, x)


def _rotated(y, x):
    return 3.3 + 0.9 * y + 0.2 * x, 12.1 - 0.2 * y + 0.9 * x


def test_nearest_takes_the_pixel_that_each_centre_falls_into(window):
    values = regrid(window, *_nodes(_rotated), shape=SHAPE)

    rows, columns = _centres(_rotated)
    np.testing.assert_array_equal(values, window[rows.astype(int), columns.astype(int)])


def test_bilinear_is_that_of_scipy(window):
    values = regrid(window, *_nodes(_rotated), shape=SHAPE, method="bilinear")

    rows, columns = _centres(_rotated)
    truth = map_coordinates(window.astype(float), [rows - 0.5, columns - 0.5], order=1)
    # Weights and products in float32, of values up to 4.
    np.testing.assert_allclose(values, truth, atol=4e-6)


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_no_data_stays_where_it_is_and_spreads_nowhere(window, method):
    holed = window.copy()
    holed[10:20, 15:30] = np.nan

    values = regrid(holed, *_nodes(_rotated), shape=SHAPE, method=method)

    rows, columns = _centres(_rotated)
    np.testing.assert_array_equal(
        np.isnan(values), np.isnan(holed[rows.astype(int), columns.astype(int)])
    )


def test_the_mean_beside_no_data_is_that_of_the_valid_pixels():
    window = np.array([[1.0, np.nan], [np.nan, 5.0]], np.float32)
    # One centre, at (0.75, 0.75): weights 9, 3, 3 and 1 sixteenths.
    nodes = np.meshgrid([0.5, 1.0], [0.5, 1.0], indexing="ij")

    value = regrid(window, *nodes, shape=(1, 1), method="bilinear")

    assert value[0, 0] == pytest.approx((9 * 1 + 1 * 5) / 10)


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_nothing_is_outside_the_raster_or_where_nodes_lie_nowhere(window, method):
    rows, columns = _nodes(lambda y, x: (y - 20.0, x + 40.0))
    rows[:, -1] = np.nan

    values = regrid(window, rows, columns, shape=SHAPE, method=method)

    assert np.isnan(values[:20]).all()
    assert np.isnan(values[:, 32:]).all()
    # Column 31 + 40.5 lies beyond the 70 columns too.
    assert np.isfinite(values[20:, :30]).all()
    assert np.isnan(values[:, 30:]).all()


def test_a_raster_of_one_pixel_fills_what_it_covers():
    nodes = np.meshgrid([0.0, 1.0], [0.0, 1.0], indexing="ij")

    values = regrid(np.full((1, 1), 7, np.float32), *nodes, shape=(4, 4), method="bilinear")

    np.testing.assert_array_equal(values, np.full((4, 4), 7))


def test_nodes_that_span_nothing_are_refused(window):
    with pytest.raises(ValueError, match="2 x 2 or more"):
        regrid(window, np.zeros((1, 2)), np.zeros((1, 2)), shape=SHAPE)
