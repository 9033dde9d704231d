"""Unwrapping of interferograms by minimum cost flow: whirlwind, or snaphu where it is installed."""

import os
from functools import cache
from importlib import import_module
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Complex64 = NDArray[np.complex64]
Mask = NDArray[np.bool_]
Indexes = NDArray[np.int64]
Components = NDArray[np.uint32]

Method = Literal["whirlwind", "snaphu"]

# What fewer connected cells say is left out of the components.
_LEAST_COMPONENT = 100
# Side of the block that phases are referred to, cells.
_REFERENCE_BLOCK = 15
# The cost model of whirlwind ends here.
_MOST_LOOKS = 300.0
# Cycles of cells whose phase is farther from that of coarser cells may be noise, radians.
_RELIABLE_ANGLE = 0.5 * np.pi
_STRIP_CELLS = 1 << 20  # that are refined together


class MissingUnwrapperError(RuntimeError):
    """An unwrapper that is asked for is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is not installed: pip install 'peps[{self.name}]'"


class ForkedUnwrapperError(RuntimeError):
    """The unwrapper's threads are those of the process that this one was forked from."""

    def __init__(self, owner: int) -> None:
        super().__init__(owner)
        self.owner = owner

    def __str__(self) -> str:
        return (
            f"whirlwind has run in process {self.owner}, which this one was forked from, and its "
            "threads did not come along: fork before it runs, or spawn"
        )


class Unwrapped(NamedTuple):
    """An unwrapped interferogram.

    Parameters
    ----------
    phase
        Radians, float32, NaN where the mask excludes or there is no interferogram. It differs from
        the wrapped phase by whole cycles.
    components
        Number of the connected component within which cycles are reliable, uint32, 1 for the
        largest; 0 where no reliable path leads.
    """

    phase: Float32
    components: Components


def unwrap(
    interferogram: Complex64,
    coherence: Float32,
    *,
    looks: float,
    mask: Mask | None = None,
    method: Method = "whirlwind",
) -> Unwrapped:
    """Find the whole cycles of an interferogram.

    Parameters
    ----------
    interferogram
        Complex, shape (row, column); 0 or NaN where there is none.
    coherence
        Sample coherence, 0 to 1, same shape, of the interferogram before any filter.
    looks
        Independent looks of a cell, 1 or more.
    mask
        True where to unwrap; everywhere by default. Water should be left out.
    method
        Which unwrapper. Parts of snaphu may not be used commercially; it comes as an extra.

    Returns
    -------
    The phase, components that the mask parts levelled by whole cycles from what borders on the gap.

    Raises
    ------
    ValueError
        When the shapes differ, or looks are less than 1.
    MissingUnwrapperError
        When the method is not installed.
    ForkedUnwrapperError
        When whirlwind ran in the parent before this process was forked: it would wait for ever.
    """
    shape = interferogram.shape
    if coherence.shape != shape or (mask is not None and mask.shape != shape):
        raise ValueError(f"coherence and mask must have the shape {shape} of the interferogram")
    if not looks >= 1.0:
        raise ValueError(f"looks = {looks}: expected 1 or more")
    if method not in get_args(Method):
        raise ValueError(f"method = {method}: expected one of {get_args(Method)}")
    valid = np.isfinite(interferogram) & (interferogram != 0.0) & np.isfinite(coherence)
    if mask is not None:
        valid &= mask
    if not valid.any():
        return Unwrapped(np.full(shape, np.nan, np.float32), np.zeros(shape, np.uint32))
    wrapped = np.where(valid, interferogram, 0.0).astype(np.complex64)
    quality = np.where(valid, np.clip(coherence, 0.0, 1.0), 0.0).astype(np.float32)
    solve = _by_whirlwind if method == "whirlwind" else _by_snaphu
    phase, components = solve(wrapped, quality, looks, valid)
    return Unwrapped(
        np.where(valid, _congruent(phase, wrapped), np.nan).astype(np.float32),
        _ordered(np.where(valid, components, 0)),
    )


def refined(
    coarse: Unwrapped, interferogram: Complex64, factor: int, mask: Mask | None = None
) -> Unwrapped:
    """Give cells the cycles of coarser ones that were unwrapped: each takes the nearest cycle.

    Parameters
    ----------
    coarse
        Unwrapped squares of `factor` cells a side, shape (row, column) rounded up.
    interferogram
        Of the cells, complex; 0 or NaN where there is none.
    factor
        Side of a square, cells.
    mask
        True where to unwrap; everywhere by default.

    Returns
    -------
    The phase, NaN also where no coarse cell around has one. A cell is of the component of its
    square, but of none where its phase is a quarter of a cycle or more from that of the squares:
    what is in a component is so as reliable as there, noise of single cells left out. Where
    squares are cycles apart, each cell goes by the one that it is in.

    Raises
    ------
    ValueError
        When the shapes do not fit.
    """
    shape = interferogram.shape
    if coarse.phase.shape != tuple(-(-size // factor) for size in shape):
        raise ValueError(f"{coarse.phase.shape} squares of {factor} cells for {shape} cells")
    phase = np.full(shape, np.nan, np.float32)
    components = np.zeros(shape, np.uint32)
    columns = np.arange(shape[1])
    height = max(_STRIP_CELLS // max(shape[1], 1), 1)
    for top in range(0, shape[0], height):
        rows = np.arange(top, min(top + height, shape[0]))
        part = slice(top, top + rows.size)
        level = _level(coarse.phase, rows, columns, factor)
        valid = np.isfinite(level) & np.isfinite(interferogram[part]) & (interferogram[part] != 0.0)
        if mask is not None:
            valid &= mask[part]
        base = np.where(valid, level, 0.0)
        angle = np.angle(np.where(valid, interferogram[part], 1.0) * np.exp(-1j * base))
        phase[part][valid] = (base + angle)[valid]
        own = coarse.components[np.ix_(rows // factor, columns // factor)]
        components[part] = np.where(valid & (np.abs(angle) < _RELIABLE_ANGLE), own, 0)
    return Unwrapped(phase, components)


def _level(squares: Float32, rows: Indexes, columns: Indexes, factor: int) -> Float64:
    """Interpolate the phase of squares linearly, at the cycles of the square that a cell is in.

    Neighbours count by what they differ without whole cycles, so that a step between components,
    or along a fault, stays on the border of the squares. NaN where none around is known.
    """
    own_row, next_row, down = _neighbour(rows, factor, squares.shape[0])
    own_column, next_column, right = _neighbour(columns, factor, squares.shape[1])
    own, beside, below, across = (
        squares[np.ix_(row, column)].astype(np.float64)
        for row in (own_row, next_row)
        for column in (own_column, next_column)
    )
    for other in (beside, below, across):
        own = np.where(np.isnan(own), other, own)
    beside = _cycles_of(own, beside) - own
    below = _cycles_of(own, below) - own
    twist = _cycles_of(own + beside + below, across) - own - beside - below
    down = down[:, np.newaxis]
    level: Float64 = own + right * beside + down * below + right * down * twist
    return level


def _neighbour(cells: Indexes, factor: int, count: int) -> tuple[Indexes, Indexes, Float64]:
    """Return the squares of cells, the nearest others, and the share that these have."""
    own = cells // factor
    place = (cells + 0.5) / factor - 0.5 - own
    other = np.clip(own + np.sign(place).astype(np.int64), 0, count - 1)
    return own, other, np.abs(place)


def _cycles_of(reference: Float64, phase: Float64) -> Float64:
    """Return a phase less the whole cycles that it is off; the reference where it is not known."""
    apart = phase - reference
    apart -= 2.0 * np.pi * np.round(apart / (2.0 * np.pi))
    near: Float64 = reference + np.nan_to_num(apart)
    return near


def reference_phase(unwrapped: Unwrapped, block: tuple[slice, slice]) -> float:
    """Return the phase to refer to: the mean of the largest component in a `reference_block`."""
    inside = unwrapped.components[block] == 1
    return float(np.mean(unwrapped.phase[block][inside], dtype=np.float64))


def reference_block(unwrapped: Unwrapped, coherence: Float32) -> tuple[slice, slice] | None:
    """Return rows and columns of the most coherent block of the largest component, if any."""
    inside = unwrapped.components == 1
    if not inside.any():
        return None
    quality = np.where(inside, np.nan_to_num(coherence), 0.0)
    block = ndimage.uniform_filter(quality, _REFERENCE_BLOCK, mode="constant")
    row, column = np.unravel_index(np.argmax(np.where(inside, block, -1.0)), block.shape)
    half = _REFERENCE_BLOCK // 2
    rows, columns = block.shape
    return (
        slice(max(int(row) - half, 0), min(int(row) + half + 1, rows)),
        slice(max(int(column) - half, 0), min(int(column) + half + 1, columns)),
    )


def _by_whirlwind(
    wrapped: Complex64, coherence: Float32, looks: float, valid: Mask
) -> tuple[Float32, Components]:
    owner = _thread_owner()
    if owner != os.getpid():
        raise ForkedUnwrapperError(owner)
    # Imported by whom it works for: where the environment says how many threads it has, it starts
    # them when it is imported, and those of a zygote are of no use to its forks.
    whirlwind = import_module("whirlwind")
    phase, components = whirlwind.unwrap(
        wrapped,
        coherence,
        nlooks=min(looks, _MOST_LOOKS),
        mask=valid,
        bridge=True,
        min_size_px=_LEAST_COMPONENT,
    )
    return phase, components


@cache
def _thread_owner() -> int:
    """Return the process that whirlwind first ran in; forks inherit what was returned."""
    return os.getpid()


def _by_snaphu(
    wrapped: Complex64, coherence: Float32, looks: float, valid: Mask
) -> tuple[Float32, Components]:
    try:
        snaphu = import_module("snaphu")
    except ImportError as error:
        raise MissingUnwrapperError("snaphu") from error
    phase, components = snaphu.unwrap(
        wrapped, coherence, nlooks=looks, cost="smooth", init="mcf", mask=valid
    )
    return phase, components


def _congruent(phase: Float32, wrapped: Complex64) -> Float32:
    """Return the wrapped phase with the cycles of the unwrapped one."""
    angle = np.angle(wrapped)
    cycles = np.round((np.nan_to_num(phase) - angle) / (2.0 * np.pi))
    congruent: Float32 = (angle + 2.0 * np.pi * cycles).astype(np.float32)
    return congruent


def _ordered(components: NDArray[np.integer]) -> Components:
    """Return components numbered by size, the largest first."""
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    number = np.zeros(sizes.size, np.uint32)
    number[order] = np.arange(1, order.size + 1)
    numbered: Components = number[components]
    return numbered
