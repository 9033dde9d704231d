"""The structural similarity is that of its definition."""

import numpy as np
import pytest
from scipy import ndimage

from algorithms.correlation.images import Image
from algorithms.registration import Model
from algorithms.registration.similarity import similarity

STILL = Model("shift", (0.0, 0.0), 1.0, (0.0,), (0.0,))


@pytest.fixture
def image(rng):
    noise = ndimage.gaussian_filter(rng.standard_normal((40, 50)), 1.2)
    return (1_000 + 2_000 * noise).astype(np.float32)


def definition(first, second):
    """Mean over windows of 7 x 7 of Wang et al. 2004, equation 13, window by window."""
    low, high = np.percentile(first, (1, 99))
    second = first.mean() + first.std() / second.std() * (second - second.mean())
    c1, c2 = (0.01 * (high - low)) ** 2, (0.03 * (high - low)) ** 2
    found = []
    for row in range(first.shape[0] - 6):
        for column in range(first.shape[1] - 6):
            x = first[row : row + 7, column : column + 7].astype(float)
            y = second[row : row + 7, column : column + 7].astype(float)
            covariance = ((x - x.mean()) * (y - y.mean())).mean()
            found.append(
                (2 * x.mean() * y.mean() + c1)
                * (2 * covariance + c2)
                / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2))
            )
    return np.mean(found)


def test_it_is_that_of_its_definition(rng, image):
    other = (0.7 * image + 300 + 40 * rng.standard_normal(image.shape)).astype(np.float32)
    found = similarity(Image(image), Image(other), STILL)
    assert found.before == pytest.approx(definition(image, other), abs=1e-5)
    assert found.after == pytest.approx(found.before, abs=1e-5)


def test_an_image_is_like_itself_once_it_lies_right(image):
    moved = np.roll(image, (2, -3), (0, 1))
    model = Model("shift", (0.0, 0.0), 1.0, (2.0,), (-3.0,))
    found = similarity(Image(image), Image(moved), model)
    assert found.after == pytest.approx(1.0, abs=1e-5)
    assert found.before < 0.5


def test_no_data_takes_no_part(rng, image):
    other = (image + 40 * rng.standard_normal(image.shape)).astype(np.float32)
    torn = other.copy()
    torn[:, :20] = np.nan
    part = similarity(Image(image[:, 20:]), Image(other[:, 20:]), STILL)
    found = similarity(Image(image), Image(torn), STILL)
    assert found.before == pytest.approx(part.before, abs=1e-5)


def test_nothing_to_compare_is_told(image):
    assert similarity(Image(image), Image(np.full_like(image, np.nan)), STILL) is None
