"""Enhanced spectral diversity: azimuth misregistration from the overlaps of bursts.

Ground in the overlap of two bursts is seen at Doppler frequencies some 4.5 kHz apart. What the
secondary lies off in time, dt, turns the phase of each interferogram by 2 pi f dt: their difference
measures dt to a thousandth of a line and better.

References
----------
Prats-Iraola, P., et al. (2012), TOPS interferometry with TerraSAR-X, IEEE TGRS 50(8), 3179-3188.
Yague-Martinez, N., et al. (2016), Interferometric processing of Sentinel-1 TOPS data, IEEE TGRS
54(4), 2220-2234.
Fattahi, H., et al. (2017), A network-based enhanced spectral diversity approach for TOPS
time-series analysis, IEEE TGRS 55(2), 777-786.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.interferometry.carrier import doppler_frequency
from algorithms.interferometry.cells import CellGrid, PairCells
from algorithms.interferometry.coherence import independent_looks, phase_noise, unbiased_coherence
from algorithms.interferometry.model import Burst, Complex64, Float32
from algorithms.interferometry.smooth import SmoothFunction
from algorithms.radar.grd import Float64

_LEAST_COHERENCE = 0.25
_LEAST_CELLS = 20
_COARSE_STEPS = 128
_NEWTON_STEPS = 6


@dataclass(frozen=True)
class BurstPair:
    """Two bursts with one identifier, and where the ground of one lies in the other."""

    reference: Burst
    secondary: Burst
    offsets: SmoothFunction


class Overlap(NamedTuple):
    """Cells of the overlap of two bursts, one after the other along the track.

    Parameters
    ----------
    difference
        Unit phasors of the earlier burst's interferogram over the later one's, shape (cell,).
    sensitivity
        Radians of phase for a line of misregistration, same shape.
    weight
        Inverse variance of the phase, 1/rad**2, same shape.
    """

    difference: Complex64
    sensitivity: Float64
    weight: Float64


class AzimuthShift(NamedTuple):
    """What was found.

    Parameters
    ----------
    lines
        By how many lines the secondary lies later than its orbit says.
    standard_error
        Lines, by the noise of the phase.
    concentration
        Length of the mean phasor after correction: 1 when all cells agree, 0 when none do.
    cells
        How many took part.
    """

    lines: float
    standard_error: float
    concentration: float
    cells: int


def doppler_of_cells(pair: BurstPair, grid: CellGrid, rows: range, columns: range) -> Float64:
    """Return the Doppler centroid (Hz) of the secondary at the middle of cells of the grid."""
    line, sample = grid.origin_of(pair.reference)
    first = (np.array(rows) + 0.5) * grid.looks.azimuth - 0.5 - line
    second = (np.array(columns) + 0.5) * grid.looks.range - 0.5 - sample
    lines, samples = np.meshgrid(first, second, indexing="ij")
    # Heights move the line by less than a hundredth.
    moved = lines + pair.offsets.at(lines, samples, pair.offsets.middle[2])[0]
    return doppler_frequency(pair.secondary, moved, samples)


def overlap_of(
    pairs: tuple[BurstPair, BurstPair], cells: tuple[PairCells, PairCells], grid: CellGrid
) -> Overlap | None:
    """Compare two consecutive bursts of a swath where they overlap.

    Parameters
    ----------
    pairs
        The earlier burst and the later one.
    cells
        Their cells on the grid.
    grid
        The grid.

    Returns
    -------
    The cells that are coherent in both, None when there are none.
    """
    first, second = cells
    rows = _common(first.row, len(first.interferogram), second.row, len(second.interferogram))
    columns = _common(
        first.column, first.interferogram.shape[1], second.column, second.interferogram.shape[1]
    )
    if not rows or not columns:
        return None
    parts = [_cut(part, rows, columns) for part in cells]
    product = parts[0].interferogram * parts[1].interferogram.conj()
    looks = independent_looks(pairs[0].reference, grid.looks)
    variance: Float64 = np.zeros(product.shape)
    coherent = np.ones(product.shape, np.bool_)
    for part in parts:
        coherence = unbiased_coherence(part.coherence, looks)
        coherent &= coherence > _LEAST_COHERENCE
        variance += phase_noise(np.maximum(coherence, _LEAST_COHERENCE), looks) ** 2
    if not coherent.any():
        return None
    frequencies = [doppler_of_cells(pair, grid, rows, columns) for pair in pairs]
    per_line = 2.0 * np.pi * grid.frame.azimuth_time_interval
    return Overlap(
        (product[coherent] / np.abs(product[coherent])).astype(np.complex64),
        per_line * (frequencies[0] - frequencies[1])[coherent],
        1.0 / np.maximum(variance[coherent], 1e-6),
    )


def estimate_shift(overlaps: Sequence[Overlap]) -> AzimuthShift | None:
    """Find the one shift that explains all overlaps of all swaths best.

    Maximises sum w cos(phase - sensitivity * shift) over half an ambiguity (0.05 lines) to both
    sides: the likelihood of phases whose noise is that of their coherence. No cell is unwrapped.

    Parameters
    ----------
    overlaps
        Of all bursts and swaths.

    Returns
    -------
    None when too few cells are coherent to tell.
    """
    if sum(overlap.weight.size for overlap in overlaps) < _LEAST_CELLS:
        return None
    phasor = np.concatenate([overlap.difference for overlap in overlaps]).astype(np.complex128)
    sensitivity = np.concatenate([overlap.sensitivity for overlap in overlaps])
    weight = np.concatenate([overlap.weight for overlap in overlaps])
    shift = _coarse_shift(phasor, sensitivity, weight)
    for _ in range(_NEWTON_STEPS):
        residual = phasor * np.exp(-1j * sensitivity * shift)
        slope = np.sum(weight * sensitivity * residual.imag)
        curvature = np.sum(weight * sensitivity**2 * np.abs(residual.real))
        shift += float(slope / curvature)
    residual = phasor * np.exp(-1j * sensitivity * shift)
    return AzimuthShift(
        lines=shift,
        standard_error=float(1.0 / np.sqrt(np.sum(weight * sensitivity**2))),
        concentration=float(np.abs(np.sum(weight * residual)) / np.sum(weight)),
        cells=phasor.size,
    )


def shift_phasors(
    pair: BurstPair, grid: CellGrid, rows: range, columns: range, lines: float
) -> Complex64:
    """Return what an interferogram is multiplied by to take a misregistration out.

    A small shift of the secondary turns its phase by 2 pi times the Doppler centroid times the
    time: exact enough below some hundredths of a line, without a second resampling.

    Parameters
    ----------
    pair
        The bursts.
    grid, rows, columns
        Which cells.
    lines
        The shift found.
    """
    angle = doppler_of_cells(pair, grid, rows, columns)
    angle *= -2.0 * np.pi * grid.frame.azimuth_time_interval * lines
    phasors: Complex64 = np.exp(1j * angle).astype(np.complex64)
    return phasors


def invert_shifts(
    pairs: Sequence[tuple[int, int]], lines: Float64, standard_error: Float64, dates: int
) -> Float64:
    """Find the shift of every date of a stack from shifts of pairs, by weighted least squares.

    Parameters
    ----------
    pairs
        Indices of the reference and the secondary date.
    lines, standard_error
        Shift of each pair and its error, lines, shape (pair,).
    dates
        How many there are.

    Returns
    -------
    Shift of each date relative to the first one, lines, shape (dates,).

    Raises
    ------
    ValueError
        When pairs do not connect all dates.
    """
    design = np.zeros((len(pairs), dates))
    for row, (reference, secondary) in enumerate(pairs):
        design[row, reference] -= 1.0
        design[row, secondary] += 1.0
    weight = 1.0 / standard_error
    solution, _, rank, _ = np.linalg.lstsq(design[:, 1:] * weight[:, None], lines * weight)
    if rank < dates - 1:
        raise ValueError(f"{len(pairs)} pairs do not connect {dates} dates")
    return np.concatenate([[0.0], solution])


def _coarse_shift(phasor: NDArray[np.complex128], sensitivity: Float64, weight: Float64) -> float:
    """Return the best of evenly spaced shifts within half an ambiguity."""
    # Cells of nearly one sensitivity are summed first.
    bins = np.linspace(sensitivity.min(), sensitivity.max() + 1e-9, 65)
    index = np.clip(np.digitize(sensitivity, bins) - 1, 0, 63)
    total = np.bincount(index, weight * phasor.real, 64) + 1j * np.bincount(
        index, weight * phasor.imag, 64
    )
    middle = 0.5 * (bins[1:] + bins[:-1])
    reach = np.pi / float(np.abs(sensitivity).mean())
    shifts = np.linspace(-reach, reach, _COARSE_STEPS, endpoint=False)
    likelihood = (total * np.exp(-1j * middle * shifts[:, None])).real.sum(axis=1)
    return float(shifts[np.argmax(likelihood)])


def _common(first: int, first_size: int, second: int, second_size: int) -> range:
    """Return the indices in both of two runs."""
    return range(max(first, second), min(first + first_size, second + second_size))


class _Cut(NamedTuple):
    interferogram: Complex64
    coherence: Float32


def _cut(cells: PairCells, rows: range, columns: range) -> _Cut:
    """Return some cells."""
    place = (
        slice(rows.start - cells.row, rows.stop - cells.row),
        slice(columns.start - cells.column, columns.stop - cells.column),
    )
    return _Cut(cells.interferogram[place], cells.coherence[place])
