"""What is taken off pairs before they are inverted: the reference, the air, the orbits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.time_series.atmosphere import fitted_trend
from algorithms.time_series.network import Network
from algorithms.time_series.reference import ReferenceBlock, best_block
from peps_wps.errors import ChainError

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Trends are fitted to maps of so many pixels a side at most.
_SIDE = 512
_METRES_A_UNIT = 1_000.0  # of elevation, so that terms are of like size


@dataclass(frozen=True)
class Correction:
    """A trend of each pair that agrees with a trend of each date.

    Parameters
    ----------
    shape
        Of the map.
    coefficients
        Of each pair, radians: shape (pair, term).
    has_planes, has_elevation
        Which terms there are.
    """

    shape: tuple[int, int]
    coefficients: Float64
    has_planes: bool
    has_elevation: bool

    def of(self, block: Block, elevation: Float32) -> Float32:
        """Return what is to be subtracted in a block, shape (pair, row, column)."""
        rows = np.arange(block.rows, dtype=np.float64) + block.row
        columns = np.arange(block.columns, dtype=np.float64) + block.column
        basis = self._basis(rows, columns, np.nan_to_num(elevation))
        return np.tensordot(self.coefficients, basis, axes=1).astype(np.float32)

    def _basis(self, rows: Float64, columns: Float64, elevation: Float32) -> Float64:
        """Return the terms at places of the map, shape (term, row, column)."""
        row, column = np.meshgrid(rows / self.shape[0], columns / self.shape[1], indexing="ij")
        terms: list[NDArray[np.floating]] = []
        if self.has_planes:
            terms += [row - 0.5, column - 0.5]
        if self.has_elevation:
            terms.append(elevation / _METRES_A_UNIT)
        return np.stack(terms).astype(np.float64) if terms else np.empty((0, *row.shape))


def no_correction(shape: tuple[int, int], pairs: int) -> Correction:
    """Return what takes nothing off."""
    return Correction(shape, np.empty((pairs, 0)), has_planes=False, has_elevation=False)


def fitted_correction(
    phases: Sequence[Path], elevation: Path, net: Network, *, planes: bool, by_elevation: bool
) -> Correction:
    """Fit trends to pairs that agree with trends of the dates.

    Parameters
    ----------
    phases
        Maps of the unwrapped phase of each pair.
    elevation
        Map of the heights, metres.
    net
        Dates and pairs.
    planes, by_elevation
        What is fitted, beside an offset that the reference settles.

    Raises
    ------
    ChainError
        When a pair has too few pixels.
    """
    with rasterio.open(elevation) as dataset:
        shape = dataset.shape
    empty = Correction(shape, np.empty((0, 0)), has_planes=planes, has_elevation=by_elevation)
    heights, rows, columns = _thinned(elevation)
    terms = empty._basis(rows, columns, heights)
    basis = np.concatenate([np.ones((1, *heights.shape)), terms])
    try:
        fitted = np.array([fitted_trend(_thinned(path)[0], basis) for path in phases])
    except ValueError as error:
        raise ChainError(f"no trend can be fitted to a pair: {error}") from error
    incidence = net.incidence()
    dates = np.linalg.lstsq(incidence, fitted[:, 1:], rcond=None)[0]
    return replace(empty, coefficients=incidence @ dates)


def _thinned(path: Path) -> tuple[Float32, Float64, Float64]:
    """Read every n-th pixel of a map; return the rows and columns that they stand for."""
    with rasterio.open(path) as dataset:
        height, width = dataset.shape
        shape = min(height, _SIDE), min(width, _SIDE)
        values = np.asarray(dataset.read(1, out_shape=shape), np.float32)
    rows, columns = (
        (np.arange(size) + 0.5) * (full / size) - 0.5
        for size, full in zip(shape, (height, width), strict=True)
    )
    return values, rows, columns


def reference_of(coherences: Sequence[Path], phases: Sequence[Path]) -> ReferenceBlock:
    """Return the block in which the least coherent of all pairs is most coherent.

    Raises
    ------
    ChainError
        When no pixel has a phase in every pair.
    """
    lowest: Float32 | None = None
    for coherence, phase in zip(coherences, phases, strict=True):
        with rasterio.open(coherence) as first, rasterio.open(phase) as second:
            values = np.where(np.isfinite(second.read(1)), first.read(1), np.nan)
        values = np.nan_to_num(values).astype(np.float32)
        lowest = values if lowest is None else np.minimum(lowest, values)
    if lowest is None or not lowest.any():
        raise ChainError(
            "no pixel has a phase in every pair: give reference_point, fewer neighbours, or more "
            "looks"
        )
    radius = min(2, (min(lowest.shape) - 1) // 2)
    return best_block(lowest[np.newaxis], radius=radius)


def offset_of(phase: Path, block: ReferenceBlock) -> float | None:
    """Return the mean phase of a pair at the reference, None where it has none there."""
    with rasterio.open(phase) as dataset:
        rows, columns = block.window(dataset.shape)
        values = dataset.read(1)[rows, columns]
    known = np.isfinite(values)
    return float(values[known].mean(dtype=np.float64)) if known.any() else None
