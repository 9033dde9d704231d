"""Multilooking of pairs on one grid of cells, common to all bursts and swaths of a product.

Lines and samples of all bursts of a Sentinel-1 product lie on one grid, so that cells of some lines
and samples fit into each other where bursts and swaths overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.interferometry.model import Burst, Complex64, Float32, RadarFrame, read_only

# Bursts farther apart are not of one pass, or of more of it than one grid is for.
LONGEST_S = 120.0


class Looks(NamedTuple):
    """Lines and samples that make a cell."""

    azimuth: int
    range: int


@dataclass(frozen=True)
class CellGrid:
    """Cells over all bursts of a product.

    Parameters
    ----------
    frame
        Lines and samples of the whole product.
    looks
        Of a cell.
    """

    frame: RadarFrame
    looks: Looks

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return (
            -(-self.frame.lines // self.looks.azimuth),
            -(-self.frame.samples // self.looks.range),
        )

    def origin_of(self, burst: RadarFrame) -> tuple[int, int]:
        """Return line and sample of the frame that are the first ones of a burst."""
        return _origin(self.frame, burst)

    def rows_of(self, burst: Burst) -> range:
        """Return the rows of cells that lie within the valid lines of a burst."""
        line, _ = self.origin_of(burst)
        return _inner(line, burst.valid_lines, self.looks.azimuth)

    def columns_of(self, burst: Burst) -> range:
        """Return the columns of cells that lie within the valid samples of a burst."""
        _, sample = self.origin_of(burst)
        return _inner(sample, burst.valid_samples, self.looks.range)


def cell_grid(bursts: Sequence[Burst], looks: Looks) -> CellGrid:
    """Return the grid over bursts of one product.

    Bursts that are not quite on one grid, as some old products may have them, are taken to the
    nearest pixel of that of the first burst.

    Raises
    ------
    ValueError
        When there is no burst, or bursts are minutes apart.
    """
    if not bursts:
        raise ValueError("a grid needs one burst or more, none given")
    if min(looks) < 1:
        raise ValueError(f"looks = {tuple(looks)}: expected 1 or more")
    first = bursts[0]
    places = [_origin(first, burst) for burst in bursts]
    lines, samples = zip(*places, strict=True)
    rate, interval = first.range_sampling_rate, first.azimuth_time_interval
    values = {item.name: getattr(first, item.name) for item in fields(RadarFrame)}
    values |= {
        "azimuth_time": first.azimuth_time + min(lines) * interval,
        "slant_range_time": first.slant_range_time + min(samples) / rate,
        "lines": max(n + b.lines for n, b in zip(lines, bursts, strict=True)) - min(lines),
        "samples": max(n + b.samples for n, b in zip(samples, bursts, strict=True)) - min(samples),
    }
    return CellGrid(RadarFrame(**values), looks)


class PairCells(NamedTuple):
    """Sums over cells of a pair, from cell (`row`, `column`) of the grid on.

    Parameters
    ----------
    interferogram
        Mean of reference conj(secondary), complex64; 0 where too few pixels of a cell hold data.
    reference_power, secondary_power
        Mean squared amplitudes, float32, 0 alike.
    """

    row: int
    column: int
    interferogram: Complex64
    reference_power: Float32
    secondary_power: Float32

    @property
    def coherence(self) -> Float32:
        """Magnitude of the mean over the geometric mean of the powers, NaN where there is none."""
        return sample_coherence(self.interferogram, self.reference_power, self.secondary_power)


def sample_coherence(
    interferogram: Complex64, reference_power: Float32, secondary_power: Float32
) -> Float32:
    """Return the sample coherence of cells, 0 to 1, float32, NaN where a power is 0."""
    product = reference_power.astype(np.float64) * secondary_power
    with np.errstate(invalid="ignore", divide="ignore"):
        coherence = np.abs(interferogram) / np.sqrt(product)
    coherence[product == 0.0] = np.nan
    return np.minimum(coherence, 1.0).astype(np.float32)


def coarser_cells(cells: PairCells, factor: int) -> PairCells:
    """Average cells of a whole grid over squares of them.

    Parameters
    ----------
    cells
        From the first row and column of the grid on.
    factor
        Side of a square, cells. Squares at the far edges count as if the grid went on empty.

    Returns
    -------
    Means of what is there, 0 where less than half of a square is.
    """
    if factor < 1:
        raise ValueError(f"factor = {factor}: expected 1 or more")
    held = (cells.reference_power > 0.0).astype(np.float32)
    count = _summed(held, factor)
    enough = count >= 0.5 * factor**2
    interferogram, first, second = (
        np.divide(total, count, out=np.zeros_like(total), where=enough)
        for total in (_summed(values, factor) for values in cells[2:])
    )
    return PairCells(0, 0, interferogram, first, second)


def _summed(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return sums over squares of values, those at the edges filled up with zeros."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], factor), axis=0)
    summed: NDArray[Any] = np.add.reduceat(rows, np.arange(0, values.shape[1], factor), axis=1)
    return summed


def multilook_pair(
    reference: Complex64, secondary: Complex64, looks: Looks, origin: tuple[int, int] = (0, 0)
) -> PairCells:
    """Average a pair over cells.

    Parameters
    ----------
    reference, secondary
        On the same pixels, shape (line, sample). Pixels that are 0 or NaN in one of them do not
        count, and cells of which less than half counts are 0.
    looks
        Of a cell.
    origin
        Line and sample of the frame that are the first ones of the arrays. What is left of cells
        at the edges of the arrays is not used.
    """
    if reference.shape != secondary.shape:
        raise ValueError(f"pair of {reference.shape} and {secondary.shape} pixels")
    row, column = (-(-start // size) for start, size in zip(origin, looks, strict=True))
    skipped = row * looks.azimuth - origin[0], column * looks.range - origin[1]
    rows, columns = (
        max(size - skip, 0) // look
        for size, skip, look in zip(reference.shape, skipped, looks, strict=True)
    )
    cells = PairCells(
        row,
        column,
        np.zeros((rows, columns), np.complex64),
        np.zeros((rows, columns), np.float32),
        np.zeros((rows, columns), np.float32),
    )
    _fill_cells(
        read_only(np.ascontiguousarray(reference[skipped[0] :, skipped[1] :])),
        read_only(np.ascontiguousarray(secondary[skipped[0] :, skipped[1] :])),
        looks.azimuth,
        looks.range,
        cells.interferogram,
        cells.reference_power,
        cells.secondary_power,
    )
    return cells


def _origin(frame: RadarFrame, burst: RadarFrame) -> tuple[int, int]:
    """Return where a burst begins in a frame, whole pixels."""
    line = (burst.azimuth_time - frame.azimuth_time) / frame.azimuth_time_interval
    sample = (burst.slant_range_time - frame.slant_range_time) * frame.range_sampling_rate
    if abs(line * frame.azimuth_time_interval) > LONGEST_S:
        raise ValueError(f"bursts {abs(line) * frame.azimuth_time_interval:.0f} s apart")
    return round(line), round(sample)


def _inner(origin: int, valid: tuple[int, int], look: int) -> range:
    """Return the cells that lie within valid pixels."""
    return range(-(-(origin + valid[0]) // look), (origin + valid[1]) // look)


@compiled
def _fill_cells(
    reference: Complex64,
    secondary: Complex64,
    lines: int,
    samples: int,
    interferogram: Complex64,
    reference_power: Float32,
    secondary_power: Float32,
) -> None:
    """Fill the means of all cells."""
    least = (lines * samples + 1) // 2
    for row in range(interferogram.shape[0]):
        for column in range(interferogram.shape[1]):
            real = imaginary = first_power = second_power = 0.0
            count = 0
            for line in range(lines * row, lines * (row + 1)):
                for sample in range(samples * column, samples * (column + 1)):
                    first, second = reference[line, sample], secondary[line, sample]
                    a, b, c, d = first.real, first.imag, second.real, second.imag
                    one, other = a * a + b * b, c * c + d * d
                    # False for what is not a number too.
                    if one > 0.0 and other > 0.0:
                        count += 1
                        real += a * c + b * d
                        imaginary += b * c - a * d
                        first_power += one
                        second_power += other
            if count >= least:
                interferogram[row, column] = complex(real / count, imaginary / count)
                reference_power[row, column] = first_power / count
                secondary_power[row, column] = second_power / count
