"""Where windows lie roughly: the search at lower resolutions, from the coarsest down."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.correlation.field import CorrelationSettings, Float32
from algorithms.correlation.filters import Int32, Pair
from algorithms.correlation.images import Image, strip_of
from algorithms.correlation.outliers import is_outlier, without_gaps
from algorithms.correlation.search import search_nodes

# At the coarsest level no displacement is larger than this, pixels of that level.
LARGEST_AT_TOP = 4.0
# Search at the other levels, pixels about what the level above found.
RADIUS = 2
_LEAST_STEP = 8
# Nodes a side that a reduced image keeps however far apart they may be.
_LEAST_NODES = 24
_LEAST_CORRELATION = 0.3
# Windows of reduced images are at most a third of them, and so far is searched each way: otherwise
# nothing would lie within.
_MOST_OF_SIDE = 3


Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RoughField:
    """Displacements about which to search, at nodes of shape (row, column).

    Parameters
    ----------
    dy, dx
        Pixels, finite.
    peak_ratio
        As of the coarsest search, NaN without second peak.
    radius
        How far from them to search, pixels.
    """

    dy: Float32
    dx: Float32
    peak_ratio: Float32
    radius: int


def levels_for(max_displacement: float, side: int) -> int:
    """Return how often images are halved so that a displacement is small enough.

    Parameters
    ----------
    max_displacement
        Pixels.
    side
        Of the images, the smallest, pixels: it is not halved to less than nodes are apart.
    """
    wanted = math.ceil(math.log2(max(max_displacement, 1.0) / LARGEST_AT_TOP))
    return max(0, min(wanted, math.floor(math.log2(side / _LEAST_STEP))))


def rough_field(
    reference: Image,
    secondary: Image,
    settings: CorrelationSettings,
    rows: Int32,
    columns: Int32,
    prior: tuple[Float32, Float32],
) -> RoughField:
    """Search down the pyramid.

    Parameters
    ----------
    reference, secondary
        The images at full resolution.
    settings
        How windows are compared.
    rows, columns
        Pixels of the nodes' centres.
    prior
        Displacement in rows and columns about which to search, at the nodes.

    Returns
    -------
    What to search about at full resolution. Small displacements need no pyramid: the prior itself.
    """
    side = min(*reference.shape, *secondary.shape)
    levels = levels_for(settings.max_displacement, side)
    if levels == 0:
        unknown = np.full(prior[0].shape, np.nan, np.float32)
        return RoughField(*prior, unknown, math.ceil(settings.max_displacement) + 1)
    known = _Grid(rows.astype(np.float64), columns.astype(np.float64), *prior)
    ratio = known
    pyramid = [(reference, secondary)]
    for _ in range(levels):
        pyramid.append((pyramid[-1][0].halved(), pyramid[-1][1].halved()))
    for level in range(levels, 0, -1):
        is_top = level == levels
        widest = math.ceil(settings.max_displacement / 2.0**level) + 1 if is_top else RADIUS
        radius = min(widest, (side >> level) // _MOST_OF_SIDE)
        known, found_ratio = _search_level(*pyramid[level], settings, known, 2.0**level, radius)
        if is_top:
            ratio = _Grid(known.rows, known.columns, found_ratio, found_ratio)
    dy, dx = known.at(rows, columns)
    return RoughField(dy, dx, ratio.at(rows, columns)[0], RADIUS)


def axis_of_nodes(size: int, step: int) -> Int32:
    """Return the pixels on which nodes are centred along one axis of an image."""
    return np.arange(step // 2, size, step, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Displacements at known places, all in pixels of the full resolution."""

    rows: Float64
    columns: Float64
    dy: Float32
    dx: Float32

    def at(self, rows: Int32 | Float64, columns: Int32 | Float64) -> tuple[Float32, Float32]:
        """Interpolate between the places; beyond them the outermost hold."""
        i, v = _between(self.rows, rows)
        j, u = _between(self.columns, columns)

        def interpolated(field: Float32) -> Float32:
            upper, lower = field[i], field[np.minimum(i + 1, field.shape[0] - 1)]
            lines = upper + v[:, None] * (lower - upper)
            left, right = lines[:, j], lines[:, np.minimum(j + 1, field.shape[1] - 1)]
            return np.asarray(left + u * (right - left), np.float32)

        return interpolated(self.dy), interpolated(self.dx)


def _between(known: Float64, wanted: Int32 | Float64) -> tuple[NDArray[np.intp], Float32]:
    """Return the index before each wanted place and how far it lies towards the next."""
    places = np.interp(wanted, known, np.arange(known.size, dtype=np.float64))
    index = places.astype(np.intp)
    return index, (places - index).astype(np.float32)


def _at_full(pixels: Int32, scale: float) -> Float64:
    """Return where the centres of reduced pixels lie at full resolution."""
    return (pixels.astype(np.float64) + 0.5) * scale - 0.5


def _search_level(
    reference: Image,
    secondary: Image,
    settings: CorrelationSettings,
    known: _Grid,
    scale: float,
    radius: int,
) -> tuple[_Grid, Float32]:
    """Search windows of images reduced by `scale`; return the field found and its peak ratios."""
    sparse = min(settings.rough_step, min(reference.shape) // _LEAST_NODES)
    step = max(round(settings.step / scale), _LEAST_STEP, sparse)
    nodes = tuple(axis_of_nodes(size, step) for size in reference.shape)
    places = _at_full(nodes[0], scale), _at_full(nodes[1], scale)
    start = np.stack([part / scale for part in known.at(*places)], axis=-1)
    found = _search_nodes((reference, secondary), settings, nodes, start, radius)
    dy, dx, score, ratio = np.moveaxis(found, -1, 0)
    is_wrong = ~(score >= _LEAST_CORRELATION)
    dy, dx = (np.where(is_wrong, np.float32(np.nan), part) for part in (dy, dx))
    is_wrong = is_outlier(dy, dx)
    gapless = (
        scale * without_gaps(np.where(is_wrong, np.float32(np.nan), part), start[..., axis].mean())
        for axis, part in enumerate((dy, dx))
    )
    return _Grid(*places, *gapless), ratio


def _search_nodes(
    images: tuple[Image, Image],
    settings: CorrelationSettings,
    nodes: tuple[Int32, ...],
    start: Float64,
    radius: int,
) -> Float32:
    """Search the windows of all nodes from where they start; return what `search_nodes` finds."""
    rows, columns = (np.ravel(one).astype(np.int32) for one in np.meshgrid(*nodes, indexing="ij"))
    found = np.empty((rows.size, 4), np.float32)
    first, second = (
        strip_of(image, 0, image.shape[0], smoothing=settings.smoothing) for image in images
    )
    search_nodes(
        Pair(first.values, first.valid, second.values, second.valid, rows, columns),
        np.rint(start.reshape(-1, 2)).astype(np.int32),
        min(settings.window, min(images[0].shape) // _MOST_OF_SIDE) // 2,
        radius,
        settings.least_valid,
        found,
        np.empty(rows.size, np.uint8),
    )
    return found.reshape(*start.shape[:2], 4)
