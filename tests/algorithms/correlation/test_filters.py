"""Filters and scores of windows against SciPy and NumPy."""

import numpy as np
import pytest
from scipy import ndimage

from algorithms.correlation.filters import (
    DONE,
    PADDING,
    Pair,
    convolved,
    gaussian_taps,
    spline_taps,
)
from algorithms.correlation.refinement import refine_translations, window_weights
from algorithms.correlation.search import search_nodes

SIDE, RADIUS = 15, 2


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 1), (33, 50)])
@pytest.mark.parametrize("taps", [gaussian_taps(0.0), gaussian_taps(1.0), spline_taps()])
def test_a_filter_is_that_of_scipy(rng, shape, taps):
    image = rng.normal(0.0, 300.0, shape).astype(np.float32)
    expected = image.astype(np.float64)
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, taps.astype(float), axis, mode="mirror")

    found = convolved(image, taps)

    # Single precision, of some 20 terms twice.
    np.testing.assert_allclose(found[:, :-PADDING], expected, atol=300.0 * 1e-5)
    assert (found[:, -PADDING:] == 0.0).all()


def test_padding_does_not_count(rng):
    image = rng.normal(0.0, 300.0, (20, 30)).astype(np.float32)
    padded = np.pad(image, ((0, 0), (0, 7)), constant_values=np.nan)
    np.testing.assert_array_equal(
        convolved(image, spline_taps()), convolved(padded, spline_taps(), padding=7)
    )


def test_spline_coefficients_give_the_samples_back(rng):
    image = rng.normal(0.0, 300.0, (40, 60)).astype(np.float32)
    coefficients = convolved(image, spline_taps())[:, :-PADDING].astype(np.float64)
    for axis in (0, 1):
        coefficients = ndimage.correlate1d(coefficients, [1 / 6, 4 / 6, 1 / 6], axis, mode="mirror")
    # Tails of the filter are cut at 1e-6.
    np.testing.assert_allclose(coefficients, image, atol=300.0 * 1e-4)


def zncc(reference, secondary, counts):
    """Zero-mean normalised cross-correlation of the pixels that count."""
    return np.corrcoef(reference[counts], secondary[counts])[0, 1]


@pytest.fixture
def pair(rng):
    """Two unlike images with offsets, one of them with a hole."""
    reference, secondary = (rng.normal(mean, 300.0, (60, 70)) for mean in (150.0, -80.0))
    secondary += 0.5 * np.roll(reference, (1, -1), (0, 1))
    valid = np.ones((2, 60, 70), np.uint8)
    valid[1, 30:38, 20:26] = 0
    images = (
        np.pad(one, ((0, 0), (0, PADDING))).astype(np.float32) for one in (reference, secondary)
    )
    first, second = images
    rows, columns = (np.array(places, np.int32) for places in ([15, 32, 44], [40, 25, 55]))
    return Pair(first, valid[0], second, valid[1], rows, columns)


def test_the_best_place_is_that_of_the_largest_correlation(pair):
    found, outcome = np.empty((3, 4), np.float32), np.empty(3, np.uint8)
    search_nodes(pair, np.zeros((3, 2), np.int32), SIDE // 2, RADIUS, 0.5, found, outcome)
    assert (outcome == DONE).all()
    for (row, column), answer in zip(zip(pair.rows, pair.columns, strict=True), found, strict=True):
        scores = {}
        for dy in range(-RADIUS, RADIUS + 1):
            for dx in range(-RADIUS, RADIUS + 1):
                here, there = (
                    (slice(row + y - SIDE // 2, row + y + SIDE // 2 + 1),
                     slice(column + x - SIDE // 2, column + x + SIDE // 2 + 1))
                    for y, x in ((0, 0), (dy, dx))
                )  # fmt: skip
                counts = (pair.reference_valid[here] & pair.secondary_valid[there]) == 1
                scores[dy, dx] = zncc(pair.reference[here], pair.secondary[there], counts)
        best = max(scores, key=scores.get)
        assert best == (1, -1)
        assert answer[2] == pytest.approx(scores[best], abs=1e-5)
        # The parabola moves it by half a pixel at most.
        np.testing.assert_allclose(answer[:2], best, atol=0.5)


def test_a_refined_correlation_is_that_of_the_weighed_windows(rng):
    """Of images of one wave each way, which splines follow closely, with unlike pixels beside."""
    row, column = np.mgrid[0:50, 0:60]
    waves = 100.0 * np.sin(row / 3.0) + 80.0 * np.cos(column / 4.0) + 40.0
    noise = rng.normal(0.0, 5.0, waves.shape)
    images = [np.asarray(one, np.float32) for one in (waves, waves + noise)]
    first = np.pad(images[0], ((0, 0), (0, PADDING)))
    second = convolved(images[1], spline_taps())
    valid = np.ones(waves.shape, np.uint8)
    at = np.array([25], np.int32), np.array([30], np.int32)
    weights = window_weights(SIDE, "gauss")
    refined, outcome = np.empty((1, 4), np.float32), np.empty(1, np.uint8)

    refine_translations(
        Pair(first, valid, second, valid, *at), weights, 0.6, np.zeros((1, 2), np.float32), refined,
        outcome,
    )  # fmt: skip

    assert outcome[0] == DONE
    moved = ndimage.shift(images[1].astype(float), -refined[0, :2], order=3, mode="mirror")
    window = slice(25 - SIDE // 2, 26 + SIDE // 2), slice(30 - SIDE // 2, 31 + SIDE // 2)
    covariance = np.cov(
        images[0][window].ravel(), moved[window].ravel(), aweights=weights[:, :SIDE].ravel()
    )
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert np.abs(refined[0, :2]).max() < 0.2
    # The correlation is that of the last place but one, a thousandth of a pixel away.
    assert refined[0, 2] == pytest.approx(expected, abs=1e-4)
