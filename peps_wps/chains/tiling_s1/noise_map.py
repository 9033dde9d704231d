"""Where speckle is how strong, before and after it was filtered: equivalent number of looks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from peps_wps.chains.composites.channels import Channel
from peps_wps.chains.ortho_s1.values import ValueFormat, decode
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

Float32 = NDArray[np.float32]

WINDOW = 30  # pixels a side: a tile has 366 x 366 of them
BEFORE, AFTER = "before", "after"
_WINDOWS_AT_ONCE = 17
_LEAST_VARIANCE = 1e-30  # of windows whose pixels are all alike


def write_noise_map(path: Path, images: Sequence[Channel], form: ValueFormat) -> None:
    """Write the equivalent number of looks in windows of an image, and of the filtered one.

    It is that of the speckle where the ground is alike, and less where it is not: maps before and
    after show what the filter did.

    Parameters
    ----------
    path
        A GeoTIFF of one band, or of two: before and after.
    images
        The image, and the filtered one if there is one.
    form
        How power is stored in them.
    """
    maps = [_looks(image, form) for image in images]
    with rasterio.open(images[0].path) as dataset:
        epsg, transform = dataset.crs.to_epsg(), dataset.transform @ Affine.scale(WINDOW)
    rows, columns = maps[0].shape
    names = (BEFORE, AFTER)[: len(maps)]
    description = RasterDescription(
        "float32",
        epsg,
        transform,
        0.0,
        {"QUANTITY": "equivalent number of looks"},
        bands=names if len(maps) > 1 else (),
        description=BEFORE if len(maps) == 1 else "",
    )
    writer = CogWriter(path, width=columns, height=rows, description=description)
    for band, looks in enumerate(maps):
        block = np.zeros((BLOCK, BLOCK), np.float32)
        block[:rows, :columns] = looks
        writer.put(0, 0, block, band=band)
    writer.close()


def looks_of_windows(power: Float32) -> Float32:
    """Return the equivalent number of looks, squared mean over variance, of each window.

    Parameters
    ----------
    power
        Linear power, shape (30 rows, 30 columns); 0 for no data.

    Returns
    -------
    Shape (rows, columns); 0 where a window is not full.
    """
    rows, columns = (size // WINDOW for size in power.shape)
    windows = power[: rows * WINDOW, : columns * WINDOW].reshape(rows, WINDOW, columns, WINDOW)
    looks = np.zeros((rows, columns), np.float32)
    is_full = windows.min(axis=(1, 3)) > 0
    full = windows.transpose(0, 2, 1, 3)[is_full].reshape(-1, WINDOW * WINDOW)
    mean = full.mean(axis=1, dtype=np.float64)
    variance = np.maximum(full.var(axis=1, ddof=1, dtype=np.float64), _LEAST_VARIANCE)
    looks[is_full] = mean**2 / variance
    return looks


def _looks(image: Channel, form: ValueFormat) -> Float32:
    """Return the map of one image, read by rows of windows."""
    with rasterio.open(image.path) as dataset:
        step = WINDOW * _WINDOWS_AT_ONCE
        strips = []
        for row in range(0, dataset.height - WINDOW + 1, step):
            window = Window(0, row, dataset.width, min(step, dataset.height - row))
            strips.append(looks_of_windows(decode(dataset.read(image.band, window=window), form)))
    return np.concatenate(strips)
