"""Points of the ground seen in both images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.correlation import DisplacementField, Flag

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_WITHOUT_DATA = Flag.BORDER | Flag.NO_DATA


@dataclass(frozen=True)
class TiePoints:
    """Points found in both images, arrays of shape (point,).

    Parameters
    ----------
    row, column
        Pixel of the reference.
    dy, dx
        Displacement from the reference to the target, pixels.
    correlation
        Of the windows, -1 to 1.
    sigma
        Predicted standard error of a component, pixels.
    residual_y, residual_x
        What of the displacement the model does not say, pixels.
    is_used
        Whether the point takes part in the model; the others contradict it.
    """

    row: Float64
    column: Float64
    dy: Float64
    dx: Float64
    correlation: Float64
    sigma: Float64
    residual_y: Float64
    residual_x: Float64
    is_used: Mask

    def __len__(self) -> int:
        return self.row.size

    @property
    def used(self) -> int:
        """How many take part in the model."""
        return int(np.count_nonzero(self.is_used))


@dataclass(frozen=True)
class Places:
    """Where tie points were looked for: in all, without data in one image, and under clouds."""

    all: int
    empty: int
    clouded: int


@dataclass(frozen=True)
class Matches:
    """What was found at the nodes of a grid.

    Parameters
    ----------
    row, column, dy, dx, correlation, sigma
        Of the points found, as in `TiePoints`.
    ground
        Rows and columns of the nodes where both images hold data or clouds, shape (2, node).
    places
        Where was looked.
    """

    row: Float64
    column: Float64
    dy: Float64
    dx: Float64
    correlation: Float64
    sigma: Float64
    ground: Float64
    places: Places

    @property
    def count(self) -> int:
        """How many were found."""
        return self.row.size

    @classmethod
    def of(cls, field: DisplacementField) -> "Matches":
        """Return what a correlation has answered."""
        row, column = np.meshgrid(
            field.rows.astype(np.float64), field.columns.astype(np.float64), indexing="ij"
        )
        found = field.is_answered
        ground = (field.flags & _WITHOUT_DATA) == 0
        dy, dx, correlation, sigma = (
            values[found].astype(np.float64)
            for values in (field.dy, field.dx, field.correlation, field.sigma)
        )
        places = np.stack([row[ground], column[ground]])
        looked = Places(
            found.size,
            int(np.count_nonzero(~ground)),
            int(np.count_nonzero(field.flags & Flag.CLOUD)),
        )
        return cls(row[found], column[found], dy, dx, correlation, sigma, places, looked)
