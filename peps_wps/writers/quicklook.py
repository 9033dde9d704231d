"""Quicklooks: a small PNG of a tile, co- and cross-polarised and their ratio as red, green, blue.

Each channel is stretched in decibels between two percentiles of its own, so that desert, forest and
sea all show relief; no data is transparent.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from peps_wps.writers.mosaic import SIDE, read_reduced
from peps_wps.writers.picture import write_picture

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

_PERCENTILES = (1.0, 99.0)
_LEAST_RANGE_DB = 3.0  # a flat scene is not stretched into noise
_LOWEST_POWER = 1e-7


def read_overview(path: Path, *, quantity: str, side: int = SIDE) -> Float32:
    """Return a result reduced to at most `side` pixels a side, as linear power.

    Parameters
    ----------
    path
        A GeoTIFF; its overviews are used.
    quantity
        What its scaled values are: "linear power", "amplitude" or "decibels".

    Returns
    -------
    Linear power, shape (row, column), NaN for no data.
    """
    return read_reduced(path, quantity=quantity, side=side).power


def write_quicklook(path: Path, power: Mapping[str, Float32], *, crop: bool = False) -> None:
    """Write a PNG of one or two polarisations.

    Parameters
    ----------
    path
        The file.
    power
        Linear power by polarisation ("VV", "VH"), all of one shape, NaN for no data.
    crop
        Leave out rows and columns without any data at the edges.
    """
    image = _cropped(render(power)) if crop else render(power)
    write_picture(path, image)


def render(power: Mapping[str, Float32]) -> UInt8:
    """Return the picture: red, green, blue, opacity, shape (4, row, column)."""
    co_polarized = [name for name in power if name[0] == name[1]]
    cross_polarized = [name for name in power if name[0] != name[1]]
    decibels = {name: _decibels(values) for name, values in power.items()}
    if co_polarized and cross_polarized:
        co, cross = decibels[co_polarized[0]], decibels[cross_polarized[0]]
        channels = [co, cross, co - cross]
    else:
        channels = [next(iter(decibels.values()))] * 3
    valid = np.all([np.isfinite(channel) for channel in channels], axis=0)
    colours = [_stretched(channel, valid) for channel in channels]
    return np.stack([*colours, np.where(valid, np.uint8(255), np.uint8(0))])


def _cropped(image: UInt8) -> UInt8:
    opaque = image[3] > 0
    if not opaque.any():
        return image
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    return image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _decibels(power: Float32) -> Float32:
    decibels: Float32 = np.float32(10) * np.log10(np.maximum(power, np.float32(_LOWEST_POWER)))
    return decibels


def _stretched(channel: Float32, valid: NDArray[np.bool_]) -> UInt8:
    """Return 1 to 255 between the percentiles of the valid pixels, 0 for no data."""
    if not valid.any():
        return np.zeros(channel.shape, np.uint8)
    low, high = np.percentile(channel[valid], _PERCENTILES)
    middle, half = (low + high) / 2, max(high - low, _LEAST_RANGE_DB) / 2
    share = np.clip((channel - middle) / half, -1, 1)
    return np.where(valid, np.rint(128 + 127 * share), 0).astype(np.uint8)
