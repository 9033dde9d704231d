"""The multitemporal filter: its formula, what it does to speckle, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.speckle import RunningSums, filtered, local_mean, quegan
from tests.algorithms.speckle.formula import quegan_by_formula
from tests.algorithms.speckle.scenes import decibels, enl, speckled

DATES = 15


def with_gaps(rng, stack):
    """The stack with dates that end within the image, single missing pixels and an empty date."""
    stack = stack.copy()
    stack[rng.random(stack.shape) < 0.03] = 0
    stack[0, :, : stack.shape[2] // 2] = 0
    stack[1, : stack.shape[1] // 3] = 0
    stack[2] = 0
    return stack


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_the_filter_is_the_published_formula_with_borders_and_gaps(rng, radius):
    relief = 10.0 ** rng.uniform(-4, 3, (41, 53))  # neighbours that differ by up to 70 dB
    stack = with_gaps(rng, speckled(rng, relief, 7))

    expected = quegan_by_formula(stack, radius)

    # float32 sums of 121 terms and a few products: 1e-5 at worst.
    np.testing.assert_allclose(quegan(stack, radius=radius), expected, rtol=1e-5)


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    radius=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_images_smaller_than_the_window_follow_the_formula(rows, columns, radius, seed):
    rng = np.random.default_rng(seed)
    stack = speckled(rng, np.full((rows, columns), 0.1), 3)
    stack[rng.random(stack.shape) < 0.5] = 0

    expected = quegan_by_formula(stack, radius)

    np.testing.assert_allclose(quegan(stack, radius=radius), expected, rtol=1e-5)


def test_nan_negative_and_infinite_pixels_are_no_data(rng):
    stack = speckled(rng, np.full((20, 20), 0.1), 4)
    clean = stack.copy()
    clean[1, 5, 5] = clean[2, 9, 9] = clean[3, 3, 3] = 0
    stack[1, 5, 5], stack[2, 9, 9], stack[3, 3, 3] = np.nan, -1.0, np.inf

    np.testing.assert_array_equal(quegan(stack), quegan(clean))


def test_every_polarisation_is_filtered_by_itself(rng):
    stack = speckled(rng, np.full((2, 30, 30), 0.1), 5)

    both = quegan(stack)

    for band in range(2):
        np.testing.assert_array_equal(both[:, band], quegan(stack[:, band]))


def test_a_stack_of_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="2 dimensions, expected 3 or 4"):
        quegan(np.zeros((3, 3), np.float32))
    with pytest.raises(ValueError, match="power is float64"):
        local_mean(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="the radius is -1"):
        local_mean(np.zeros((3, 3), np.float32), radius=-1)


def test_sums_do_not_depend_on_the_order_of_dates(rng):
    stack = with_gaps(rng, speckled(rng, 10.0 ** rng.uniform(-6, 4, (30, 40)), 12))
    sums = []
    for order in (range(12), range(11, -1, -1), rng.permutation(12)):
        sums.append(RunningSums.empty((30, 40)))
        for date in order:
            sums[-1].add(stack[date])

    for other in sums[1:]:
        np.testing.assert_array_equal(other.total, sums[0].total)
        np.testing.assert_array_equal(other.count, sums[0].count)


def test_strips_with_neighbours_give_the_pixels_of_the_whole_image(rng):
    stack = with_gaps(rng, speckled(rng, np.full((50, 33), 0.2), 6))
    whole = quegan(stack)

    for first, end in ((0, 17), (17, 34), (34, 50)):
        above, below = (2 if first else 0), (2 if end < 50 else 0)
        rows = slice(first - above, end + below)
        sums = RunningSums.empty((end - first, 33))
        for power in stack:
            sums.add(power[rows], above=above, below=below)
        strip = [filtered(power[rows], sums.gain(), above=above, below=below) for power in stack]
        np.testing.assert_array_equal(strip, whole[:, first:end])


def test_a_last_date_is_filtered_while_it_is_added(rng):
    stack = with_gaps(rng, rng.gamma(4.4, 0.02, (4, 40, 33)).astype(np.float32))
    plain, at_once = RunningSums.empty((36, 33)), RunningSums.empty((36, 33))
    part, neighbours = np.s_[:, :38], {"above": 0, "below": 2}
    for power in stack[part]:
        plain.add(power, **neighbours)
    for power in stack[part][:-1]:
        at_once.add(power, **neighbours)

    image = at_once.add_and_filter(stack[part][-1], **neighbours)

    np.testing.assert_array_equal(at_once.total, plain.total)
    np.testing.assert_array_equal(at_once.count, plain.count)
    np.testing.assert_array_equal(image, filtered(stack[part][-1], plain.gain(), **neighbours))


def test_strips_that_do_not_fit_are_refused(rng):
    sums = RunningSums.empty((10, 10))
    power = np.ones((12, 10), np.float32)

    with pytest.raises(ValueError, match="-1 and 3 rows of neighbours, expected 0 to 2"):
        sums.add(power, above=-1, below=3)
    with pytest.raises(ValueError, match=r"expected 2 \+ \(10, 10\) \+ 2"):
        sums.add(power, above=2, below=2)


@pytest.mark.parametrize("seed", range(5))
def test_speckle_of_15_dates_falls_to_40_looks_and_the_mean_stays(seed):
    rng = np.random.default_rng(seed)
    stack = speckled(rng, np.full((256, 256), 0.08), DATES)

    after = quegan(stack)

    # 1 / (1 / (25 L) + 1 / (15 L)) = 41.2 looks.
    looks = np.mean([enl(image[2:-2, 2:-2]) for image in after])
    assert looks >= 40
    assert abs(decibels(after.mean() / 0.08)) <= 0.05


def half_width(profile):
    """Distance over which a step goes from 10 to 90 % of its height, pixels."""
    low, high = profile[:5].mean(), profile[-5:].mean()
    position = np.interp((0.1, 0.9), (profile - low) / (high - low), np.arange(profile.size))
    return position[1] - position[0]


def test_a_step_keeps_its_width(rng):
    scene = np.full((400, 64), 0.02)
    scene[:, 32:] = 0.2
    stack = speckled(rng, scene, DATES)

    before, after = half_width(stack.mean(axis=(0, 1))), half_width(quegan(stack).mean(axis=(0, 1)))

    assert after <= 1.05 * before


def width(profile):
    """Full width at half maximum, pixels."""
    peak = int(np.argmax(profile))
    half = profile[peak] / 2
    left = np.interp(half, profile[: peak + 1], np.arange(peak + 1))
    right = np.interp(-half, -profile[peak:], np.arange(peak, profile.size))
    return right - left


def test_a_point_target_keeps_its_width_and_brightness(rng):
    row, column = np.indices((41, 41)) - 20
    target = 50.0 * np.exp(-(row**2 + column**2) / (2 * 1.2**2))  # a response of 2.8 pixels
    clutter = speckled(rng, np.full((41, 41), 0.05), DATES)
    stack = (clutter + target).astype(np.float32)

    after = quegan(stack)

    for axis in (1, 2):
        before_profile = stack.mean(axis=0).take(20, axis - 1)
        after_profile = after.mean(axis=0).take(20, axis - 1)
        assert width(after_profile) <= 1.05 * width(before_profile)
    assert abs(decibels(after[:, 20, 20].mean() / stack[:, 20, 20].mean())) <= 0.05


def test_a_change_at_one_date_stays_at_that_date(rng):
    scene = np.full((60, 60), 0.05)
    stack = speckled(rng, scene, DATES)
    changed = stack.copy()
    changed[7, 20:40, 20:40] *= 10  # 10 dB more

    before, after = quegan(stack), quegan(changed)

    inside = (slice(23, 37), slice(23, 37))  # windows that hold the change alone
    change = decibels(after[:, *inside].mean(axis=(1, 2)) / before[:, *inside].mean(axis=(1, 2)))
    assert abs(change[7] - 10) <= 0.05
    assert np.abs(np.delete(change, 7)).max() <= 0.05


@pytest.mark.parametrize(
    ("size", "trace_db"),
    # At a corner of the change the pixel is 10 / ((9 * 10 + 16) / 25) of its surroundings at that
    # date, and a target of one pixel 10 / ((10 + 24) / 25): one of 15 terms of every date's ratio.
    [(20, 0.38), (1, 1.53)],
)
def test_the_edge_of_a_change_leaves_a_15th_of_its_contrast_at_other_dates(size, trace_db):
    stack = np.full((DATES, 60, 60), 0.05, np.float32)
    stack[7, 20 : 20 + size, 20 : 20 + size] *= 10

    others = np.delete(quegan(stack), 7, axis=0)

    assert decibels(others.max() / 0.05) == pytest.approx(trace_db, abs=0.01)
