"""Values of a raster on the pixels of a map tile, read from the resolution that suits its zoom."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from algorithms.regridding import Float32, Float64, Method, regrid
from peps_wps.tiles.errors import NotACogError
from peps_wps.tiles.grid import Box
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Level, Raster, values_of
from peps_wps.writers.cog import halve

_NODE_STEP = 16  # pixels of the tile between positions computed exactly
# An overview may be this much coarser than the tile, as GDAL has it when it picks one.
_COARSER = 1.2
_LARGEST_WINDOW = 1 << 22  # pixels of a band read for a tile


@dataclass(frozen=True)
class _Part:
    """The pixels of a tile that a raster can reach, and where nodes over them lie in it.

    Parameters
    ----------
    rows, columns
        Of the tile.
    node_rows, node_columns
        Positions in the full resolution, from its outer corner; shape (node row, node column).
    """

    rows: slice
    columns: slice
    node_rows: Float64
    node_columns: Float64

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the part."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def step(self) -> float:
        """Return the pixels of the full resolution from a pixel of the tile to the next."""
        steps = []
        for axis in (0, 1):
            pixels = self.shape[axis] / (self.node_rows.shape[axis] - 1)
            lengths = np.hypot(
                np.diff(self.node_rows, axis=axis), np.diff(self.node_columns, axis=axis)
            )
            known = lengths[np.isfinite(lengths)]
            steps.append(float(np.median(known)) / pixels if len(known) else math.nan)
        return math.sqrt(steps[0] * steps[1])


def read_tile(
    pool: RasterPool, raster: Raster, box: Box, *, side: int, bands: Sequence[int], method: Method
) -> Float32:
    """Return the values of a raster on a tile.

    Parameters
    ----------
    pool
        Where rasters are open.
    raster
        Which.
    box, side
        Where the tile lies, and its pixels a side.
    bands
        Numbers of bands, from 1.
    method
        How pixels are taken from the resolution that is read.

    Returns
    -------
    Physical values, shape (band, row, column), NaN where there are none.

    Raises
    ------
    NotACogError
        When the raster's overviews are too few for this tile.
    """
    values = np.full((len(bands), side, side), np.nan, np.float32)
    part = _part(raster, box, side)
    if part is None:
        return values
    step = part.step()
    if not step > 0:  # no node lies on the raster's map
        return values
    level, halvings = _resolution(raster, step)
    place = _window(part, level, is_whole=halvings > 0)
    if place is None:
        return values
    if place.width * place.height > _LARGEST_WINDOW:
        raise NotACogError(raster.identity.source.name, "its overviews are too few for this zoom")
    with pool.opened(raster, level.overview) as dataset:
        stored = dataset.read(list(bands), window=place)
    rows, columns, height, width = (
        (position / level.factor[axis] - offset) / 2**halvings
        for position, axis, offset in (
            (part.node_rows, 0, place.row_off),
            (part.node_columns, 1, place.col_off),
            (raster.levels[0].shape[0], 0, place.row_off),
            (raster.levels[0].shape[1], 1, place.col_off),
        )
    )
    for index, band in enumerate(bands):
        window = values_of(raster, _halved(raster, stored[index], halvings), band)
        values[index, part.rows, part.columns] = regrid(
            window, rows, columns, shape=part.shape, extent=(height, width), method=method
        )
    return values


def read_overview(pool: RasterPool, raster: Raster, band: int) -> Float32:
    """Return the smallest resolution of a band, as physical values, NaN for no data."""
    with pool.opened(raster, raster.levels[-1].overview) as dataset:
        return values_of(raster, dataset.read(band), band)


def _part(raster: Raster, box: Box, side: int) -> _Part | None:
    """Return the part of a tile that a raster can reach, None where there is none."""
    pixel = (box.east - box.west) / side
    reach = raster.box
    left = max(0, math.floor((reach.west - box.west) / pixel))
    right = min(side, math.ceil((reach.east - box.west) / pixel))
    top = max(0, math.floor((box.north - reach.north) / pixel))
    bottom = min(side, math.ceil((box.north - reach.south) / pixel))
    if left >= right or top >= bottom:
        return None
    x = box.west + pixel * np.linspace(left, right, 1 + math.ceil((right - left) / _NODE_STEP))
    y = box.north - pixel * np.linspace(top, bottom, 1 + math.ceil((bottom - top) / _NODE_STEP))
    easting, northing = raster.to_raster.transform(*np.meshgrid(x, y))
    outside = ~(np.isfinite(easting) & np.isfinite(northing))
    easting[outside] = northing[outside] = np.nan
    columns, rows = ~raster.transform @ (easting, northing)
    return _Part(slice(top, bottom), slice(left, right), rows, columns)


def _resolution(raster: Raster, step: float) -> tuple[Level, int]:
    """Return what to read for a tile, and how often to halve it after."""
    wanted = step * _COARSER
    chosen = raster.levels[0]
    for level in raster.levels[1:]:
        if math.sqrt(level.factor[0] * level.factor[1]) <= wanted:
            chosen = level
    if chosen is not raster.levels[-1]:
        return chosen, 0
    left = wanted / math.sqrt(chosen.factor[0] * chosen.factor[1])
    smallest = max(1, math.ceil(math.log2(max(chosen.shape))))
    return chosen, max(0, min(smallest, math.floor(math.log2(left)))) if left > 0 else 0


def _window(part: _Part, level: Level, *, is_whole: bool) -> Window | None:
    """Return the pixels of a level around the nodes of a tile, None where there are none."""
    if is_whole:
        return Window(0, 0, level.shape[1], level.shape[0])
    spans = []
    for nodes, factor, size in (
        (part.node_rows, level.factor[0], level.shape[0]),
        (part.node_columns, level.factor[1], level.shape[1]),
    ):
        first = max(0, math.floor(np.nanmin(nodes) / factor) - 1)
        end = min(size, math.ceil(np.nanmax(nodes) / factor) + 1)
        if first >= end:
            return None
        spans.append((first, end))
    return Window.from_slices(*spans)


def _halved(raster: Raster, stored: NDArray[np.generic], times: int) -> NDArray[np.generic]:
    """Halve stored values as the writer of overviews does."""
    nodata = np.nan if raster.nodata is None else raster.nodata
    for _ in range(times):
        odd = [(0, size % 2) for size in stored.shape]
        fill = 0 if np.isnan(nodata) and stored.dtype.kind in "iu" else nodata
        padded = np.pad(stored, odd, constant_values=fill)
        stored = halve(padded, raster.overview_rule, nodata)
    return stored
