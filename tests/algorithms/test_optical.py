"""Kernels of optical images against plain NumPy."""

import numpy as np

from algorithms.optical import (
    INT16_NO_DATA,
    mean_of_squares,
    reflectance_from_dn,
    stored_int16,
    stretched_uint8,
)


def test_reflectances_leave_out_no_data_and_saturation(rng):
    numbers = rng.integers(1, 65535, (40, 50), dtype=np.uint16)
    numbers[0, :3] = 0, 65535, 1
    found = reflectance_from_dn(numbers, offset=-1000.0, quantification=10_000.0)
    expected = (numbers.astype(np.float64) - 1000) / 10_000
    expected[0, :2] = np.nan
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert found[0, 2] < 0


def test_means_are_over_what_is_valid(rng):
    values = rng.uniform(0, 1, (12, 18)).astype(np.float32)
    values[rng.uniform(size=values.shape) < 0.3] = np.nan
    values[:6, :6] = np.nan
    found = mean_of_squares(values, 6)
    squares = values.astype(np.float64).reshape(2, 6, 3, 6).transpose(0, 2, 1, 3).reshape(2, 3, 36)
    assert np.isnan(found[0, 0])
    expected = np.nanmean(squares[:, 1:], axis=2)
    np.testing.assert_allclose(found[:, 1:], expected, rtol=1e-6)


def test_integers_hold_what_they_can():
    values = np.array([[0.5, -1.0, 3.2767, 3.3, -3.2767, -3.2768, np.nan, np.inf]], np.float32)
    found = stored_int16(values, 1e-4)
    none = INT16_NO_DATA
    np.testing.assert_array_equal(found, [[5000, -10000, 32767, none, -32767, none, none, none]])


def test_a_stretch_is_linear_between_its_ends():
    values = np.linspace(-0.1, 0.5, 61, dtype=np.float32)[None]
    found = stretched_uint8(values, 0.0, 0.355, 1.0)
    expected = np.rint(1 + 254 * np.clip(values / 0.355, 0, 1))
    assert np.abs(found - expected).max() <= 1
    assert (found[0, 0], found[0, -1]) == (1, 255)
    assert stretched_uint8(np.full((1, 1), np.nan, np.float32), 0.0, 1.0, 1.0) == 0


def test_gamma_brightens_the_middle():
    middle = np.full((1, 1), 0.25, np.float32)
    assert stretched_uint8(middle, 0.0, 1.0, 2.0) == 128
