"""Cells of a burst pair in a file, with all that is known of the two bursts.

What works on cells later (corrections, merging, maps) needs no product: annotation and orbits of
both bursts lie beside the cells. The file is an ``.npz`` of plain arrays, one a field.
"""

import dataclasses
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from algorithms.interferometry.cells import PairCells
from algorithms.interferometry.spectral_diversity import BurstPair
from peps_wps.errors import ChainError
from peps_wps.writers.publish import published

_PAIR, _CELLS = "pair", "cells"
# A file of another layout is not read.
_LAYOUT, _LAYOUT_NAME = 1, "layout"


class KeptCells(NamedTuple):
    """A pair of bursts and its cells."""

    pair: BurstPair
    cells: PairCells


def save_cells(path: Path, pair: BurstPair, cells: PairCells) -> None:
    """Write a burst pair and its cells; the file appears whole or not at all."""
    arrays = {
        _LAYOUT_NAME: np.asarray(_LAYOUT),
        **dict(_flattened(pair, _PAIR)),
        **{f"{_CELLS}.{name}": np.asarray(getattr(cells, name)) for name in cells._fields},
    }
    with published(path) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def load_pair(path: Path) -> BurstPair:
    """Read the bursts of a file and leave the cells; errors are those of `load_cells`."""
    with _opened(path) as arrays:
        return _pair_of(arrays)


def load_cells(path: Path) -> KeptCells:
    """Read a burst pair and its cells.

    Raises
    ------
    ChainError
        When the file is none of `save_cells`.
    """
    with _opened(path) as arrays:
        values = [arrays[f"{_CELLS}.{name}"] for name in PairCells._fields]
        return KeptCells(_pair_of(arrays), PairCells(int(values[0]), int(values[1]), *values[2:]))


def _opened(path: Path) -> Any:
    try:
        arrays = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ChainError(f"{path.name} holds no cells of a burst: {error}") from error
    if int(arrays.get(_LAYOUT_NAME, 0)) != _LAYOUT:
        arrays.close()
        raise ChainError(f"{path.name} is not of layout {_LAYOUT}")
    return arrays


def _pair_of(arrays: Mapping[str, NDArray[Any]]) -> BurstPair:
    pair: BurstPair = _rebuilt(BurstPair, _PAIR, arrays)
    return pair


def _flattened(value: Any, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the fields of nested dataclasses as arrays; what is None is left out."""
    for field in dataclasses.fields(value):
        inner, name = getattr(value, field.name), f"{prefix}.{field.name}"
        if dataclasses.is_dataclass(inner):
            yield from _flattened(inner, name)
        elif inner is not None:
            yield name, np.asarray(inner)


def _rebuilt(kind: type, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the dataclass whose fields `_flattened` gave."""
    values: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        key = f"{prefix}.{name}"
        if dataclasses.is_dataclass(hint):
            values[name] = _rebuilt(hint, key, arrays)  # type: ignore[arg-type]
        elif key not in arrays:
            values[name] = None
        else:
            array = arrays[key]
            values[name] = array if array.ndim else array.item()
    return kind(**values)
