"""The target on the pixels of the reference: one interpolation by cubic B-splines, part by part."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.compiled import compiled
from algorithms.correlation.filters import convolved, filled, spline_taps
from algorithms.correlation.images import Image
from algorithms.registration.model import Model

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.uint8]

# Pixels around a block whose values reach into it: the spline's filter and its four taps.
MARGIN = spline_taps().size // 2 + 3
# Places along each side of a block at which the model is looked at for what it may need.
_LOOKED_AT = 9
# A neighbour of less weight does not count: whole shifts copy pixels.
_LEAST_FRACTION = 1e-4


def needed(model: Model, block: Block, shape: tuple[int, int]) -> Block:
    """Return the part of a target that a block of the reference shows.

    Parameters
    ----------
    model
        Where pixels of the reference lie in the target.
    block
        Of the reference.
    shape
        Rows and columns of the target.

    Returns
    -------
    Within the target; empty where they have nothing in common.
    """
    row = block.row + np.linspace(0.0, block.rows - 1.0, _LOOKED_AT)[:, None]
    column = block.column + np.linspace(0.0, block.columns - 1.0, _LOOKED_AT)[None, :]
    dy, dx = model.at(row, column)
    first_row, rows = _reached(row + dy, shape[0])
    first_column, columns = _reached(column + dx, shape[1])
    return Block(first_row, first_column, rows, columns)


def _reached(places: Float64, size: int) -> tuple[int, int]:
    """Return first pixel and number of pixels, along one axis, that places and filters reach."""
    first = max(math.floor(places.min()) - MARGIN, 0)
    last = min(math.ceil(places.max()) + MARGIN + 1, size)
    return min(first, size), max(last - first, 0)


def resampled(
    pixels: Float32, valid: Mask, part: Block, shape: tuple[int, int], model: Model, block: Block
) -> tuple[Float32, Mask]:
    """Interpolate a target at the pixels of a block of the reference.

    Parameters
    ----------
    pixels
        Part of the target, shape (row, column); finite.
    valid
        1 where the target holds data, same shape.
    part
        Where `pixels` lie in the target; `needed` tells which.
    shape
        Rows and columns of the whole target.
    model
        Where pixels of the reference lie in the target.
    block
        Of the reference.

    Returns
    -------
    values, valid
        Shape (rows, columns) of the block. Where one of the four pixels around a place has no data,
        or the place lies outside the target, there is none, and the value is zero.
    """
    values = np.zeros((block.rows, block.columns), np.float32)
    known = np.zeros(values.shape, np.uint8)
    if part.rows > 0 and part.columns > 0 and valid.any():
        coefficients = convolved(filled(pixels, valid), spline_taps())
        terms = np.zeros((2, 6))
        terms[0, : len(model.dy)], terms[1, : len(model.dx)] = model.dy, model.dx
        frame = _Frame(part.row, part.column, *shape, block.row, block.column)
        place = np.array([*model.centre, model.span])
        _interpolate(coefficients, valid, frame, terms, place, values, known)
    return values, known


def on_block(target: Image, model: Model, block: Block) -> tuple[Float32, Mask]:
    """Return an image at the pixels of a block of the reference, and 1 where it holds data."""
    part = needed(model, block, target.shape)
    pixels, valid = target.rows(part.row, part.row + part.rows)
    columns = slice(part.column, part.column + part.columns)
    return resampled(
        np.ascontiguousarray(pixels[:, columns]),
        np.ascontiguousarray(valid[:, columns]),
        part,
        target.shape,
        model,
        block,
    )


class _Frame(NamedTuple):
    """First pixels of the part that was read and of the block, and the size of the target."""

    part_row: int
    part_column: int
    rows: int
    columns: int
    block_row: int
    block_column: int


@compiled
def _interpolate(
    coefficients: Float32,
    valid: Mask,
    frame: _Frame,
    terms: Float64,
    place: Float64,
    values: Float32,
    known: Mask,
) -> None:
    """Interpolate pixel by pixel; `coefficients` may have more columns than `valid`."""
    vertical, horizontal = np.empty(4, np.float32), np.empty(4, np.float32)
    for i in range(values.shape[0]):
        row = frame.block_row + i
        v = (row - place[0]) / place[2]
        for j in range(values.shape[1]):
            column = frame.block_column + j
            u = (column - place[1]) / place[2]
            y = row + _polynomial(terms[0], v, u)
            x = column + _polynomial(terms[1], v, u)
            if not (0.0 <= y <= frame.rows - 1 and 0.0 <= x <= frame.columns - 1):
                continue
            top, left = math.floor(y), math.floor(x)
            down, right = y - top, x - left
            m, n = top - frame.part_row, left - frame.part_column
            if not _all_valid(valid, m, n, down, right):
                continue
            _weigh(down, vertical)
            _weigh(right, horizontal)
            total = np.float32(0.0)
            for k in range(4):
                source = coefficients[_mirrored(m + k - 1, valid.shape[0])]
                partial = np.float32(0.0)
                for h in range(4):
                    partial += horizontal[h] * source[_mirrored(n + h - 1, valid.shape[1])]
                total += vertical[k] * partial
            values[i, j] = total
            known[i, j] = 1


@compiled
def _polynomial(terms: Float64, v: float, u: float) -> float:
    linear = terms[0] + terms[1] * v + terms[2] * u
    return float(linear + terms[3] * v * v + terms[4] * v * u + terms[5] * u * u)


@compiled
def _all_valid(valid: Mask, m: int, n: int, down: float, right: float) -> bool:
    """Tell whether the pixels around a place hold data, those without weight left out."""
    first = 1 if down > 1.0 - _LEAST_FRACTION else 0
    last = 0 if down < _LEAST_FRACTION else 1
    left = 1 if right > 1.0 - _LEAST_FRACTION else 0
    far = 0 if right < _LEAST_FRACTION else 1
    for k in range(first, last + 1):
        for h in range(left, far + 1):
            i, j = m + k, n + h
            if not (0 <= i < valid.shape[0] and 0 <= j < valid.shape[1] and valid[i, j]):
                return False
    return True


@compiled
def _weigh(fraction: float, weights: Float32) -> None:
    """Fill in the cubic B-spline of four neighbours (Unser, IEEE SPM 16(6), 1999, equation 2)."""
    rest = 1.0 - fraction
    weights[0] = rest * rest * rest / 6.0
    weights[1] = 2.0 / 3.0 - 0.5 * fraction * fraction * (2.0 - fraction)
    weights[2] = 2.0 / 3.0 - 0.5 * rest * rest * (2.0 - rest)
    weights[3] = fraction * fraction * fraction / 6.0


@compiled
def _mirrored(index: int, size: int) -> int:
    """Return the pixel that one beyond an edge stands for, the edge not repeated."""
    if size == 1:
        return 0
    index = abs(index)
    return 2 * (size - 1) - index if index >= size else index
