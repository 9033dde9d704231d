"""Pixels of a raster on another grid, whose mapping is known at regular nodes.

For pictures: one value a pixel, nearest or from the four pixels around. Resampling of radar windows
is in `algorithms.radar.resampling`.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Method = Literal["nearest", "bilinear"]


def regrid(
    window: Float32,
    rows: Float64,
    columns: Float64,
    *,
    shape: tuple[int, int],
    extent: tuple[float, float] | None = None,
    method: Method = "nearest",
) -> Float32:
    """Return the values of a raster at the pixel centres of another grid.

    Parameters
    ----------
    window
        The raster, shape (row, column); NaN is no data.
    rows, columns
        Where the nodes of the grid lie in the raster, in pixels from its outer corner, so that the
        centre of its first pixel is at 0.5; shape (node row, node column), at least two each way.
        The nodes divide the grid evenly from its outer edge to its outer edge; between them the
        position is bilinear. NaN where a node lies nowhere.
    shape
        Rows and columns of the grid.
    extent
        Rows and columns of the raster that lie on the map, where its last pixels reach beyond it;
        None for all.
    method
        "nearest": the pixel that a centre falls into; "bilinear": a mean of the valid ones of the
        four pixels around, where that pixel is valid.

    Returns
    -------
    Values of `shape`, NaN outside the raster and where it has no data.

    Raises
    ------
    ValueError
        When the nodes are too few, or of different shapes.
    """
    if rows.shape != columns.shape or min(rows.shape) < 2:
        raise ValueError(
            f"nodes have shapes {rows.shape} and {columns.shape}, expected one of 2 x 2 or more"
        )
    out = np.empty(shape, np.float32)
    end = (float(window.shape[0]), float(window.shape[1]))
    if extent is not None:
        end = (min(end[0], extent[0]), min(end[1], extent[1]))
    _regrid(window, rows, columns, end, 4 if method == "bilinear" else 1, out)
    return out


@compiled
def _regrid(
    window: Float32,
    rows: Float64,
    columns: Float64,
    end: tuple[float, float],
    neighbours: int,
    out: Float32,
) -> None:
    height, width = out.shape
    last_node = rows.shape[1] - 1
    for row in range(height):
        v = (row + 0.5) * (rows.shape[0] - 1) / height
        above = int(v)
        v -= above
        node_rows = (1.0 - v) * rows[above] + v * rows[above + 1]
        node_columns = (1.0 - v) * columns[above] + v * columns[above + 1]
        for column in range(width):
            u = (column + 0.5) * last_node / width
            left = int(u)
            u -= left
            y = (1.0 - u) * node_rows[left] + u * node_rows[left + 1]
            x = (1.0 - u) * node_columns[left] + u * node_columns[left + 1]
            value = np.float32(math.nan)
            # NaN fails here.
            if y >= 0.0 and x >= 0.0 and y < end[0] and x < end[1]:
                value = window[int(y), int(x)]
                if neighbours > 1 and value == value:  # noqa: PLR0124  (false for NaN)
                    value = _bilinear(window, y, x)
            out[row, column] = value


@compiled
def _bilinear(window: Float32, y: float, x: float) -> np.float32:
    """Weigh the valid ones of the four pixels around a position; one of them is."""
    top, left = int(y + 0.5) - 1, int(x + 0.5) - 1
    v, u = np.float32(y - 0.5 - top), np.float32(x - 0.5 - left)
    if top >= 0 and left >= 0 and top + 1 < window.shape[0] and left + 1 < window.shape[1]:
        upper = window[top, left] + u * (window[top, left + 1] - window[top, left])
        lower = window[top + 1, left] + u * (window[top + 1, left + 1] - window[top + 1, left])
        value = upper + v * (lower - upper)
        if value == value:  # noqa: PLR0124  (false for NaN)
            return np.float32(value)
    return _bilinear_of_valid(window, top, left, v, u)


@compiled
def _bilinear_of_valid(
    window: Float32, top: int, left: int, v: np.float32, u: np.float32
) -> np.float32:
    """Weigh the four pixels where some lie outside or have no data."""
    total, weights = np.float32(0.0), np.float32(0.0)
    one = np.float32(1.0)
    for i, down in ((top, one - v), (top + 1, v)):
        for j, across in ((left, one - u), (left + 1, u)):
            if i < 0 or j < 0 or i >= window.shape[0] or j >= window.shape[1]:
                continue
            value = window[i, j]
            if value == value:  # noqa: PLR0124  (false for NaN)
                total += down * across * value
                weights += down * across
    return np.float32(total / weights)
