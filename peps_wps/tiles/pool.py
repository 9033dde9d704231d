"""Open rasters: a bounded number stays open between tiles, for their blocks are decoded then."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from peps_wps.tiles.raster import GDAL_OPTIONS, Identity, Raster, Source, describe, open_level

Float32 = NDArray[np.float32]
_Key = tuple[Identity, int | None]


@dataclass
class _Known:
    """A raster, and the quantiles of its bands as far as somebody asked."""

    raster: Raster
    quantiles: dict[int, Float32] = field(default_factory=dict)


@dataclass
class _State:
    """What one process has open; the handles that it was forked with are its parent's."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    # The least recently used first; each handle serves one thread at a time.
    idle: OrderedDict[_Key, list[DatasetReader]] = field(default_factory=OrderedDict)
    rasters: OrderedDict[Source, "_Known"] = field(default_factory=OrderedDict)


class RasterPool:
    """Opens rasters, and keeps those that are used.

    May be used by several threads, and in processes forked from one that used it.

    Parameters
    ----------
    capacity
        How many files stay described, and how many resolutions of them stay open while nobody
        reads them.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._states: dict[int, _State] = {}

    def raster(self, source: Source) -> Raster:
        """Return what a file says of itself, as it is now.

        Raises
        ------
        OSError, NoSuchMemberError
            When there is no such file.
        NotACogError
            When it cannot be shown as a map.
        ReplacedError
            When it is replaced at this moment.
        """
        state = self._state()
        identity = Identity.of(source)
        with state.lock:
            known = state.rasters.get(source)
            if known is not None and known.raster.identity == identity:
                state.rasters.move_to_end(source)
                return known.raster
        self._forget(state, source)
        with open_level(identity, None) as dataset:
            raster = describe(identity, dataset)
        with state.lock:
            state.rasters[source] = _Known(raster)
            while len(state.rasters) > self._capacity:
                state.rasters.popitem(last=False)
        return raster

    @contextmanager
    def opened(self, raster: Raster, overview: int | None) -> Iterator[DatasetReader]:
        """Open one resolution of a raster, for one thread.

        Raises
        ------
        OSError, NotACogError, ReplacedError
            When the file is no longer there, or no longer the same.
        """
        state, key = self._state(), (raster.identity, overview)
        with state.lock:
            handles = state.idle.get(key, [])
            dataset = handles.pop() if handles else None
            if not handles:
                state.idle.pop(key, None)
        if dataset is None:
            dataset = open_level(raster.identity, overview)
        try:
            with rasterio.Env(**GDAL_OPTIONS):
                yield dataset
        except BaseException:
            dataset.close()
            raise
        self._keep(state, key, dataset)

    def quantiles(
        self, raster: Raster, band: int, compute: Callable[["RasterPool", Raster, int], Float32]
    ) -> Float32:
        """Return the quantiles of a band, computed once as long as the raster stays described."""
        known = self._state().rasters.get(raster.identity.source)
        if known is None or known.raster is not raster:
            return compute(self, raster, band)
        found = known.quantiles.get(band)
        if found is None:
            found = known.quantiles[band] = compute(self, raster, band)
        return found

    def close(self) -> None:
        """Close what nobody reads."""
        state = self._state()
        with state.lock:
            handles = [one for kept in state.idle.values() for one in kept]
            state.idle.clear()
            state.rasters.clear()
        _close(handles)

    def _state(self) -> _State:
        """Return what this process has open."""
        return self._states.setdefault(os.getpid(), _State())

    def _keep(self, state: _State, key: _Key, dataset: DatasetReader) -> None:
        """Keep a handle for the next tile, and close the least recently used beyond capacity."""
        closed = []
        with state.lock:
            state.idle.setdefault(key, []).append(dataset)
            state.idle.move_to_end(key)
            while sum(map(len, state.idle.values())) > self._capacity:
                oldest, handles = next(iter(state.idle.items()))
                closed.append(handles.pop())
                if not handles:
                    del state.idle[oldest]
        _close(closed)

    def _forget(self, state: _State, source: Source) -> None:
        """Close what is open of a file that has been replaced."""
        closed = []
        with state.lock:
            state.rasters.pop(source, None)
            for key in [key for key in state.idle if key[0].source == source]:
                closed += state.idle.pop(key)
        _close(closed)


def _close(handles: list[DatasetReader]) -> None:
    for dataset in handles:
        dataset.close()
