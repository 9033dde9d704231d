"""Displacements unlike their surroundings, and the filling of gaps between nodes."""

import math

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]

# Westerweel & Scarano, Experiments in Fluids 39, 2005, section 3: noise floor and threshold.
NOISE_FLOOR = 0.1  # pixels
THRESHOLD = 3.0
_LEAST_NEIGHBOURS = 3


def is_outlier(
    dy: Float32, dx: Float32, *, noise_floor: float = NOISE_FLOOR, threshold: float = THRESHOLD
) -> NDArray[np.bool_]:
    """Apply the normalised median test to a field of displacements.

    Parameters
    ----------
    dy, dx
        Components at nodes, shape (row, column), pixels; NaN where there is no answer.
    noise_floor
        Scatter of neighbours that is always allowed, pixels.
    threshold
        Distance from the median of the eight neighbours, in units of their own median distance
        plus the floor, from which a node is an outlier.

    Returns
    -------
    Shape (row, column); False where there is no answer. A node with fewer than three answered
    neighbours is an outlier: nothing confirms it.
    """
    out = np.zeros(dy.shape, np.bool_)
    _test_medians(dy, dx, noise_floor, threshold, out)
    return out


@compiled
def _test_medians(
    dy: Float32, dx: Float32, noise_floor: float, threshold: float, out: NDArray[np.bool_]
) -> None:
    rows, columns = dy.shape
    near_y, near_x = np.empty(8, np.float32), np.empty(8, np.float32)
    for row in range(rows):
        for column in range(columns):
            if math.isnan(dy[row, column]):
                continue
            count = 0
            for i in range(max(row - 1, 0), min(row + 2, rows)):
                for j in range(max(column - 1, 0), min(column + 2, columns)):
                    is_self = i == row and j == column
                    if not (is_self or math.isnan(dy[i, j])):
                        near_y[count], near_x[count] = dy[i, j], dx[i, j]
                        count += 1
            if count < _LEAST_NEIGHBOURS:
                out[row, column] = min(rows, columns) > 1
                continue
            distance_y = _distance(dy[row, column], near_y[:count], noise_floor)
            distance_x = _distance(dx[row, column], near_x[:count], noise_floor)
            out[row, column] = math.hypot(distance_y, distance_x) > threshold


@compiled
def _distance(value: float, near: Float32, noise_floor: float) -> float:
    """Return how far a value lies from the median of others, in units of their scatter."""
    middle = np.median(near)
    scatter = np.median(np.abs(near - middle))
    return float(abs(value - middle) / (scatter + noise_floor))


def without_gaps(field: Float32, fallback: Float32 | float = 0.0) -> Float32:
    """Fill nodes without answer by the average of their neighbours, ring after ring.

    Parameters
    ----------
    field
        Shape (row, column); NaN at gaps.
    fallback
        What a field without any answer becomes.

    Returns
    -------
    The field, finite everywhere.
    """
    if not np.isfinite(field).any():
        return np.broadcast_to(np.asarray(fallback, np.float32), field.shape).copy()
    out = field.copy()
    while (gaps := int(np.isnan(out).sum())) > 0:
        grown = out.copy()
        _grow(out, grown)
        out = grown
        if int(np.isnan(out).sum()) == gaps:
            break
    return out


@compiled
def _grow(field: Float32, out: Float32) -> None:
    rows, columns = field.shape
    for row in range(rows):
        for column in range(columns):
            if not math.isnan(field[row, column]):
                continue
            total, count = 0.0, 0
            for i in range(max(row - 1, 0), min(row + 2, rows)):
                for j in range(max(column - 1, 0), min(column + 2, columns)):
                    if not math.isnan(field[i, j]):
                        total += field[i, j]
                        count += 1
            if count > 0:
                out[row, column] = total / count
