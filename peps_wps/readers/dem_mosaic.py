"""Tiles of heights brought onto one lattice of longitude and latitude."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import Resampling, reproject, transform_bounds
from rasterio.windows import Window

from peps_wps.errors import DemError
from peps_wps.readers.dem_tiles import Bounds

Heights = NDArray[np.float32]

_LOWEST = -1000.0  # m; what lies below is an untagged void (-32768, -9999): no land does
_LARGEST = 400_000_000  # postings of a window: 1.6 GB
_SAME = 0.01  # postings by which two lattices may differ and be the same


@dataclass(frozen=True)
class Tile:
    """An open file of heights, and the turn in degrees that brings it to the area."""

    dataset: DatasetReader
    turn: float

    @property
    def is_geographic(self) -> bool:
        """Whether its rows and columns are parallels and meridians, north up.

        Geographic systems other than WGS84 are taken for it: 1 to 2 m, less than a DEM's own error.
        """
        transform = self.dataset.transform
        return bool(
            self.dataset.crs.is_geographic
            and transform.b == transform.d == 0
            and transform.a > 0 > transform.e
        )

    @property
    def transform(self) -> Affine:
        """Its transform, turned; of a geographic tile."""
        turned: Affine = Affine.translation(self.turn, 0) @ self.dataset.transform
        return turned

    @property
    def bounds(self) -> Bounds:
        """Degrees, turned."""
        bounds = self.dataset.bounds
        if not self.is_geographic:
            bounds = transform_bounds(self.dataset.crs, "EPSG:4326", *bounds)
        return Bounds(*bounds).turned(self.turn)

    @property
    def posting(self) -> float:
        """Mean area of a posting, square degrees."""
        west, south, east, north = self.bounds
        return float((east - west) * (north - south) / self.dataset.width / self.dataset.height)


@dataclass(frozen=True)
class Lattice:
    """Postings at the pixel centres of `transform`, `shape` of them (rows, columns)."""

    transform: Affine
    shape: tuple[int, int]

    def longitude(self, columns: slice) -> NDArray[np.float64]:
        """Return the longitudes of some columns, degrees."""
        index = np.arange(columns.start, columns.stop)
        return np.asarray(self.transform.c + (index + 0.5) * self.transform.a)

    def latitude(self, rows: slice) -> NDArray[np.float64]:
        """Return the latitudes of some rows, degrees."""
        index = np.arange(rows.start, rows.stop)
        return np.asarray(self.transform.f + (index + 0.5) * self.transform.e)


@dataclass(frozen=True)
class Part:
    """Heights of one tile at their place in a lattice; NaN where the tile has none."""

    rows: slice
    columns: slice
    height: Heights


def finest_lattice(tiles: Sequence[Tile], area: Bounds) -> Lattice:
    """Return the lattice of the finest tile, extended over the area."""
    geographic = [tile for tile in tiles if tile.is_geographic]
    if geographic:
        transform = min(geographic, key=lambda tile: tile.posting).transform
    else:
        step = math.sqrt(min(tile.posting for tile in tiles))
        transform = Affine(step, 0, area.west, 0, -step, area.north)
    column = math.floor((area.west - transform.c) / transform.a)
    row = math.floor((area.north - transform.f) / transform.e)
    shape = (
        math.ceil((area.south - transform.f) / transform.e) - row,
        math.ceil((area.east - transform.c) / transform.a) - column,
    )
    if shape[0] * shape[1] > _LARGEST:
        raise DemError(
            f"{area} holds {shape[0]} by {shape[1]} heights, {_LARGEST} in all at most expected"
        )
    return Lattice(transform @ Affine.translation(column, row), shape)


def place(tile: Tile, lattice: Lattice) -> Part | None:
    """Return the heights of a tile on the lattice, or None where they do not meet."""
    try:
        if tile.is_geographic and _is_same(tile.transform, lattice.transform, tile.dataset):
            return _copied(tile, lattice)
        return _interpolated(tile, lattice)
    except RasterioError as error:
        name = tile.dataset.name.rsplit("/", 1)[-1]
        raise DemError(f"the DEM {name} cannot be read") from error


def _is_same(tile: Affine, lattice: Affine, dataset: DatasetReader) -> bool:
    """Say whether all postings of a tile are postings of the lattice."""
    column, row = ~lattice @ (tile.c, tile.f)
    last_column, last_row = ~lattice @ (tile @ (dataset.width, dataset.height))
    off = max(abs(value - round(value)) for value in (column, row, last_column, last_row))
    sized = round(last_column - column) == dataset.width and round(last_row - row) == dataset.height
    return bool(sized and off < _SAME)


def _copied(tile: Tile, lattice: Lattice) -> Part | None:
    column, row = (
        round(value) for value in ~lattice.transform @ (tile.transform.c, tile.transform.f)
    )
    rows = slice(max(row, 0), min(row + tile.dataset.height, lattice.shape[0]))
    columns = slice(max(column, 0), min(column + tile.dataset.width, lattice.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    window = Window(
        columns.start - column,
        rows.start - row,
        columns.stop - columns.start,
        rows.stop - rows.start,
    )
    height = tile.dataset.read(1, window=window, out_dtype="float32")
    if MaskFlags.all_valid not in tile.dataset.mask_flag_enums[0]:
        height[tile.dataset.read_masks(1, window=window) == 0] = np.nan
    return Part(rows, columns, _without_voids(height))


def _interpolated(tile: Tile, lattice: Lattice) -> Part | None:
    bounds = tile.bounds
    left, top = ~lattice.transform @ (bounds.west, bounds.north)
    right, bottom = ~lattice.transform @ (bounds.east, bounds.south)
    rows = slice(max(math.floor(top), 0), min(math.ceil(bottom), lattice.shape[0]))
    columns = slice(max(math.floor(left), 0), min(math.ceil(right), lattice.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    height = np.full((rows.stop - rows.start, columns.stop - columns.start), np.nan, np.float32)
    here = lattice.transform @ Affine.translation(columns.start, rows.start)
    reproject(
        rasterio.band(tile.dataset, 1),
        height,
        dst_transform=Affine.translation(-tile.turn, 0) @ here,
        dst_crs=tile.dataset.crs if tile.is_geographic else "EPSG:4326",
        dst_nodata=np.nan,
        resampling=Resampling.bilinear,
    )
    return Part(rows, columns, _without_voids(height))


def _without_voids(height: Heights) -> Heights:
    return np.where(height > _LOWEST, height, np.float32(np.nan))
