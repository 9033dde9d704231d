"""Means over squares of the pixels that hold data, row by row.

Columns first, then rows, every sum from its terms: a few more vectorised additions of float32 than
by a running sum, and none of its drift beside a bright target. Each loop runs over whole rows that
are handed over as arrays, which is what the compiler vectorises.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

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


@compiled
def moments_of_row(power: Float32, row: int, radius: int) -> tuple[Float64, Float64]:
    """Return the local means of one row and the variances over squared means, 0 for no data.

    Variances are those of a sample, over one pixel less than there are, and 0 of one pixel.
    """
    rows, columns = power.shape
    padded = np.zeros((3, columns + 2 * radius), np.float64)
    for shifted in range(row - radius, row + radius + 1):
        _add_powers(power[min(max(shifted, 0), rows - 1)], radius, padded)
    for moment in range(3):
        for column in range(radius):
            padded[moment, column] = padded[moment, radius]
            padded[moment, radius + columns + column] = padded[moment, radius + columns - 1]
    mean, variation = np.zeros(columns, np.float64), np.zeros(columns, np.float64)
    for column in range(columns):
        if not _ZERO < power[row, column] < _INFINITY:
            continue
        count, total, squares = 0.0, 0.0, 0.0
        for shift in range(2 * radius + 1):
            count += padded[0, column + shift]
            total += padded[1, column + shift]
            squares += padded[2, column + shift]
        mean[column] = total / count
        if count > 1:
            variance = max(squares - total * mean[column], 0.0) / (count - 1)
            variation[column] = variance / mean[column] ** 2
    return mean, variation


@compiled
def _add_powers(source: Float32, radius: int, padded: Float64) -> None:
    for column in range(source.size):
        value = source[column]
        if _ZERO < value < _INFINITY:
            padded[0, radius + column] += 1.0
            padded[1, radius + column] += np.float64(value)
            padded[2, radius + column] += np.float64(value) ** 2
