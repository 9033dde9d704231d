"""Spectral diversity on bursts whose misregistration is known."""

import dataclasses

import numpy as np
import pytest

from algorithms.interferometry.cells import Looks, PairCells, cell_grid
from algorithms.interferometry.merging import merge_cells
from algorithms.interferometry.pair import burst_pair, without_shift
from algorithms.interferometry.spectral_diversity import (
    estimate_shift,
    invert_shifts,
    overlap_of,
    shift_phasors,
)
from simulator.interferogram import speckled
from tests.algorithms.interferometry.scene import make_burst, secondary_of

STEP = 1_340  # lines from burst to burst


@pytest.fixture(scope="module")
def two_bursts():
    """Two whole bursts of a narrow swath, as pairs, and their grid."""
    first = make_burst(lines=1_513, samples=1_600, azimuth_time=-2.0)
    apart = STEP * first.azimuth_time_interval
    second = dataclasses.replace(first, burst_id=8, azimuth_time=first.azimuth_time + apart)
    pairs = tuple(burst_pair(burst, secondary_of(burst), (0.0, 500.0)) for burst in (first, second))
    return pairs, cell_grid([first, second], Looks(4, 20))


def cells_of(pair, grid, coherence, shift, rng):
    """Draw cells whose phase is that of a misregistration."""
    rows, columns = grid.rows_of(pair.reference), grid.columns_of(pair.reference)
    turned = shift_phasors(pair, grid, rows, columns, -shift)
    known = np.full(turned.shape, coherence, np.float32)
    interferogram, sample = speckled(np.angle(turned), known, 27, rng)
    power = (np.abs(interferogram) / sample).astype(np.float32)
    return PairCells(rows.start, columns.start, interferogram, power, power)


@pytest.mark.parametrize(
    ("coherence", "shift", "tolerance"),
    [(0.85, 0.004, 3e-4), (0.6, -0.0312, 1e-3), (0.6, 0.0, 1e-3)],
)
def test_an_injected_misregistration_is_found_and_taken_out(
    two_bursts, rng, coherence, shift, tolerance
):
    pairs, grid = two_bursts
    cells = tuple(cells_of(pair, grid, coherence, shift, rng) for pair in pairs)

    found = estimate_shift([overlap_of(pairs, cells, grid)])

    assert abs(found.lines - shift) < tolerance
    assert abs(found.lines - shift) < 5.0 * found.standard_error
    mended = tuple(
        without_shift(part, pair, grid, found.lines)
        for part, pair in zip(cells, pairs, strict=True)
    )
    left = overlap_of(pairs, mended, grid)
    jump = np.angle(np.sum(left.weight * left.difference))
    # 0.0005 lines are 0.03 rad.
    assert abs(jump) < 0.03


def test_merged_bursts_have_no_seam(two_bursts, rng):
    pairs, grid = two_bursts
    parts = [
        (pair.reference, without_shift(cells_of(pair, grid, 0.9, 0.02, rng), pair, grid, 0.02))
        for pair in pairs
    ]

    whole = merge_cells(grid, [burst for burst, _ in parts], reversed(parts))

    rows = grid.rows_of(parts[0][0]), grid.rows_of(parts[1][0])
    cut = (rows[0].stop + rows[1].start) // 2
    first, second = (cells for _, cells in parts)
    np.testing.assert_array_equal(
        whole.interferogram[cut - 1, first.column : first.column + 70],
        first.interferogram[cut - 1 - first.row, :70],
    )
    np.testing.assert_array_equal(
        whole.interferogram[cut, first.column : first.column + 70],
        second.interferogram[cut - second.row, :70],
    )
    held = whole.reference_power > 0.0
    assert held[rows[0].start : rows[1].stop, first.column : first.column + 70].all()
    assert np.abs(np.angle(whole.interferogram[held].sum())) < 0.01


def test_noise_tells_no_shift(two_bursts, rng):
    pairs, grid = two_bursts
    cells = tuple(cells_of(pair, grid, 0.0, 0.0, rng) for pair in pairs)

    overlap = overlap_of(pairs, cells, grid)

    # Some cells of noise look coherent; too few to answer, or an answer without concentration.
    found = estimate_shift([overlap] if overlap else [])
    assert found is None or found.concentration < 0.6


def test_bursts_that_do_not_touch_have_no_overlap(two_bursts, rng):
    (pair, _), grid = two_bursts
    cells = cells_of(pair, grid, 0.9, 0.0, rng)

    assert overlap_of((pair, pair), (cells, cells._replace(row=cells.row + 1_000)), grid) is None


def test_a_network_of_pairs_gives_the_shift_of_every_date(rng):
    truth = np.array([0.0, 0.004, -0.011, 0.002])
    pairs = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3)]
    error = np.array([1e-4, 1e-4, 4e-4, 1e-4, 2e-4])
    measured = np.array([truth[j] - truth[i] for i, j in pairs]) + rng.normal(0.0, error)

    found = invert_shifts(pairs, measured, error, 4)

    np.testing.assert_allclose(found, truth, atol=5e-4)
    with pytest.raises(ValueError, match="do not connect"):
        invert_shifts([(0, 1)], measured[:1], error[:1], 4)


def test_bursts_of_different_ground_are_no_pair():
    burst = make_burst()
    with pytest.raises(ValueError, match="same ground"):
        burst_pair(burst, dataclasses.replace(burst, burst_id=9), (0.0, 1.0))
