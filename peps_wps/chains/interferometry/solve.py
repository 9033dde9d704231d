"""Cells of bursts put together: what bursts lie off, one interferogram, its phase unwrapped."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms import unwrapping
from algorithms.interferometry.cells import CellGrid, Looks, PairCells, cell_grid
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
from algorithms.unwrapping import Method, Unwrapped, reference_phase
from peps_wps.chains.interferometry.kept_cells import KeptCells, load_cells, load_pair
from peps_wps.errors import ChainError

# Cells that are worked on together: about 40 bytes each.
MOST_CELLS = 150_000_000
# Cells that an unwrapper takes at once: about 130 bytes each.
MOST_UNWRAPPED = 40_000_000
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
    looks
        Independent looks of a cell.
    windows
        Columns of each swath, and how their cells are joined for the coherence.
    """

    grid: CellGrid
    cells: PairCells
    looks: float
    windows: tuple[tuple[slice, CoherenceWindow], ...]

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
    references = [reference for reference, _ in kept.bursts]

    def corrected() -> Iterator[tuple[Burst, PairCells]]:
        for part in kept.parts():
            cells = part.cells
            if lines:
                cells = without_shift(cells, part.pair, kept.grid, lines)
            yield part.pair.reference, cells

    looks = float(np.mean([independent_looks(burst, kept.looks) for burst in references]))
    windows = _windows(kept.grid, references, coherence_looks)
    return Merged(kept.grid, merge_cells(kept.grid, references, corrected()), looks, windows)


def _windows(
    grid: CellGrid, bursts: Sequence[Burst], least: float
) -> tuple[tuple[slice, CoherenceWindow], ...]:
    """Return how cells are joined in the columns of each swath."""
    first = {burst.swath: burst for burst in reversed(bursts)}
    return tuple(
        (slice(*columns), coherence_window(first[swath], grid.looks, least))
        for swath, columns in swath_columns(grid, bursts).items()
    )


@dataclass(frozen=True)
class Solution:
    """The phase of an interferogram, filtered and unwrapped as far as it was asked for.

    Parameters
    ----------
    filtered
        The interferogram with its filtered phase; None without a filter.
    unwrapped
        The unwrapped phase of it, or of the interferogram itself; None without an unwrapper.
    reference_phase
        What is taken off the unwrapped phase: its mean over the most coherent place.
    wavelength
        Metres.
    """

    filtered: Complex64 | None
    unwrapped: Unwrapped | None
    reference_phase: float
    wavelength: float

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
        When there are too many cells to unwrap, or the unwrapper is not installed.
    """
    filtered = None
    if is_filtered:
        progress("Filtering the phase", 0.0)
        coherence = np.nan_to_num(whole.coherence)
        filtered = goldstein(whole.cells.interferogram, coherence, exponent=exponent)
    wavelength = whole.grid.frame.wavelength
    if unwrapper is None:
        return Solution(filtered, None, 0.0, wavelength)
    progress("Unwrapping the phase", _FILTERED)
    check_unwrappable(whole.grid)
    try:
        unwrapped = unwrapping.unwrap(
            whole.cells.interferogram if filtered is None else filtered,
            whole.sample_coherence,
            looks=whole.looks,
            mask=np.nan_to_num(whole.coherence) >= least_coherence,
            method=unwrapper,
        )
    except unwrapping.MissingUnwrapperError as error:
        raise ChainError(str(error)) from error
    zero = reference_phase(unwrapped, whole.sample_coherence)
    return Solution(filtered, unwrapped, zero, wavelength)


def check_unwrappable(grid: CellGrid) -> None:
    """Refuse more cells than can be unwrapped in one piece; ChainError."""
    check_cells(grid, MOST_UNWRAPPED, "unwrapped")


def check_cells(grid: CellGrid, most: int, what: str) -> None:
    """Refuse more cells than memory is planned for; ChainError."""
    count = grid.shape[0] * grid.shape[1]
    if count > most:
        raise ChainError(
            f"{count / 1e6:.0f} million cells are more than the {most / 1e6:.0f} million that can "
            f"be {what} at once: give more looks, some bursts, or a geometry"
        )
