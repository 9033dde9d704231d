"""Calibration and noise tables against their definition, written out pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from algorithms.radar.calibration import azimuth_spans, backscatter, table_rows
from algorithms.radar.grd import AzimuthNoiseBlock, NoiseLut, VectorLut


def bilinear(table, line, sample):
    """The table by SciPy, its ends kept; all its vectors have the same samples here."""
    grid = RegularGridInterpolator((table.line, table.sample[0]), np.array(table.value))
    inside = (
        np.clip(line, table.line[0], table.line[-1]),
        np.clip(sample, table.sample[0][0], table.sample[0][-1]),
    )
    return grid(np.stack(np.broadcast_arrays(*inside), axis=-1))


def azimuth_noise(blocks, line, sample):
    """The factor of one pixel by the block that holds it."""
    for block in blocks:
        holds_line = block.first_line <= line <= block.last_line
        if holds_line and block.first_sample <= sample <= block.last_sample:
            return np.interp(line, block.line, block.value)
    raise AssertionError(f"no block holds line {line}, sample {sample}")


def window_of(first_line, first_sample, shape):
    line, sample = np.mgrid[0 : shape[0], 0 : shape[1]].astype(float)
    return line + first_line, sample + first_sample


@pytest.mark.parametrize("quantity", ["sigma0", "beta0", "gamma0", "dn"])
@pytest.mark.parametrize(("first_line", "first_sample"), [(0, 0), (3300, 8700), (16600, 26050)])
def test_a_real_product_is_calibrated_by_its_definition(
    massif_central, rng, quantity, first_line, first_sample
):
    numbers = rng.integers(0, 900, (76, 94)).astype(np.uint16)
    numbers[0, 0] = 0
    line, sample = window_of(first_line, first_sample, numbers.shape)
    table, noise = massif_central.calibration[quantity], massif_central.noise

    power = backscatter(
        numbers, first_line=first_line, first_sample=first_sample, table=table, noise=noise
    )

    amplitude = bilinear(table, line, sample)
    eta = bilinear(noise.range, line, sample)
    eta *= np.vectorize(lambda y, x: azimuth_noise(noise.azimuth, y, x))(line, sample)
    expected = (numbers.astype(float) ** 2 - eta) / amplitude**2
    # float32 keeps 24 bits: each of a handful of operations rounds DN**2 or eta once.
    rounding = 8 * 2.0**-24 * (numbers.astype(float) ** 2 + eta) / amplitude**2
    assert np.isnan(power[numbers == 0]).all()
    error = np.abs(power - expected)[numbers > 0]
    assert (error <= rounding[numbers > 0]).all()


def test_without_noise_nothing_is_removed(massif_central, rng):
    numbers = rng.integers(1, 900, (40, 50)).astype(np.uint16)
    place = {"first_line": 100, "first_sample": 200, "table": massif_central.calibration["gamma0"]}
    zero = replace(massif_central.noise, is_zero=True)

    plain = backscatter(numbers, **place)

    line, sample = window_of(100, 200, numbers.shape)
    expected = (numbers / bilinear(place["table"], line, sample)) ** 2
    np.testing.assert_allclose(plain, expected, rtol=1e-6)
    np.testing.assert_array_equal(backscatter(numbers, **place, noise=zero), plain)


def test_noise_above_the_signal_gives_negative_power_so_that_means_stay_true():
    table = VectorLut(np.array([0.0]), (np.array([0.0, 10.0]),), (np.full(2, 10.0),))
    eta = VectorLut(np.array([0.0]), (np.array([0.0, 10.0]),), (np.full(2, 100.0),))
    numbers = np.array([[5, 10, 15]], np.uint16)

    power = backscatter(
        numbers, first_line=0, first_sample=0, table=table, noise=NoiseLut(eta, (), is_zero=False)
    )

    np.testing.assert_allclose(power, [[-0.75, 0.0, 1.25]])


def test_a_table_keeps_its_value_beyond_its_ends():
    table = VectorLut(
        np.array([10.0, 20.0]),
        (np.array([5.0, 9.0]), np.array([4.0, 8.0])),
        (np.array([1.0, 2.0]), np.array([3.0, 4.0])),
    )

    rows = table_rows(table, first_line=0, lines=31, first_sample=0, samples=15)
    values = (1 - rows.weight[:, None]) * rows.values[rows.row]
    values += rows.weight[:, None] * rows.values[rows.row + 1]

    np.testing.assert_allclose(values[0], values[10])
    np.testing.assert_allclose(values[30], values[20])
    np.testing.assert_allclose(values[10, [0, 5, 7, 9, 14]], [1, 1, 1.5, 2, 2])
    np.testing.assert_allclose(values[15, [0, 14]], [2, 3])


def test_azimuth_blocks_that_wander_hold_where_they_say(annotation_of):
    annotation, _ = annotation_of("_BB15")
    blocks = annotation.noise.azimuth
    lines, samples = annotation.lines, annotation.samples

    table = azimuth_spans(blocks, first_line=0, lines=lines, first_sample=0, samples=samples)

    assert (table.end[:, -1] == samples).all()
    assert (np.diff(table.end, axis=1) >= 0).all()
    rows = range(0, lines, 397)
    for line in rows:
        span = np.searchsorted(table.end[line], np.arange(samples), side="right")
        for block in blocks:
            if block.first_line <= line <= block.last_line:
                middle = (block.first_sample + block.last_sample) // 2
                expected = np.interp(line, block.line, block.value)
                for sample in (block.first_sample, middle, min(block.last_sample, samples - 1)):
                    assert table.factor[line, span[sample]] == pytest.approx(expected, rel=1e-6)


def test_pixels_outside_every_block_take_the_nearest():
    blocks = tuple(
        AzimuthNoiseBlock(
            swath, 10, 19, first, last, np.array([10.0, 19.0]), np.array([value, 2 * value])
        )
        for swath, first, last, value in (("IW1", 5, 9, 1.0), ("IW2", 14, 20, 3.0))
    )

    table = azimuth_spans(blocks, first_line=0, lines=30, first_sample=0, samples=30)

    np.testing.assert_array_equal(table.end[15], [12, 30])
    np.testing.assert_allclose(table.factor[[0, 29]], [[1.0, 3.0], [2.0, 6.0]])
