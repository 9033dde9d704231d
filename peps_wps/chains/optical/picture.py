"""Small pictures of results, from their overviews."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from algorithms.optical import stretched_uint8
from peps_wps.writers.mosaic import SIDE, read_reduced

UInt8 = NDArray[np.uint8]

_PERCENTILES = (2, 98)


def reduced_picture(path: Path, side: int = SIDE) -> UInt8:
    """Return a composition of 8 bits, 0 for no data, reduced: red, green, blue, opacity."""
    with rasterio.open(path) as dataset:
        step = max(1, -(-max(dataset.shape) // side))
        shape = (-(-dataset.height // step), -(-dataset.width // step))
        tones = dataset.read(out_shape=(dataset.count, *shape), resampling=Resampling.average)
    opacity = np.where((tones == 0).all(axis=0), np.uint8(0), np.uint8(255))
    return np.concatenate([tones, opacity[None]])


def grey_picture(path: Path, side: int = SIDE) -> UInt8:
    """Return one band between percentiles of its values, reduced, as grey with opacity."""
    values = read_reduced(path, quantity="reflectance", side=side).power
    low, high = np.nanpercentile(values, _PERCENTILES)
    tones = stretched_uint8(values, float(low), max(float(high), float(low) + 1e-6), 1.0)
    opacity = np.where(tones > 0, np.uint8(255), np.uint8(0))
    return np.stack([tones, tones, tones, opacity])
