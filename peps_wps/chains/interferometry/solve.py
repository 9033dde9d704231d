"""Cells of bursts put together: what bursts lie off, one interferogram, its phase unwrapped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count, groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms import unwrapping
from algorithms.interferometry.cells import (
    CellGrid,
    Looks,
    PairCells,
    cell_grid,
    coarser_cells,
)
from algorithms.interferometry.coherence import independent_looks
from algorithms.interferometry.displacement import line_of_sight_displacement
from algorithms.interferometry.goldstein import goldstein
from algorithms.interferometry.ground_coherence import (
    COHERENCE_LOOKS,
    CoherenceWindow,
    coherence_window,
    ground_coherence,
)
from algorithms.interferometry.merging import merge_cells, swath_columns
from algorithms.interferometry.model import Burst, Complex64, Float32, RadarFrame
from algorithms.interferometry.pair import without_shift
from algorithms.interferometry.spectral_diversity import (
    AzimuthShift,
    Overlap,
    estimate_shift,
    overlap_of,
)
from algorithms.unwrapping import (
    Method,
    Unwrapped,
    reference_block,
    reference_phase,
    refined,
)
from peps_wps.chains.interferometry.kept_cells import KeptCells, load_cells, load_pair
from peps_wps.errors import ChainError

# Cells that are worked on together: about 45 bytes each. A product of IW has 167 million of 5x1.
MOST_CELLS = 200_000_000
# Cells that an unwrapper takes at once: about 130 bytes each.
MOST_UNWRAPPED = 40_000_000
# Coarser cells that it takes instead, where there are more: those of the bursts stay in memory.
MOST_COARSE = 20_000_000
# Shares of the time that solving takes.
_FILTERED = 0.4


@dataclass(frozen=True)
class KeptPair:
    """The kept cells of a pair, read again whenever they are needed.

    Parameters
    ----------
    paths
        Files of `save_cells`, of all bursts.
    looks
        Of a cell.
    """

    paths: tuple[Path, ...]
    looks: Looks

    @cached_property
    def bursts(self) -> tuple[tuple[Burst, Burst], ...]:
        """The bursts of the reference and of the secondary."""
        pairs = map(load_pair, self.paths)
        return tuple((pair.reference, pair.secondary) for pair in pairs)

    @cached_property
    def grid(self) -> CellGrid:
        """The cells over all bursts."""
        return cell_grid([reference for reference, _ in self.bursts], self.looks)

    @cached_property
    def secondary_frame(self) -> RadarFrame:
        """Lines and samples of the secondary, with its orbit."""
        return cell_grid([secondary for _, secondary in self.bursts], self.looks).frame

    def parts(self) -> Iterator[KeptCells]:
        """Give the bursts one at a time."""
        return map(load_cells, self.paths)

    def overlaps(self) -> list[Overlap]:
        """Compare consecutive bursts of each swath where they overlap; two are held at a time."""
        keyed = sorted(
            (burst.swath, burst.azimuth_time, path)
            for (burst, _), path in zip(self.bursts, self.paths, strict=True)
        )
        found = []
        for _, swath in groupby(keyed, key=lambda one: one[0]):
            for before, after in pairwise(map(load_cells, (path for *_, path in swath))):
                overlap = overlap_of(
                    (before.pair, after.pair), (before.cells, after.cells), self.grid
                )
                if overlap is not None:
                    found.append(overlap)
        return found

    def shift(self) -> AzimuthShift | None:
        """Find what the secondary lies off along the track; None where too little is coherent."""
        return estimate_shift(self.overlaps())


@dataclass(frozen=True)
class Merged:
    """One interferogram of all bursts.

    Parameters
    ----------
    grid
        Its cells.
    cells
        Sums over them; 0 where there are none.
    bursts
        Of the reference.
    least_looks
        Independent looks that the coherence is to stand on.
    """

    grid: CellGrid
    cells: PairCells
    bursts: tuple[Burst, ...]
    least_looks: float = COHERENCE_LOOKS

    @cached_property
    def looks(self) -> float:
        """Independent looks of a cell."""
        return float(np.mean([independent_looks(one, self.grid.looks) for one in self.bursts]))

    @cached_property
    def windows(self) -> tuple[tuple[slice, CoherenceWindow], ...]:
        """Columns of each swath, and how their cells are joined for the coherence."""
        first = {burst.swath: burst for burst in reversed(self.bursts)}
        return tuple(
            (slice(*columns), coherence_window(first[swath], self.grid.looks, self.least_looks))
            for swath, columns in swath_columns(self.grid, self.bursts).items()
        )

    @property
    def held(self) -> NDArray[np.bool_]:
        """Where there is an interferogram."""
        held: NDArray[np.bool_] = self.cells.reference_power > 0.0
        return held

    @cached_property
    def sample_coherence(self) -> Float32:
        """Coherence as it is found in each cell alone; NaN where there is none."""
        return self.cells.coherence

    @cached_property
    def coherence(self) -> Float32:
        """Coherence of the ground, without what few looks add to it; NaN alike."""
        return ground_coherence(self.cells, self.windows)

    @property
    def coherence_looks(self) -> float:
        """Independent looks that the coherence of the ground stands on, at least."""
        return min(window.looks for _, window in self.windows)

    @property
    def amplitude(self) -> Float32:
        """Root mean square of the reference's digital numbers; NaN alike."""
        amplitude = np.sqrt(self.cells.reference_power)
        amplitude[amplitude == 0.0] = np.nan
        return amplitude

    def coarser(self, factor: int) -> "Merged":
        """Return the interferogram on squares of its cells, `factor` a side."""
        looks = Looks(*(factor * look for look in self.grid.looks))
        cells = coarser_cells(self.cells, factor)
        return Merged(CellGrid(self.grid.frame, looks), cells, self.bursts, self.least_looks)


def merged(
    kept: KeptPair, lines: float = 0.0, *, coherence_looks: float = COHERENCE_LOOKS
) -> Merged:
    """Put the bursts of a pair together.

    Parameters
    ----------
    kept
        The bursts.
    lines
        By how many lines the secondary lies later than its orbit says: taken out of the phase.
    coherence_looks
        Independent looks that the coherence stands on: neighbouring cells are joined until they
        have so many; 1 takes every cell alone.
    """
    references = tuple(reference for reference, _ in kept.bursts)

    def corrected() -> Iterator[tuple[Burst, PairCells]]:
        for part in kept.parts():
            cells = part.cells
            if lines:
                cells = without_shift(cells, part.pair, kept.grid, lines)
            yield part.pair.reference, cells

    cells = merge_cells(kept.grid, references, corrected())
    return Merged(kept.grid, cells, references, coherence_looks)


@dataclass(frozen=True)
class Solution:
    """The phase of an interferogram, filtered and unwrapped as far as it was asked for.

    Parameters
    ----------
    filtered
        The interferogram with its filtered phase; None without a filter.
    unwrapped
        The unwrapped phase of it, or of the interferogram itself; None without an unwrapper.
    wavelength
        Metres.
    unwrapped_looks
        Of the cells whose cycles the unwrapper found; None without one.
    reference_phase
        What is taken off the unwrapped phase: its mean over the most coherent place.
    reference_place
        The middle of that place, line and sample of the frame; None where there is none.
    """

    filtered: Complex64 | None
    unwrapped: Unwrapped | None
    wavelength: float
    unwrapped_looks: Looks | None = None
    reference_phase: float = 0.0
    reference_place: tuple[float, float] | None = None

    @property
    def phase(self) -> Float32:
        """Unwrapped phase relative to the reference, radians, NaN where there is none."""
        if self.unwrapped is None:
            raise ValueError("the phase was not unwrapped")
        phase: Float32 = self.unwrapped.phase - np.float32(self.reference_phase)
        return phase

    @property
    def displacement(self) -> Float32:
        """Metres along the line of sight, positive towards the satellite; NaN alike."""
        return line_of_sight_displacement(self.phase, self.wavelength)


def solved(
    whole: Merged,
    *,
    is_filtered: bool = True,
    exponent: float | None = None,
    unwrapper: Method | None = "whirlwind",
    least_coherence: float = 0.0,
    progress: Callable[[str, float], None] = lambda _message, _share: None,
) -> Solution:
    """Filter and unwrap an interferogram.

    More cells than fit in memory are unwrapped as squares of them, which have the less noise; each
    cell then takes the nearest cycle (`refined`).

    Parameters
    ----------
    whole
        The interferogram.
    is_filtered, exponent
        By Goldstein's filter, whose exponent follows the coherence when it is None.
    unwrapper
        None to leave the phase wrapped.
    least_coherence
        Cells whose coherence (without bias) is less are not unwrapped: water, mostly.
    progress
        Told what is done, and the share.

    Raises
    ------
    ChainError
        When the unwrapper is not installed.
    """
    filtered = None
    if is_filtered:
        progress("Filtering the phase", 0.0)
        filtered = _filtered(whole, exponent)
    wavelength = whole.grid.frame.wavelength
    if unwrapper is None:
        return Solution(filtered, None, wavelength)
    progress("Unwrapping the phase", _FILTERED)
    phase = whole.cells.interferogram if filtered is None else filtered
    factor = coarseness(whole.grid)
    if factor == 1:
        source, unwrapped = whole, _unwrapped(whole, phase, unwrapper, least_coherence)
    else:
        source = whole.coarser(factor)
        smooth = _filtered(source, exponent) if is_filtered else source.cells.interferogram
        unwrapped = _unwrapped(source, smooth, unwrapper, least_coherence)
    zero, place = _reference(source, unwrapped)
    if factor > 1:
        unwrapped = refined(unwrapped, phase, factor, whole.coherence >= least_coherence)
    return Solution(filtered, unwrapped, wavelength, source.grid.looks, zero, place)


def _filtered(whole: Merged, exponent: float | None) -> Complex64:
    return goldstein(whole.cells.interferogram, whole.coherence, exponent=exponent)


def _unwrapped(whole: Merged, phase: Complex64, method: Method, least: float) -> Unwrapped:
    """Unwrap a phase that is that of an interferogram, filtered or not; ChainError."""
    try:
        return unwrapping.unwrap(
            phase,
            whole.sample_coherence,
            looks=whole.looks,
            mask=np.nan_to_num(whole.coherence) >= least,
            method=method,
        )
    except (unwrapping.MissingUnwrapperError, unwrapping.ForkedUnwrapperError) as error:
        raise ChainError(str(error)) from error


def _reference(whole: Merged, unwrapped: Unwrapped) -> tuple[float, tuple[float, float] | None]:
    """Return the phase to refer to, and the line and sample of where it is from."""
    block = reference_block(unwrapped, whole.sample_coherence)
    if block is None:
        return 0.0, None
    line, sample = (
        0.5 * (part.start + part.stop) * look - 0.5
        for part, look in zip(block, whole.grid.looks, strict=True)
    )
    return reference_phase(unwrapped, block), (line, sample)


def coarseness(grid: CellGrid) -> int:
    """Return the side of the squares of cells that are unwrapped in place of cells; 1 for cells."""
    if _count(grid, 1) <= MOST_UNWRAPPED:
        return 1
    return next(factor for factor in count(2) if _count(grid, factor) <= MOST_COARSE)


def check_cells(grid: CellGrid) -> None:
    """Refuse more cells than memory is planned for; ChainError."""
    cells = _count(grid, 1)
    if cells <= MOST_CELLS:
        return
    factor = next(factor for factor in count(2) if _count(grid, factor) <= MOST_CELLS)
    raise ChainError(
        f"{cells / 1e6:.0f} million cells are more than the {MOST_CELLS / 1e6:.0f} million that "
        f"are worked on at once: give looks of {grid.looks.range * factor}x"
        f"{grid.looks.azimuth * factor} or more, some bursts, or a geometry"
    )


def _count(grid: CellGrid, factor: int) -> int:
    """Return the number of squares of `factor` cells a side."""
    rows, columns = (-(-size // factor) for size in grid.shape)
    return rows * columns
