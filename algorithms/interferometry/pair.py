"""A pair of bursts from pixels to multilooked cells: the steps of interferometry in their order.

One burst is worked on in blocks of lines, so that besides its pixels little memory is needed. The
cells of all bursts, a hundredth of the pixels, are what corrections and merging work on.
"""

from collections.abc import Callable

import numpy as np

from algorithms.interferometry.cells import CellGrid, PairCells, multilook_pair
from algorithms.interferometry.common_band import in_common_band, see_different_bands
from algorithms.interferometry.geometry import pair_offsets
from algorithms.interferometry.model import Burst, Complex64
from algorithms.interferometry.relief import burst_relief
from algorithms.interferometry.resampling import (
    ALIGNED,
    Misregistration,
    flattening_phasors,
    resample_secondary,
)
from algorithms.interferometry.spectral_diversity import BurstPair, shift_phasors
from algorithms.terrain.nodes import Terrain

# Lines worked on at once, about.
_BLOCK_LINES = 128

Progress = Callable[[float], None]


def burst_pair(reference: Burst, secondary: Burst, height_range: tuple[float, float]) -> BurstPair:
    """Join two bursts with one identifier.

    Parameters
    ----------
    reference, secondary
        The bursts.
    height_range
        Lowest and highest ground, metres above the ellipsoid.

    Raises
    ------
    ValueError
        When the bursts do not show the same ground.
    """
    names = [(burst.swath, burst.burst_id) for burst in (reference, secondary)]
    if names[0] != names[1]:
        raise ValueError(f"bursts {names[0]} and {names[1]} do not show the same ground")
    return BurstPair(reference, secondary, pair_offsets(reference, secondary, height_range))


def burst_cells(
    pixels: tuple[Complex64, Complex64],
    pair: BurstPair,
    terrain: Terrain,
    grid: CellGrid,
    *,
    misregistration: Misregistration = ALIGNED,
    progress: Progress | None = None,
) -> PairCells:
    """Compute the flattened interferogram of a burst on the grid of its product.

    Parameters
    ----------
    pixels
        All pixels of the reference and of the secondary burst.
    pair
        The bursts.
    terrain
        Heights of the ground around the burst.
    grid
        Of the reference product.
    misregistration
        Of the secondary, when it is known beforehand and large; small ones are taken out later, by
        `without_shift`.
    progress
        Told the share that is done, 0 to 1.

    Returns
    -------
    Means of the cells within the valid part of the reference burst; 0 where the secondary does not
    reach or the height is unknown. Where the antennas lie far apart, of the part of the spectrum
    that both have (`common_band`). 0.1 CPU s for a million pixels.
    """
    line, _ = grid.origin_of(pair.reference)
    rows, columns = grid.rows_of(pair.reference), grid.columns_of(pair.reference)
    step = max(_BLOCK_LINES // grid.looks.azimuth, 1)
    blocks = []
    for row in range(rows.start, rows.stop, step):
        last_row = min(row + step, rows.stop)
        lines = slice(row * grid.looks.azimuth - line, last_row * grid.looks.azimuth - line)
        blocks.append(_cells_of(pixels, pair, terrain, grid, lines, misregistration))
        if progress:
            progress((last_row - rows.start) / len(rows))
    return PairCells(
        rows.start,
        columns.start,
        *(np.concatenate([block[which] for block in blocks]) for which in (2, 3, 4)),
    )


def _cells_of(
    pixels: tuple[Complex64, Complex64],
    pair: BurstPair,
    terrain: Terrain,
    grid: CellGrid,
    lines: slice,
    misregistration: Misregistration,
) -> PairCells:
    """Compute the cells of some lines of the reference burst."""
    reference, secondary = pixels
    _, sample = grid.origin_of(pair.reference)
    columns = grid.columns_of(pair.reference)
    across = slice(
        columns.start * grid.looks.range - sample, columns.stop * grid.looks.range - sample
    )
    bursts = pair.reference, pair.secondary
    relief = burst_relief(pair.reference, terrain, lines)
    resampled = resample_secondary(
        secondary,
        bursts,
        pair.offsets,
        relief.heights,
        first_line=lines.start,
        misregistration=misregistration,
    )
    cells = multilook_pair(reference[lines, across], resampled[:, across], grid.looks)
    if not see_different_bands(bursts, pair.offsets):
        return cells
    first, second = in_common_band(
        (reference[lines], resampled),
        flattening_phasors(bursts, pair.offsets, relief.heights, first_line=lines.start),
        pair.reference,
    )
    return _like(cells, multilook_pair(first[:, across], second[:, across], grid.looks))


def _like(whole: PairCells, narrow: PairCells) -> PairCells:
    """Scale cells of a narrower band to the reference's power in the whole band."""
    scale = np.zeros_like(whole.reference_power)
    np.divide(
        whole.reference_power,
        narrow.reference_power,
        out=scale,
        where=narrow.reference_power > 0.0,
    )
    return narrow._replace(
        interferogram=narrow.interferogram * scale,
        reference_power=narrow.reference_power * scale,
        secondary_power=narrow.secondary_power * scale,
    )


def without_shift(cells: PairCells, pair: BurstPair, grid: CellGrid, lines: float) -> PairCells:
    """Take an azimuth misregistration out of the phase of a burst's cells."""
    height, width = cells.interferogram.shape
    rows = range(cells.row, cells.row + height)
    columns = range(cells.column, cells.column + width)
    turned = cells.interferogram * shift_phasors(pair, grid, rows, columns, lines)
    return cells._replace(interferogram=turned)
