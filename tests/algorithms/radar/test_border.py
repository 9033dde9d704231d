"""Border noise against an image whose edges are known."""

import numpy as np
import pytest

from algorithms.radar.border import REACH_SAMPLES, RUN, SMOOTHING, BorderFinder

LINES, SAMPLES = 600, 900


@pytest.fixture
def scene(rng):
    """Four-look speckle of amplitude 150 inside edges that wander, noise of a few DN outside."""
    line, sample = np.arange(LINES), np.arange(SAMPLES)
    left = (60 + 20 * np.sin(line / 90)).astype(int)
    right = (SAMPLES - 1 - 45 - 15 * np.cos(line / 70)).astype(int)
    top = np.where(sample < 400, 30, 80)
    bottom = np.where(sample < 400, LINES - 1 - 25, LINES - 1 - 90)
    valid = (
        (sample >= left[:, None])
        & (sample <= right[:, None])
        & (line[:, None] >= top)
        & (line[:, None] <= bottom)
    )
    image = 150 * np.sqrt(rng.gamma(4.4, 1 / 4.4, valid.shape))
    noise = rng.uniform(0, 12, valid.shape)
    return np.where(valid, image, noise).astype(np.uint16), valid


def find(numbers, **ends):
    finder = BorderFinder(*numbers.shape, **ends)
    for first in range(0, numbers.shape[0], 128):
        finder.add(numbers[first : first + 128])
    return finder.border()


def test_the_cut_leaves_no_border_noise(scene):
    numbers, valid = scene

    cut = find(numbers).cut(numbers, 0, 0)

    assert not cut[~valid].any()


def test_the_cut_costs_little_of_the_image(scene):
    numbers, valid = scene

    kept = find(numbers).cut(numbers, 0, 0) > 0

    # A step of the edge is widened by the smoothing, and a dark speckle delays a run once or twice.
    perimeter = 2 * (LINES + SAMPLES)
    assert np.count_nonzero(valid & ~kept) < perimeter * (SMOOTHING + RUN / 4)
    np.testing.assert_array_equal(find(numbers).cut(numbers, 0, 0)[kept], numbers[kept])


def test_a_window_is_cut_as_the_whole_image_is(scene):
    numbers, _ = scene
    border = find(numbers)

    window = border.cut(numbers[50:130, 20:200], 50, 20)

    np.testing.assert_array_equal(window, border.cut(numbers, 0, 0)[50:130, 20:200])


def test_an_image_without_border_noise_stays_whole(rng):
    numbers = (150 * np.sqrt(rng.gamma(44, 1 / 44, (200, 300)))).astype(np.uint16)

    np.testing.assert_array_equal(find(numbers).cut(numbers, 0, 0), numbers)


def test_dark_water_is_no_border(rng):
    numbers = (150 * np.sqrt(rng.gamma(44, 1 / 44, (300, 5000)))).astype(np.uint16)
    numbers[:, 1500:3500] = 10

    np.testing.assert_array_equal(find(numbers).cut(numbers, 0, 0), numbers)


def test_a_long_image_is_searched_at_both_ends_and_not_between(rng):
    numbers = (150 * np.sqrt(rng.gamma(44, 1 / 44, (6000, 120)))).astype(np.uint16)
    numbers[:70], numbers[-90:], numbers[2500:3500] = 5, 7, 10

    border = find(numbers)

    assert (border.first_line == 70).all()
    assert (border.last_line == 6000 - 91).all()
    kept = border.cut(numbers, 0, 0)
    np.testing.assert_array_equal(kept[70:-90], numbers[70:-90])


def speckle(rng, amplitude, shape):
    """Digital numbers of 4.4-look speckle; `amplitude` is their root mean square."""
    power = rng.gamma(4.4, amplitude**2 / 4.4, shape)
    return np.rint(np.sqrt(power)).astype(np.uint16)


@pytest.mark.parametrize("amplitude", [24, 33])
def test_calm_water_up_to_the_edges_stays(rng, amplitude):
    """1500 lines of sea before land, no brighter than the thermal noise of real products."""
    numbers = speckle(rng, 150, (3000, 2600))
    numbers[:1500] = speckle(rng, amplitude, (1500, 2600))

    border = find(numbers)

    kept = border.cut(numbers, 0, 0) > 0
    # The darkest speckle of the outermost pixels, the widest of 17 neighbours.
    assert kept[12:-12, 12:-12].all()
    assert np.median(border.first_line) <= 4


def test_water_behind_border_noise_stays(rng):
    numbers = speckle(rng, 30, (400, 2600))
    numbers[:, :180] = rng.integers(0, 16, (400, 180))

    border = find(numbers)

    assert (border.first_sample >= 180).all()
    assert (border.first_sample < 192).all()


def test_no_border_is_wider_than_those_of_products(rng):
    numbers = speckle(rng, 150, (200, 4000))
    numbers[:, : REACH_SAMPLES + 200] = 3
    numbers[:100, :50] = 3
    numbers[:100, 50:] = 150

    border = find(numbers)

    # Where the image is not met, the border is that of the lines beside.
    assert (border.first_sample == 50).all()


def test_nothing_is_cut_where_another_frame_goes_on(rng):
    numbers = speckle(rng, 150, (500, 300))
    numbers[:40], numbers[-30:] = 5, 5

    before, after = find(numbers, ends=False), find(numbers, begins=False)

    assert (before.first_line == 40).all()
    assert (before.last_line == 499).all()
    assert (after.first_line == 0).all()
    assert (after.last_line == 500 - 31).all()


def test_lines_that_are_missing_or_too_many_are_refused():
    finder = BorderFinder(10, 8)
    finder.add(np.ones((6, 8), np.uint16))

    with pytest.raises(ValueError, match="6 of 10 lines were given"):
        finder.border()
    with pytest.raises(ValueError, match="lines 6 to 12 of 8 samples given"):
        finder.add(np.ones((6, 8), np.uint16))
