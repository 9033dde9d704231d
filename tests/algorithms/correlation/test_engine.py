"""Displacements put in by Fourier shifts are found again, whatever is missing from the images."""

import numpy as np
import pytest

from algorithms.correlation import CorrelationSettings, Flag, correlate
from algorithms.correlation.images import CLOUD, NO_DATA, Image

SHAPE = (220, 260)
SETTINGS = CorrelationSettings(window=31, step=20, max_displacement=4.0)


@pytest.fixture(scope="module")
def texture():
    """Random texture without the highest frequencies, of which a shifted copy is exact."""
    spectrum = np.fft.rfft2(np.random.default_rng(5).standard_normal(SHAPE))
    frequency = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.rfftfreq(SHAPE[1]))
    return spectrum * np.exp(-((frequency / 0.16) ** 2))


def moved(texture, dy=0.0, dx=0.0):
    phase = np.fft.fftfreq(SHAPE[0])[:, None] * dy + np.fft.rfftfreq(SHAPE[1]) * dx
    image = np.fft.irfft2(texture * np.exp(-2j * np.pi * phase), s=SHAPE)
    return np.rint(9000.0 + 1500.0 * image / image.std()).astype(np.uint16)


@pytest.mark.parametrize(("dy", "dx"), [(0.0, 0.0), (1.37, -0.71), (-3.6, 2.5)])
def test_a_shift_is_found_to_thousandths_of_a_pixel(texture, dy, dx):
    field = correlate(Image(moved(texture)), Image(moved(texture, dy, dx)), SETTINGS)
    inner = (slice(2, -2), slice(2, -2))
    assert field.is_answered[inner].all()
    for found, true in ((field.dy[inner], dy), (field.dx[inner], dx)):
        assert np.sqrt(np.mean((found - true) ** 2)) < 0.002
        np.testing.assert_allclose(found, true, atol=0.006)
    assert (field.correlation[inner] > 0.999).all()


def test_a_large_shift_is_found_down_the_pyramid(texture):
    settings = CorrelationSettings(window=31, step=20, max_displacement=16.0)
    field = correlate(Image(moved(texture)), Image(moved(texture, 13.3, -9.8)), settings)
    assert field.is_answered[2:-3, 2:-2].all()
    np.testing.assert_allclose(field.dy[2:-3, 2:-2], 13.3, atol=0.006)


def test_the_field_does_not_depend_on_threads(texture):
    pair = Image(moved(texture)), Image(moved(texture, 0.4, 0.2))
    settings = CorrelationSettings(window=21, step=4)
    one, two = correlate(*pair, settings), correlate(*pair, settings, threads=2)
    np.testing.assert_array_equal(one.dx, two.dx)
    np.testing.assert_array_equal(one.flags, two.flags)


def test_what_is_missing_changes_nothing_beside_it(texture):
    mask = np.zeros(SHAPE, np.uint8)
    mask[60:110, 60:110] = CLOUD
    mask[150:, 200:] = NO_DATA
    secondary = moved(texture, 0.6, -0.3)
    secondary[mask != 0] = 60_000
    field = correlate(Image(moved(texture)), Image(secondary, mask), SETTINGS)
    answered = field.is_answered
    np.testing.assert_allclose(field.dy[answered], 0.6, atol=2e-2)
    assert answered[2:-2, 2:-2].mean() > 0.6
    assert field.flags[4, 4] == Flag.CLOUD
    assert field.flags[8, 11] & Flag.NO_DATA
    assert np.isnan(field.dx[~answered]).all()


def test_unlike_images_have_no_answer(texture):
    other = np.random.default_rng(9).integers(500, 4000, SHAPE).astype(np.uint16)
    field = correlate(Image(moved(texture)), Image(other), SETTINGS)
    assert field.is_answered.mean() < 0.02


def test_a_constant_image_has_no_answer(texture):
    flat = np.full(SHAPE, 1200, np.uint16)
    for pair in ((flat, moved(texture)), (moved(texture), flat), (flat, flat)):
        field = correlate(*(Image(one) for one in pair), SETTINGS)
        assert not field.is_answered.any()


def test_a_node_is_also_traced_back(texture):
    settings = CorrelationSettings(window=31, step=20, is_checked_backward=True)
    field = correlate(Image(moved(texture)), Image(moved(texture, 0.6, -0.3)), settings)
    assert field.is_answered[2:-2, 2:-2].all()


def waves(row, column):
    """A texture known everywhere: waves of 5 to 12 pixels in all directions."""
    rng = np.random.default_rng(3)
    image = np.full(row.shape, 2000.0)
    for _ in range(60):
        length, angle, phase = rng.uniform(5, 12), *rng.uniform(0, 2 * np.pi, 2)
        along = row * np.cos(angle) + column * np.sin(angle)
        image += 60.0 * np.sin(2 * np.pi * along / length + phase)
    return np.rint(image).astype(np.uint16)


@pytest.fixture(scope="module")
def sheared():
    """A pair whose windows deform, and its displacement."""
    row, column = np.mgrid[0:160, 0:200].astype(float)
    dy = 0.4 + 0.03 * (column - 100) - 0.01 * (row - 80)
    dx = -0.7 + 0.02 * (row - 80)
    before = row.copy(), column.copy()
    for _ in range(40):  # the place that moves onto each pixel
        moved_row = 0.4 + 0.03 * (before[1] - 100) - 0.01 * (before[0] - 80)
        moved_column = -0.7 + 0.02 * (before[0] - 80)
        before = row - moved_row, column - moved_column
    return waves(row, column), waves(*before), dy, dx


@pytest.mark.parametrize("model", ["affine", "auto"])
def test_deforming_windows_are_measured_at_their_centres(sheared, model):
    reference, secondary, dy, dx = sheared
    settings = CorrelationSettings(window=31, step=10, max_displacement=4.0, model=model)
    field = correlate(Image(reference), Image(secondary), settings)
    at = np.ix_(field.rows, field.columns)
    assert field.is_answered[3:-3, 3:-3].mean() > 0.95
    for found, true in ((field.dy, dy[at]), (field.dx, dx[at])):
        error = (found - true)[field.is_answered]
        assert np.sqrt(np.mean(error**2)) < 0.004
        assert np.abs(error).max() < 0.02
    assert np.nanmin(field.correlation[3:-3, 3:-3]) > 0.998


def test_windows_of_even_motion_do_not_deform(texture):
    pair = Image(moved(texture)), Image(moved(texture, 1.37, -0.71))
    one, other = (
        correlate(*pair, CorrelationSettings(step=20, model=model))
        for model in ("auto", "translation")
    )
    np.testing.assert_array_equal(one.dx[2:-2, 2:-2], other.dx[2:-2, 2:-2])


def test_arrays_and_a_mask_of_what_counts_are_enough(texture):
    mask = np.ones(SHAPE, bool)
    mask[90:150, 100:160] = False
    field = correlate(
        moved(texture),
        moved(texture, 0.6, -0.3),
        window=25,
        step=20,
        max_displacement=3.0,
        mask=mask,
    )
    assert (field.flags[6, 6] & Flag.NO_DATA) != 0
    np.testing.assert_allclose(field.dy[field.is_answered], 0.6, atol=0.01)
    np.testing.assert_array_equal(field.quality, field.correlation)
    with pytest.raises(ValueError, match="the mask has shape"):
        correlate(moved(texture), moved(texture), mask=mask[1:])


def test_windows_that_only_move_are_found_by_either_model(texture):
    pair = Image(moved(texture)), Image(moved(texture, 1.37, -0.71))
    settings = CorrelationSettings(window=31, step=20, model="affine")
    field = correlate(*pair, settings)
    assert field.is_answered[2:-2, 2:-2].all()
    np.testing.assert_allclose(field.dy[2:-2, 2:-2], 1.37, atol=0.006)
    np.testing.assert_allclose(field.dx[2:-2, 2:-2], -0.71, atol=0.006)


def test_a_window_larger_than_the_image_is_refused(texture):
    small = Image(moved(texture)[:30])
    with pytest.raises(ValueError, match="smaller than a window of 31"):
        correlate(small, small, SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 30},
        {"window": 5},
        {"step": 0},
        {"max_displacement": -1.0},
        {"model": "projective"},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        CorrelationSettings(**wrong)


def test_a_search_wider_than_the_images_finds_what_lies_within(texture):
    pair = (moved(texture)[:120, :130], moved(texture, 1.4, -0.7)[:120, :130])
    field = correlate(*pair, SETTINGS, max_displacement=512.0, window=21, step=8)
    assert field.is_answered.mean() > 0.5
    np.testing.assert_allclose(field.dy[field.is_answered], 1.4, atol=0.02)


def test_a_step_beyond_the_image_is_refused(texture):
    with pytest.raises(ValueError, match=r"no node lies in an image of \(220, 260\)"):
        correlate(moved(texture), moved(texture), step=1000)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_prior_that_is_not_finite_is_refused(texture, wrong):
    with pytest.raises(ValueError, match="prior is not finite"):
        correlate(moved(texture), moved(texture), SETTINGS, prior=(wrong, 0.0))


def test_of_extreme_pixels_every_answer_is_a_number(texture):
    """Squares of 1e22 overflow single precision, those of 1e-30 vanish, infinity is no data."""
    reference, secondary = (moved(texture, *by).astype(np.float32) for by in ((), (0.6, -0.3)))
    for value in (np.inf, np.nan, 1e22, -1e30):
        spoiled = reference.copy()
        spoiled[60:80, 60:80] = value
        for image in (spoiled, np.full_like(reference, value), reference * np.float32(1e-30)):
            field = correlate(image, secondary, SETTINGS)
            answered = field.is_answered
            for values in (field.dx, field.dy, field.correlation, field.sigma):
                assert np.isfinite(values[answered]).all()
            assert np.isnan(field.dx[~answered]).all()
            # Windows beside a hole see less: as beside masks.
            np.testing.assert_allclose(field.dy[answered], 0.6, atol=0.05)
