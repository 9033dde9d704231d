"""Bursts and swaths put together on the grid of the product."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from algorithms.interferometry.cells import CellGrid, PairCells
from algorithms.interferometry.model import Burst, Mask


def merge_cells(
    grid: CellGrid, bursts: Sequence[Burst], parts: Iterable[tuple[Burst, PairCells]]
) -> PairCells:
    """Put the cells of bursts together.

    Bursts of a swath are cut in the middle of the rows that both hold, swaths in the middle of the
    columns; cells that only one holds come from that one wherever they lie. Nothing is averaged.

    Parameters
    ----------
    grid
        The grid of all cells.
    bursts
        All that take part.
    parts
        A burst and its cells, in any order, taken one at a time.

    Returns
    -------
    Cells of the whole grid, 0 where no burst has data.
    """
    whole = PairCells(
        0,
        0,
        np.zeros(grid.shape, np.complex64),
        np.zeros(grid.shape, np.float32),
        np.zeros(grid.shape, np.float32),
    )
    columns = swath_columns(grid, bursts)
    rows = _burst_rows(grid, bursts)
    for burst, cells in parts:
        height, width = cells.interferogram.shape
        place = slice(cells.row, cells.row + height), slice(cells.column, cells.column + width)
        own = _inside(rows[burst.swath, burst.burst_id], cells.row, height)[:, np.newaxis]
        own = own & _inside(columns[burst.swath], cells.column, width)
        taken = (cells.reference_power > 0.0) & (own | (whole.reference_power[place] == 0.0))
        for target, source in zip(whole[2:], cells[2:], strict=True):
            np.copyto(target[place], source, where=taken)
    return whole


def _burst_rows(grid: CellGrid, bursts: Sequence[Burst]) -> dict[tuple[str, int], tuple[int, int]]:
    """Return the rows that are each burst's own."""
    rows = {}
    for swath in {burst.swath for burst in bursts}:
        ordered = sorted(
            (burst for burst in bursts if burst.swath == swath), key=lambda b: b.azimuth_time
        )
        cuts = _cut_between([grid.rows_of(burst) for burst in ordered])
        rows.update({(swath, b.burst_id): cut for b, cut in zip(ordered, cuts, strict=True)})
    return rows


def swath_columns(grid: CellGrid, bursts: Sequence[Burst]) -> dict[str, tuple[int, int]]:
    """Return the columns that are each swath's own, first and one after the last."""
    reach: dict[str, range] = {}
    for burst in bursts:
        columns = grid.columns_of(burst)
        known = reach.get(burst.swath, columns)
        reach[burst.swath] = range(min(known.start, columns.start), max(known.stop, columns.stop))
    names = sorted(reach, key=lambda name: reach[name].start)
    return dict(zip(names, _cut_between([reach[name] for name in names]), strict=True))


def _cut_between(runs: Sequence[range]) -> list[tuple[int, int]]:
    """Return runs cut in the middle of what neighbours have in common."""
    middle = [(a.stop + b.start) // 2 for a, b in pairwise(runs)]
    return [
        (max(run.start, first), min(run.stop, last))
        for run, first, last in zip(
            runs, [runs[0].start, *middle], [*middle, runs[-1].stop], strict=True
        )
    ]


def _inside(limits: tuple[int, int], first: int, size: int) -> Mask:
    """Tell which of consecutive indices lie within limits."""
    index = np.arange(first, first + size)
    inside: Mask = (index >= limits[0]) & (index < limits[1])
    return inside
