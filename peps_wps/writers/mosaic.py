"""Small pictures of several tiles put together on one map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform_bounds

Float32 = NDArray[np.float32]
Bounds = tuple[float, float, float, float]

SIDE = 1098  # pixels: a tenth of a tile at 10 m


@dataclass(frozen=True)
class MapImage:
    """Linear power on a map, NaN for no data, with its projection and geotransform."""

    power: Float32
    epsg: int
    transform: Affine

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in metres."""
        rows, columns = self.power.shape
        west, north = self.transform.c, self.transform.f
        return west, north + rows * self.transform.e, west + columns * self.transform.a, north


def read_reduced(path: Path, *, quantity: str, side: int = SIDE, band: int = 1) -> MapImage:
    """Return a result reduced to at most `side` pixels a side.

    Parameters
    ----------
    path
        A GeoTIFF; its overviews are used.
    quantity
        What its scaled values are: "linear power", "amplitude" or "decibels".
    band
        Which one, from 1.
    """
    with rasterio.open(path) as dataset:
        step = max(1, -(-max(dataset.shape) // side))
        shape = (-(-dataset.height // step), -(-dataset.width // step))
        stored = dataset.read(band, out_shape=shape, masked=True, resampling=Resampling.nearest)
        values = stored.astype(np.float32).filled(np.nan) * np.float32(dataset.scales[0])
        values += np.float32(dataset.offsets[0])
        transform = dataset.transform @ Affine.scale(
            dataset.width / shape[1], dataset.height / shape[0]
        )
        epsg = dataset.crs.to_epsg()
    return MapImage(_power(values, quantity), epsg, transform)


def _power(values: Float32, quantity: str) -> Float32:
    if quantity == "decibels":
        return np.asarray(np.float32(10) ** (values / np.float32(10)))
    return np.asarray(values**2 if quantity == "amplitude" else values)


def mosaic_of_files(paths: Sequence[Path], *, quantity: str, side: int = SIDE) -> MapImage:
    """Put results on the map of the first, at most `side` pixels a side; the first with data wins.

    Files of other UTM zones are projected; power is averaged, not decibels. One file is in memory
    at a time, reduced to the size that it has in the picture: 1200 tiles need no more than one.

    Parameters
    ----------
    paths
        GeoTIFFs; their overviews are used.
    quantity, side
        See `read_reduced`.
    """
    canvas = _Canvas([_extent(path) for path in paths], side)
    for path in paths:
        # Two pixels for each of the picture, which are averaged.
        reduced = min(side, 2 * canvas.pixels(_extent(path)))
        canvas.place(read_reduced(path, quantity=quantity, side=reduced))
    return canvas.image


class Extent(NamedTuple):
    """Where an image lies: projection, and west, south, east, north in metres."""

    epsg: int
    bounds: Bounds


class _Canvas:
    """An empty picture of a given size around some extents, on the map of the first."""

    def __init__(self, extents: Sequence[Extent], side: int) -> None:
        self._epsg = extents[0].epsg
        bounds = [self._bounds(extent) for extent in extents]
        west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
        east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
        pixel = max(east - west, north - south) / side
        shape = (max(1, round((north - south) / pixel)), max(1, round((east - west) / pixel)))
        self._transform = Affine(pixel, 0, west, 0, -pixel, north)
        self._power = np.full(shape, np.nan, np.float32)

    @property
    def image(self) -> MapImage:
        """What it shows."""
        return MapImage(self._power, self._epsg, self._transform)

    def pixels(self, extent: Extent) -> int:
        """Return the larger side of an extent in pixels of the picture."""
        west, south, east, north = self._bounds(extent)
        return math.ceil(max(east - west, north - south) / self._transform.a)

    def place(self, image: MapImage) -> None:
        """Show an image where nothing is shown yet."""
        rows, columns = self._window(Extent(image.epsg, image.bounds))
        shown = self._power[rows, columns]
        placed = np.full(shown.shape, np.nan, np.float32)
        reproject(
            image.power,
            placed,
            src_transform=image.transform,
            src_crs=image.epsg,
            src_nodata=np.nan,
            dst_transform=self._transform @ Affine.translation(columns.start, rows.start),
            dst_crs=self._epsg,
            dst_nodata=np.nan,
            resampling=Resampling.average,
        )
        np.copyto(shown, placed, where=np.isnan(shown))

    def _window(self, extent: Extent) -> tuple[slice, slice]:
        """Return the rows and columns that an extent touches, and one more on every side."""
        west, south, east, north = self._bounds(extent)
        left, top = ~self._transform @ (west, north)
        right, bottom = ~self._transform @ (east, south)
        rows, columns = self._power.shape
        return (
            slice(max(math.floor(top) - 1, 0), min(math.ceil(bottom) + 1, rows)),
            slice(max(math.floor(left) - 1, 0), min(math.ceil(right) + 1, columns)),
        )

    def _bounds(self, extent: Extent) -> Bounds:
        bounds: Bounds = transform_bounds(extent.epsg, self._epsg, *extent.bounds)
        return bounds


def _extent(path: Path) -> Extent:
    with rasterio.open(path) as dataset:
        return Extent(dataset.crs.to_epsg(), tuple(dataset.bounds))
