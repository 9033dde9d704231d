"""Means over squares of the pixels that hold data, row by row.

Columns first, then rows, every sum from its terms: a few more vectorised additions of float32 than
by a running sum, and none of its drift beside a bright target. Each loop runs over whole rows that
are handed over as arrays, which is what the compiler vectorises.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]

_ZERO, _ONE, _INFINITY = np.float32(0), np.float32(1), np.float32(np.inf)


@compiled
def mean_of_row(power: Float32, row: int, radius: int) -> Float32:
    """Return the local means of one row, 0 where the pixel itself is no data.

    Beyond the edges of the image its last pixels are repeated.
    """
    rows, columns = power.shape
    padded = np.zeros(columns + 2 * radius, np.float32)
    padded_count = np.zeros(columns + 2 * radius, np.float32)
    inner, inner_count = padded[radius : radius + columns], padded_count[radius : radius + columns]
    for shifted in range(row - radius, row + radius + 1):
        _add_valid(power[min(max(shifted, 0), rows - 1)], inner, inner_count)
    _repeat_edges(padded, radius)
    _repeat_edges(padded_count, radius)
    total = np.zeros(columns, np.float32)
    count = np.zeros(columns, np.float32)
    for shift in range(2 * radius + 1):
        _add(padded[shift : shift + columns], total)
        _add(padded_count[shift : shift + columns], count)
    _divide_where_valid(power[row], count, total)
    return total


@compiled
def _add_valid(source: Float32, total: Float32, count: Float32) -> None:
    for column in range(source.size):
        value = source[column]
        valid = (value > _ZERO) & (value < _INFINITY)
        total[column] += value if valid else _ZERO
        count[column] += _ONE if valid else _ZERO


@compiled
def _repeat_edges(padded: Float32, radius: int) -> None:
    last = padded.size - 1 - radius
    for column in range(radius):
        padded[column] = padded[radius]
        padded[last + 1 + column] = padded[last]


@compiled
def _add(source: Float32, total: Float32) -> None:
    for column in range(total.size):
        total[column] += source[column]


@compiled
def _divide_where_valid(power: Float32, count: Float32, total: Float32) -> None:
    for column in range(power.size):
        value = power[column]
        valid = (value > _ZERO) & (value < _INFINITY)
        quotient = total[column] / count[column]
        total[column] = quotient if valid else _ZERO
