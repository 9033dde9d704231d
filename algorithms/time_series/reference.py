"""The place that displacement is told against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ReferenceBlock:
    """Pixels whose mean is zero in every pair.

    Parameters
    ----------
    row, column
        The middle.
    radius
        Pixels each way.
    """

    row: int
    column: int
    radius: int = 2

    def window(self, shape: tuple[int, int]) -> tuple[slice, slice]:
        """Return the part of the block that lies in an image.

        Raises
        ------
        ValueError
            When the middle lies outside.
        """
        rows, columns = shape
        if not (0 <= self.row < rows and 0 <= self.column < columns):
            raise ValueError(f"the reference {self.row}, {self.column} lies outside {shape}")
        return (
            slice(max(self.row - self.radius, 0), self.row + self.radius + 1),
            slice(max(self.column - self.radius, 0), self.column + self.radius + 1),
        )


def best_block(coherence: NDArray[np.floating], *, radius: int = 2) -> ReferenceBlock:
    """Return the block in which the lowest coherence of the pairs is highest on average.

    Parameters
    ----------
    coherence
        Of each pair, shape (pair, row, column); NaN is missing and counts as none.
    radius
        Of the block, pixels.
    """
    lowest = np.nan_to_num(coherence).min(axis=0)
    size = 2 * radius + 1
    if min(lowest.shape) < size:
        raise ValueError(f"an image of {lowest.shape} pixels is smaller than a block of {size}")
    sums = np.pad(np.cumsum(np.cumsum(lowest, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))
    blocks = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    row, column = np.unravel_index(int(np.argmax(blocks)), blocks.shape)
    return ReferenceBlock(int(row) + radius, int(column) + radius, radius)
