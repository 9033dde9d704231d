"""Interpolation against SciPy, exactness on polynomials, and what no-data does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from algorithms.radar.resampling import RADIUS, WEIGHTS, resample

METHODS = tuple(RADIUS)
SHAPE = (40, 50)


def places(rng, shape=SHAPE, margin=3.0, count=(30, 30)):
    line = rng.uniform(margin, shape[0] - 1 - margin, count).astype(np.float32)
    sample = rng.uniform(margin, shape[1] - 1 - margin, count).astype(np.float32)
    return line, sample


def speckle(rng, shape=SHAPE):
    return rng.gamma(4.4, 0.1 / 4.4, shape).astype(np.float32)


def twin(window, line, sample, method):
    """The same sum in NumPy, neighbours beyond the window repeating its edge."""
    radius = RADIUS[method]
    top, left = np.floor(line).astype(int), np.floor(sample).astype(int)
    offsets = np.arange(1 - radius, radius + 1)
    rows = np.clip(top[..., None] + offsets, 0, window.shape[0] - 1)
    columns = np.clip(left[..., None] + offsets, 0, window.shape[1] - 1)
    squares = window[rows[..., :, None], columns[..., None, :]].astype(float)
    distance = [np.abs((place - np.floor(place))[..., None] - offsets) for place in (line, sample)]
    if method == "bilinear":
        weights = [np.maximum(1.0 - d, 0.0) for d in distance]
    elif method == "bicubic":
        weights = [
            np.where(
                d < 1,
                1.5 * d**3 - 2.5 * d**2 + 1,
                np.where(d < 2, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2, 0),
            )
            for d in distance
        ]
    else:
        weights = [np.sinc(d) * np.sinc(d / 3) * (d < 3) for d in distance]
        weights = [w / w.sum(axis=-1, keepdims=True) for w in weights]
    return np.einsum("...i,...ij,...j->...", weights[0], squares, weights[1])


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos"])
def test_interpolation_is_the_sum_that_its_name_says(rng, method):
    window = speckle(rng)
    line, sample = places(rng, margin=-0.5)

    values = resample(window, line, sample, method=method)

    # Tabulated weights are a 2048th of a pixel off at most: slope of the kernel times 0.6 of
    # the largest value.
    expected = np.maximum(twin(window, line, sample, method), 1e-7)
    tolerance = 1e-6 if method == "bilinear" else 2e-3 * window.max()
    np.testing.assert_allclose(values, expected, atol=tolerance)


def test_bilinear_is_scipy_s_linear_spline(rng):
    window = speckle(rng)
    line, sample = places(rng)

    expected = map_coordinates(window.astype(float), [line, sample], order=1)

    np.testing.assert_allclose(
        resample(window, line, sample, method="bilinear"), expected, rtol=3e-6
    )


def test_nearest_is_the_pixel_that_the_position_falls_into(rng):
    window = speckle(rng)
    line, sample = places(rng, margin=-0.499)

    values = resample(window, line, sample, method="nearest")

    np.testing.assert_array_equal(
        values, window[np.rint(line).astype(int), np.rint(sample).astype(int)]
    )


@pytest.mark.parametrize("method", METHODS)
def test_at_pixel_centres_pixels_are_kept(rng, method):
    window = speckle(rng)
    line, sample = np.mgrid[3:37, 3:47].astype(np.float32)

    np.testing.assert_allclose(
        resample(window, line, sample, method=method), window[3:37, 3:47], rtol=1e-6
    )


@pytest.mark.parametrize(("method", "degree"), [("bilinear", 1), ("bicubic", 2)])
def test_polynomials_of_the_method_s_degree_are_exact(rng, method, degree):
    def surface(y, x):
        return 5.0 + 0.02 * y**degree + 0.01 * x**degree + 0.001 * x * y

    window = surface(*np.mgrid[0:40, 0:50]).astype(np.float32)
    line, sample = places(rng)

    # A bicubic table's half step of 1/2048 pixel on slopes below 2 a pixel.
    np.testing.assert_allclose(
        resample(window, line, sample, method=method), surface(line, sample), atol=2e-3
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_stays_constant_up_to_the_edge_of_the_image(method):
    window = np.full((9, 7), 0.25, np.float32)
    line = np.array([[-0.5, -0.3, 0.0, 4.2, 8.0, 8.3, 8.5]], np.float32)
    sample = np.array([[-0.5, 3.0, 6.5, 2.2, 6.0, 6.3, -0.1]], np.float32)

    np.testing.assert_allclose(resample(window, line, sample, method=method), 0.25, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_pixel_without_data_blanks_what_it_would_enter_and_no_more(rng, method):
    window = speckle(rng)
    window[20, 25] = np.nan
    line, sample = places(rng, count=(200, 200))

    values = resample(window, line, sample, method=method)

    radius = 0.5 if method == "nearest" else RADIUS[method]
    near = (np.abs(line - 20) < radius) & (np.abs(sample - 25) < radius)
    far = (np.abs(line - 20) > radius) | (np.abs(sample - 25) > radius)
    assert np.isnan(values[near]).all()
    assert not np.isnan(values[far]).any()


@pytest.mark.parametrize("method", METHODS)
def test_positions_outside_the_image_have_no_value(rng, method):
    line = np.array([[np.nan, 5.0, np.nan]], np.float32)
    sample = np.array([[5.0, np.nan, np.nan]], np.float32)

    assert np.isnan(resample(speckle(rng), line, sample, method=method)).all()


@pytest.mark.parametrize("method", METHODS)
def test_valid_values_are_at_least_the_smallest(method):
    window = np.full((12, 12), -1e-3, np.float32)
    line = sample = np.full((2, 2), 5.3, np.float32)

    values = resample(window, line, sample, method=method)

    assert (values == np.float32(1e-7)).all()


@settings(max_examples=50)
@given(st.floats(-0.5, 11.5), st.floats(-0.5, 8.5), st.integers(0, 2**32 - 1))
def test_bilinear_stays_between_its_neighbours(line, sample, seed):
    window = np.random.default_rng(seed).uniform(0.1, 1.0, (12, 9)).astype(np.float32)
    place = (np.array([[value]], np.float32) for value in (line, sample))

    (value,) = resample(window, *place, method="bilinear").ravel()

    assert window.min() * (1 - 1e-6) <= value <= window.max() * (1 + 1e-6)


def test_tabulated_weights_sum_to_one():
    for weights in WEIGHTS.values():
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)


def test_shapes_and_methods_that_do_not_fit_are_refused(rng):
    window = speckle(rng)
    place = np.zeros((2, 2), np.float32)

    with pytest.raises(ValueError, match="positions of one shape"):
        resample(window, place, place[:1], method="bilinear")
    with pytest.raises(ValueError, match="'cubic' is not a resampling method"):
        resample(window, place, place, method="cubic")
