"""The displacement between the images of a pair, judged and corrected."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.correlation import CorrelationSettings, DisplacementField, Flag, correlate
from algorithms.correlation.corrections import vector_median
from peps_wps.chains.contract import Json
from peps_wps.chains.correlation_s2.corrections import Corrected, Sampling, corrected
from peps_wps.chains.correlation_s2.order import Order
from peps_wps.chains.correlation_s2.pair import Pair, detectors_at, read_images
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.chains.optical.region import on_map
from peps_wps.errors import ChainError

Float32 = NDArray[np.float32]

# Chance lets some windows of unlike images resemble each other: fewer answers are no field.
_LEAST_ANSWERED = 0.05
_LEAST_NODES = 30
_WITHOUT_DATA = Flag.BORDER | Flag.NO_DATA | Flag.CLOUD


@dataclass(frozen=True)
class GroundMotion:
    """What moved between two images, at nodes of shape (row, column).

    Parameters
    ----------
    east, north
        Displacement, metres; NaN where there is no answer.
    correlation
        Of the windows, -1 to 1; NaN where not computed.
    sigma
        Predicted standard error of a component, metres.
    flags
        `Flag` bits.
    grid
        Of the nodes: each is the centre of a pixel.
    removed
        What was taken off, by correction.
    """

    east: Float32
    north: Float32
    correlation: Float32
    sigma: Float32
    flags: NDArray[np.uint8]
    grid: SceneGrid
    removed: Json


def measured(
    pair: Pair, order: Order, threads: int, progress: Callable[[str, float], None]
) -> GroundMotion:
    """Read and correlate a pair.

    Parameters
    ----------
    progress
        Told what is done and the fraction done.

    Raises
    ------
    ChainError
        When clouds hide everything, or the images do not resemble each other.
    """
    field = _correlated(pair, order, threads, progress)
    rows, columns, grid = _nodes(pair.grids[0], field, order)
    inside = np.ix_(rows, columns)
    outside = grid.outside(Block(0, 0, *grid.shape))
    flags = field.flags[inside].copy()
    dy, dx = field.dy[inside].copy(), field.dx[inside].copy()
    if outside is not None:
        flags[outside] = Flag.NO_DATA
        dy[outside] = dx[outside] = np.nan
    _check(flags, outside)
    progress("Correcting", 0.92)
    detectors = [
        detectors_at(scene, one, order.band, field.rows[rows], field.columns[columns])
        for scene, one in zip(pair.scenes, pair.grids, strict=True)
        if {"steps", "jitter"} & set(order.corrections)
    ]
    still = _still(dy, dx, order, detectors, grid)
    metres = np.float32(order.resolution)
    return GroundMotion(
        metres * still.dx,
        -metres * still.dy,
        _shown(field.correlation[inside], outside),
        metres * _shown(field.sigma[inside], outside),
        flags,
        grid,
        still.removed,
    )


def _correlated(
    pair: Pair, order: Order, threads: int, progress: Callable[[str, float], None]
) -> DisplacementField:
    """Read the images and compare them."""
    progress(f"Reading {order.band}", 0.0)
    images = read_images(pair, order, threads)
    settings = CorrelationSettings(
        window=order.window,
        step=order.step,
        max_displacement=order.max_displacement,
        model=order.model,
    )
    message = f"Correlating {order.band}"
    try:
        return correlate(
            *images,
            settings,
            threads=threads,
            progress=lambda share: progress(message, 0.2 + 0.7 * share),
        )
    except ValueError as error:
        raise ChainError(str(error)) from error


def _still(
    dy: Float32,
    dx: Float32,
    order: Order,
    detectors: Sequence[NDArray[np.uint8] | None],
    grid: SceneGrid,
) -> Corrected:
    """Take off what is not ground motion, then smooth what is left where that is ordered."""
    sampling = Sampling(order.resolution, order.step)
    try:
        still = corrected(
            dy, dx, order.corrections, detectors, sampling, stable=_stable(order, grid)
        )
    except ValueError as error:
        raise ChainError(f"stable ground: {error}") from error
    if not order.vector_median:
        return still
    return Corrected(*vector_median(still.dy, still.dx), still.removed)


def _stable(order: Order, grid: SceneGrid) -> NDArray[np.bool_] | None:
    """Return which nodes lie on ground that is said to stand still."""
    if order.stable is None:
        return None
    west, north = grid.transform @ (0, 0)
    east, south = grid.transform @ (grid.shape[1], grid.shape[0])
    area = on_map(order.stable, grid.epsg, (west, south, east, north))
    moving = replace(grid, area=area).outside(Block(0, 0, *grid.shape))
    return np.ones(grid.shape, np.bool_) if moving is None else ~moving


def _shown(values: Float32, outside: NDArray[np.bool_] | None) -> Float32:
    if outside is None:
        return values
    return np.where(outside, np.float32(np.nan), values)


def _nodes(
    window: SceneGrid, field: DisplacementField, order: Order
) -> tuple[NDArray[np.intp], NDArray[np.intp], SceneGrid]:
    """Return which rows and columns of nodes an order is for, and their grid."""
    metres = order.step * order.resolution
    corner = window.transform @ Affine.translation(
        field.columns[0] + 0.5 - order.step / 2, field.rows[0] + 0.5 - order.step / 2
    )
    every = SceneGrid(
        window.epsg,
        metres,
        0,
        0,
        field.flags.shape,
        corner @ Affine.scale(order.step),
        window.area,
    )
    outside = every.outside(Block(0, 0, *every.shape))
    if outside is None:
        return np.arange(every.shape[0]), np.arange(every.shape[1]), every
    rows, columns = (np.flatnonzero(~outside.all(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        raise ChainError(f"no node of {metres} m lies in the area: order a smaller step")
    rows, columns = (np.arange(one[0], one[-1] + 1) for one in (rows, columns))
    part = SceneGrid(
        every.epsg,
        metres,
        int(rows[0]),
        int(columns[0]),
        (rows.size, columns.size),
        every.tile_transform,
        every.area,
    )
    return rows, columns, part


def _check(flags: NDArray[np.uint8], outside: NDArray[np.bool_] | None) -> None:
    """Refuse a field with too few answers, saying why."""
    asked = flags if outside is None else flags[~outside]
    answered = np.count_nonzero(asked == 0)
    with_data = np.count_nonzero((asked & _WITHOUT_DATA) == 0)
    if answered >= _LEAST_NODES and answered >= _LEAST_ANSWERED * with_data:
        return
    if with_data < _LEAST_NODES:
        clouds = 100 * np.count_nonzero(asked & Flag.CLOUD) / asked.size
        raise ChainError(
            f"{with_data} of {asked.size} windows hold data of both products, "
            f"{_LEAST_NODES} expected: clouds hide {clouds:.0f} percent, the rest lies outside the "
            "images"
        )
    raise ChainError(
        f"the images do not resemble each other: {answered} of {with_data} windows with data "
        f"were found again, {max(_LEAST_NODES, round(_LEAST_ANSWERED * with_data))} expected; "
        "clouds, other seasons, or a displacement larger than max_displacement_m"
    )
