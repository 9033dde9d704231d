"""Formats, resolutions and ways of interpolation, each against the exact tile of one scene."""

import numpy as np
import pytest
import rasterio

pytestmark = pytest.mark.xdist_group("hills")

EXACT = {"polarizations": "VV", "lossless": "true"}
HALF_A_ROUNDING_DB = 0.0022  # 2**-11 of a value kept to 10 bits


@pytest.fixture(scope="module")
def exact(hills):
    """Linear power of VV, all bits, NaN for no data."""
    return hills.tile(**EXACT).power()


@pytest.fixture(scope="module")
def default(hills):
    return hills.tile(masks="true")


@pytest.fixture(scope="module")
def amplitude(hills):
    return hills.tile(format="uint16", polarizations="VV")


@pytest.fixture(scope="module")
def decibels(hills):
    return hills.tile(format="float32_db", polarizations="VV")


def _profile(tile, polarization="VV"):
    with rasterio.open(tile.path(polarization)) as dataset:
        return dataset.dtypes[0], dataset.nodata, dataset.scales[0]


def test_the_default_is_linear_power_in_float32(default):
    assert _profile(default) == ("float32", 0.0, 1.0)


def test_what_noise_drowns_stays_valid(default):
    stored = default.stored("VH")
    valid = default.mask("vh_*_BorderMask") == 1
    np.testing.assert_array_equal(stored > 0, valid)
    drowned = stored[valid] < 1.1e-7
    assert drowned.any()
    assert stored[valid].min() >= 1e-7


def test_rounding_costs_two_thousandths_of_a_decibel(default, exact):
    off_db = np.abs(10 * np.log10(default.power() / exact))
    assert np.nanmax(off_db) <= HALF_A_ROUNDING_DB
    assert np.nanmax(off_db) > 0


def test_rounding_saves_half_of_the_file(hills, default):
    assert default.path().stat().st_size < 0.6 * hills.tile(**EXACT).path().stat().st_size


def test_whole_numbers_are_amplitude_times_ten_thousand(amplitude, exact):
    assert _profile(amplitude) == ("uint16", 0.0, 1e-4)
    stored, expected = amplitude.stored(), 1e4 * np.sqrt(exact)
    known = np.isfinite(expected) & (expected < 65_535)
    assert np.abs(stored[known] - expected[known]).max() <= 0.51  # half a step, and float32


def test_whole_numbers_are_zero_for_no_data_alone(amplitude, exact):
    np.testing.assert_array_equal(amplitude.stored() == 0, np.isnan(exact))


def test_whole_numbers_end_at_their_largest(amplitude, exact):
    bright = exact > 6.5536**2
    assert bright.any()
    assert (amplitude.stored()[bright] == 65_535).all()


def test_decibels_are_ten_logarithms_of_power(decibels, exact):
    dtype, nodata, scale = _profile(decibels)
    assert (dtype, scale) == ("float32", 1.0)
    assert np.isnan(nodata)
    off_db = np.abs(decibels.stored() - 10 * np.log10(exact))
    assert np.nanmax(off_db) <= HALF_A_ROUNDING_DB


def test_decibels_are_not_a_number_for_no_data_alone(decibels, exact):
    np.testing.assert_array_equal(np.isnan(decibels.stored()), np.isnan(exact))


def test_twenty_metres_are_the_mean_power_of_four_pixels(hills, exact):
    coarse = hills.tile(resolution="20", **EXACT).power()
    rows, columns = exact.shape
    mean = exact.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float64)
    whole = np.isfinite(mean)
    assert whole.sum() > 500_000
    # Blocks of other sizes place pixels by other roundings of float32: 1e-4 of a pixel at most,
    # which speckle and targets turn into as much of their power from pixel to pixel.
    off = np.abs(coarse[whole] / mean[whole] - 1)
    assert np.median(off) <= 1e-5
    assert off.max() <= 3e-3


def test_twenty_metres_start_at_the_corner_of_the_tile(hills):
    with rasterio.open(hills.tile(resolution="20", **EXACT).path()) as dataset:
        assert dataset.res == (20.0, 20.0)
        assert dataset.shape == (5490, 5490)
        corner = dataset.transform @ (0, 0)
    with rasterio.open(hills.tile(**EXACT).path()) as dataset:
        assert corner == dataset.transform @ (0, 0)


def test_interpolation_of_amplitudes_loses_power(hills, exact):
    """Half-way between two pixels of 4.4 looks, the squared mean amplitude is 5 percent less."""
    power = hills.tile(interpolated="amplitude", **EXACT).power()
    lost_db = 10 * np.log10(np.nanmean(exact) / np.nanmean(power))
    assert 0.05 < lost_db < 0.25


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos"])
def test_every_interpolation_puts_targets_in_their_place(hills, method):
    found = hills.tile(resampling=method, **EXACT).score()
    assert found.missing == 0
    assert found.easting.size >= 8
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0


def test_the_nearest_pixel_is_no_further_than_half_a_pixel(hills):
    found = hills.tile(resampling="nearest", **EXACT).score()
    assert found.missing == 0
    # Pixels move by up to 5 m in each axis; the centre of a target, by less.
    assert found.worst_m <= 7.1
    assert found.rms_m > hills.tile(**EXACT).score().rms_m


def test_the_nearest_pixel_is_a_pixel_of_the_image(hills):
    """Digital numbers come back as the whole numbers they were."""
    numbers = hills.tile(calibration="dn", resampling="nearest", **EXACT).power()
    known = numbers[np.isfinite(numbers)]
    np.testing.assert_allclose(known, np.rint(known), rtol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos"])
def test_no_interpolation_changes_the_mean_power(hills, method):
    nearest = hills.tile(resampling="nearest", **EXACT).power()
    power = hills.tile(resampling=method, **EXACT).power()
    both = np.isfinite(power) & np.isfinite(nearest)
    change_db = 10 * np.log10(power[both].mean() / nearest[both].mean())
    # 2.5 million pixels of 4.4 looks and half of them in common: 0.003 dB.
    assert abs(change_db) <= 0.01
