"""Cells of a pair: means, coherence and the grid of a product."""

import dataclasses

import numpy as np
import pytest

from algorithms.interferometry.cells import (
    Looks,
    PairCells,
    cell_grid,
    coarser_cells,
    multilook_pair,
)
from tests.algorithms.interferometry.scene import make_burst


def speckle(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def test_cells_are_means_of_their_pixels(rng):
    reference, secondary = speckle(rng, (13, 23)), speckle(rng, (13, 23))

    cells = multilook_pair(reference, secondary, Looks(4, 5), (2, 8))

    # The first whole cell begins at line 4 and sample 10 of the frame.
    assert (cells.row, cells.column) == (1, 2)
    parts = [a[2:10, 2:22].reshape(2, 4, 4, 5) for a in (reference, secondary)]
    expected = np.mean(parts[0] * parts[1].conj(), axis=(1, 3))
    powers = [np.mean(np.abs(part) ** 2, axis=(1, 3)) for part in parts]
    assert cells.interferogram.shape == (2, 4)
    np.testing.assert_allclose(cells.interferogram, expected, rtol=1e-5)
    np.testing.assert_allclose(cells.reference_power, powers[0], rtol=1e-5)
    np.testing.assert_allclose(
        cells.coherence, np.abs(expected) / np.sqrt(powers[0] * powers[1]), rtol=1e-5
    )


def test_pixels_without_data_do_not_count(rng):
    reference, secondary = speckle(rng, (4, 12)), speckle(rng, (4, 12))
    reference[:, 1] = 0.0
    secondary[0, 5] = np.nan
    secondary[:, 8:11] = 0.0

    cells = multilook_pair(reference, secondary, Looks(4, 4))

    kept = reference[:, [0, 2, 3]], secondary[:, [0, 2, 3]]
    np.testing.assert_allclose(
        cells.interferogram[0, 0], np.mean(kept[0] * kept[1].conj()), rtol=1e-5
    )
    assert np.isfinite(cells.interferogram[0, 1])
    # A quarter of the pixels is too few.
    assert cells.interferogram[0, 2] == 0.0
    assert np.isnan(cells.coherence[0, 2])


def test_coarser_cells_are_means_of_what_is_there(rng):
    values = rng.standard_normal((7, 8)) + 1j * rng.standard_normal((7, 8))
    values[:2, 3:6] = 0.0
    power = (np.abs(values) > 0.0).astype(np.float32)
    cells = PairCells(0, 0, values.astype(np.complex64), power, 4.0 * power)

    coarse = coarser_cells(cells, 3)

    assert coarse.interferogram.shape == (3, 3)
    np.testing.assert_allclose(coarse.interferogram[1, 1], values[3:6, 3:6].mean(), rtol=1e-5)
    # One column of two is missing, and of the middle square two rows of three.
    held = values[:3, :3][power[:3, :3] > 0.0]
    np.testing.assert_allclose(coarse.interferogram[0, 0], held.mean(), rtol=1e-5)
    assert coarse.interferogram[0, 1] == 0.0
    # Squares that the grid ends in count as if it went on empty: a third, and two.
    assert coarse.reference_power[2].tolist() == [0.0, 0.0, 0.0]
    assert coarse.secondary_power[1].tolist() == [4.0, 4.0, 4.0]
    with pytest.raises(ValueError, match="factor"):
        coarser_cells(cells, 0)


def test_a_real_product_has_one_grid(real_bursts):
    bursts = [burst for swath in real_bursts[0].values() for burst in swath]

    grid = cell_grid(bursts, Looks(4, 20))

    interval, rate = bursts[0].azimuth_time_interval, bursts[0].range_sampling_rate
    for burst in bursts:
        line, sample = grid.origin_of(burst)
        # Annotated times are given to a microsecond, half a thousandth of a line.
        late = (burst.azimuth_time - grid.frame.azimuth_time) / interval
        far = (burst.slant_range_time - grid.frame.slant_range_time) * rate
        assert late == pytest.approx(line, abs=2e-3)
        assert far == pytest.approx(sample, abs=1e-6)
        rows, columns = grid.rows_of(burst), grid.columns_of(burst)
        assert rows.start * 4 >= line + burst.valid_lines[0]
        assert rows.stop * 4 <= line + burst.valid_lines[1]
        assert columns.stop * 20 <= sample + burst.valid_samples[1]
    assert grid.frame.samples == 43_757 + bursts[-1].samples


def test_bursts_of_different_products_have_no_grid():
    burst = make_burst()
    with pytest.raises(ValueError, match="s apart"):
        cell_grid([burst, dataclasses.replace(burst, azimuth_time=500.0)], Looks(1, 1))
    with pytest.raises(ValueError, match="none given"):
        cell_grid([], Looks(1, 1))
    with pytest.raises(ValueError, match="looks"):
        cell_grid([burst], Looks(0, 1))
