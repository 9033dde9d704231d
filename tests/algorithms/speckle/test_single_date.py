"""Filters of one image: their formulas pixel by pixel, and what they do to known scenes."""

import functools

import numpy as np
import pytest

from algorithms.speckle import frost, gamma_map, lee, refined_lee
from tests.algorithms.speckle.scenes import LOOKS, decibels, enl, speckled

RADIUS = 3
FILTERS = {
    "lee": functools.partial(lee, looks=LOOKS),
    "gamma_map": functools.partial(gamma_map, looks=LOOKS),
    "frost": frost,
    "refined_lee": functools.partial(refined_lee, looks=LOOKS),
}
each_filter = pytest.mark.parametrize("name", FILTERS)


def window(image, row, column):
    """The pixels around one, the last repeated beyond the edges, and whether they hold data."""
    padded = np.pad(image.astype(np.float64), RADIUS, mode="edge")
    pixels = padded[row : row + 2 * RADIUS + 1, column : column + 2 * RADIUS + 1]
    return pixels, pixels > 0


def moments(pixels, valid):
    values = pixels[valid]
    mean = values.mean()
    return mean, values.var(ddof=1) / mean**2 if values.size > 1 else 0.0


def lee_of_pixel(pixels, valid):
    mean, variation = moments(pixels, valid)
    weight = max(1 - 1 / LOOKS / variation, 0) if variation else 0
    return mean + weight * (pixels[RADIUS, RADIUS] - mean)


def gamma_map_of_pixel(pixels, valid):
    """The most probable backscatter is a root of a quadratic equation, whose sum is 0 here."""
    mean, variation = moments(pixels, valid)
    pixel = pixels[RADIUS, RADIUS]
    if variation <= 1 / LOOKS:
        return mean
    if variation >= 2 / LOOKS:
        return pixel
    order = (1 + 1 / LOOKS) / (variation - 1 / LOOKS)
    return np.roots([order / mean, LOOKS + 1 - order, -LOOKS * pixel]).max()


def frost_of_pixel(pixels, valid):
    _, variation = moments(pixels, valid)
    row, column = np.indices(pixels.shape) - RADIUS
    weight = np.exp(-2.0 * variation * np.hypot(row, column)) * valid
    return np.sum(weight * pixels) / weight.sum()


def refined_lee_of_pixel(pixels, valid):
    """The half window by the means of nine squares, then the estimate of least square error."""
    means = np.empty((3, 3))
    for i, j in np.ndindex(3, 3):
        part = pixels[2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        means[i, j] = part[part > 0].mean() if (part > 0).any() else pixels[RADIUS, RADIUS]
    down, right = np.indices((3, 3)) - 1
    row, column = np.indices(pixels.shape) - RADIUS
    directions = [(right, column), (down, row), (down + right, row + column)]
    directions.append((down - right, row - column))
    gradients = [abs(means[of < 0].sum() - means[of > 0].sum()) for of, _ in directions]
    best = int(np.argmax(gradients))
    corner = [((1, 0), (1, 2)), ((0, 1), (2, 1)), ((0, 0), (2, 2)), ((0, 2), (2, 0))][best]
    differences = [abs(means[place] - means[1, 1]) for place in corner]
    across = directions[best][1]
    half = across >= 0 if differences[1] < differences[0] else across <= 0
    mean, variation = moments(pixels, valid & half)
    weight = max(1 - 1 / LOOKS / variation, 0) / (1 + 1 / LOOKS) if variation else 0
    return mean + weight * (pixels[RADIUS, RADIUS] - mean)


FORMULAS = {
    "lee": lee_of_pixel,
    "gamma_map": gamma_map_of_pixel,
    "frost": frost_of_pixel,
    "refined_lee": refined_lee_of_pixel,
}


@each_filter
def test_every_pixel_follows_the_formula_with_borders_and_gaps(rng, name):
    image = speckled(rng, 10.0 ** rng.uniform(-0.5, 0.5, (24, 27)), 1)[0]
    image[rng.random(image.shape) < 0.1] = 0
    image[:6, :7] = 0
    image[2, 2] = 0.3  # alone in its window

    after = FILTERS[name](image)

    expected = np.zeros(image.shape)
    for place in np.argwhere(image > 0):
        expected[tuple(place)] = FORMULAS[name](*window(image, *place))
    # float32; Gamma-MAP takes the difference of two numbers that are nearly the same.
    np.testing.assert_allclose(after, expected, rtol=2e-4)
    assert after.dtype == np.float32


@each_filter
def test_nan_and_infinite_pixels_are_no_data(rng, name):
    image = speckled(rng, np.full((20, 20), 0.1), 1)[0]
    clean = image.copy()
    clean[5, 5] = clean[9, 12] = 0
    image[5, 5], image[9, 12] = np.nan, np.inf

    np.testing.assert_array_equal(FILTERS[name](image), FILTERS[name](clean))


@pytest.mark.parametrize(
    ("name", "looks", "bias_db"),
    # What the simulation gives, less 10 %. Gamma-MAP gives the most probable backscatter, which is
    # less than the mean.
    [("lee", 60, 0.05), ("gamma_map", 50, 0.2), ("frost", 30, 0.05), ("refined_lee", 20, 0.05)],
)
def test_speckle_falls_and_the_mean_stays(rng, name, looks, bias_db):
    after = FILTERS[name](speckled(rng, np.full((300, 300), 0.05), 1)[0])

    assert enl(after[RADIUS:-RADIUS, RADIUS:-RADIUS]) >= looks
    assert abs(decibels(after.mean() / 0.05)) <= bias_db


def test_the_refined_filter_keeps_an_edge_that_the_mean_blurs(rng):
    scene = np.full((200, 40), 0.02)
    scene[:, 20:] = 0.2
    image = speckled(rng, scene, 1)[0]

    beside = refined_lee(image, looks=LOOKS)[:, 19].mean()

    # A mean over 7 x 7 gives 0.02 * 4 / 7 + 0.2 * 3 / 7 = 0.097 on the dark side of the edge.
    assert beside == pytest.approx(0.02, rel=0.35)


@pytest.mark.parametrize("name", ["lee", "gamma_map", "refined_lee"])
def test_a_bright_target_stays(rng, name):
    image = speckled(rng, np.full((41, 41), 0.02), 1)[0]
    image[20, 20] = 20.0

    after = FILTERS[name](image)

    # The refined filter takes off what speckle of 4.4 looks may have added: 1 / (1 + 1 / 4.4).
    assert after[20, 20] >= 0.8 * image[20, 20]
