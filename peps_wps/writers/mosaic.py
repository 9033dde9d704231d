"""Small pictures of several tiles put together on one map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


def read_reduced(path: Path, *, quantity: str, side: int = SIDE) -> MapImage:
    """Return a result reduced to at most `side` pixels a side.

    Parameters
    ----------
    path
        A GeoTIFF; its overviews are used.
    quantity
        What its scaled values are: "linear power", "amplitude" or "decibels".
    """
    with rasterio.open(path) as dataset:
        step = max(1, -(-max(dataset.shape) // side))
        shape = (-(-dataset.height // step), -(-dataset.width // step))
        stored = dataset.read(1, out_shape=shape, masked=True, resampling=Resampling.nearest)
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


def mosaic(images: Sequence[MapImage], *, side: int = SIDE) -> MapImage:
    """Put images on the map of the first, at most `side` pixels a side; the first with data wins.

    Images of other UTM zones are projected; power is averaged, not decibels.
    """
    epsg = images[0].epsg
    bounds = [transform_bounds(image.epsg, epsg, *image.bounds) for image in images]
    west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
    east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
    pixel = max(east - west, north - south) / side
    shape = (max(1, round((north - south) / pixel)), max(1, round((east - west) / pixel)))
    transform = Affine(pixel, 0, west, 0, -pixel, north)
    power = np.full(shape, np.nan, np.float32)
    for image in images:
        placed = np.full(shape, np.nan, np.float32)
        reproject(
            image.power,
            placed,
            src_transform=image.transform,
            src_crs=image.epsg,
            src_nodata=np.nan,
            dst_transform=transform,
            dst_crs=epsg,
            dst_nodata=np.nan,
            resampling=Resampling.average,
        )
        power = np.where(np.isnan(power), placed, power)
    return MapImage(power, epsg, transform)
