"""Images of one tile and date as linear power, block by block, wherever their bands lie."""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from algorithms.block import Block
from peps_wps.chains.ortho_s1.values import ValueFormat, decode
from peps_wps.errors import ChainError
from peps_wps.writers.stac import Grid

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Channel:
    """One polarisation of an image: a band of a file, counted from 1."""

    path: Path
    band: int = 1


_CACHE_BYTES = 64_000_000  # decoded blocks that GDAL keeps; each is read once

# Of one date, by polarisation: "VV", "VH".
Image = Mapping[str, Channel]


class Channels:
    """Reads blocks of channels from several threads; each thread opens each file once.

    Parameters
    ----------
    form
        How power is stored in all of them.
    """

    def __init__(self, form: ValueFormat) -> None:
        self._form = form
        self._open = threading.local()
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def power(self, channel: Channel, block: Block) -> Float32:
        """Return linear power, shape (rows, columns) of the block, 0 for no data."""
        window = Window(block.column, block.row, block.columns, block.rows)
        return decode(self._dataset(channel.path).read(channel.band, window=window), self._form)

    def _dataset(self, path: Path) -> DatasetReader:
        known: dict[Path, DatasetReader] = self._open.__dict__.setdefault("datasets", {})
        if path not in known:
            dataset = rasterio.open(path)
            with self._lock:
                self._stack.callback(dataset.close)
            known[path] = dataset
        return known[path]


def grid_of(tile: str, channel: Channel) -> Grid:
    """Return the grid of a file on a tile."""
    with rasterio.open(channel.path) as dataset:
        return Grid(tile, dataset.crs.to_epsg(), dataset.transform, dataset.shape)


def co_and_cross(image: Image) -> tuple[str, str]:
    """Return the co- and the cross-polarisation of an image.

    Raises
    ------
    ChainError
        When it does not have both.
    """
    co = [name for name in image if name[0] == name[1]]
    cross = [name for name in image if name[0] != name[1]]
    if not (co and cross):
        raise ChainError(
            f"the image has {', '.join(sorted(image))}: a ratio needs VV and VH, or HH and HV"
        )
    return co[0], cross[0]
