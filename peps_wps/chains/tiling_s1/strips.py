"""An image read once from top to bottom, in strips that know the rows beside them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from peps_wps.chains.ortho_s1.values import ValueFormat, decode
from peps_wps.writers.cog import BLOCK

Float32 = NDArray[np.float32]


class Strip(NamedTuple):
    """Rows of an image, valid until the next strip is asked for.

    Parameters
    ----------
    row, rows
        First row and number of rows.
    power
        Linear power, shape (above + rows + below, column), 0 for no data.
    above, below
        Rows at the ends of `power` that belong to the neighbours.
    """

    row: int
    rows: int
    power: Float32
    above: int
    below: int


class Span(NamedTuple):
    """Rows from `first` to before `end`."""

    first: int
    end: int


def sweep(
    path: Path,
    band: int,
    span: Span,
    work: Callable[[Strip], None],
    *,
    form: ValueFormat,
    radius: int,
    threads: int,
) -> None:
    """Do the work on every strip of some rows of an image that holds data.

    Parameters
    ----------
    path, band
        A GeoTIFF, and which of its bands, from 0.
    span
        Rows, from a multiple of 512.
    work
        Called from the threads, each of which goes down a part of the rows.
    form
        How power is stored.
    radius
        Rows of the neighbours that a strip knows.
    """

    def follow(part: Span) -> None:
        with rasterio.open(path) as dataset:
            for strip in _strips(dataset, band + 1, part, form, radius):
                work(strip)

    parts = parts_of(span, threads)
    with ThreadPoolExecutor(len(parts), thread_name_prefix="strip") as pool:
        for _ in pool.map(follow, parts):
            pass


def parts_of(span: Span, number: int) -> list[Span]:
    """Divide rows into at most `number` parts of nearly as many blocks."""
    blocks = -(-(span.end - span.first) // BLOCK)
    number = max(1, min(number, blocks))
    edges = [span.first + BLOCK * (blocks * part // number) for part in range(number)]
    return [Span(*pair) for pair in zip(edges, [*edges[1:], span.end], strict=True)]


def _strips(
    dataset: DatasetReader, band: int, span: Span, form: ValueFormat, radius: int
) -> Iterator[Strip]:
    """Give the strips of a part; every block row is decoded once, into one of two buffers."""

    def read(target: Float32, first: int) -> None:
        window = Window(0, first, dataset.width, len(target))
        if form.quantity == "linear power":
            dataset.read(band, window=window, out=target)
        else:
            target[:] = decode(dataset.read(band, window=window), form)

    shape = (radius + BLOCK + radius, dataset.width)
    this, other = np.empty(shape, np.float32), np.empty(shape, np.float32)
    above = min(radius, span.first)
    read(this[radius - above : radius], span.first - above)
    read(this[radius : radius + min(BLOCK, span.end - span.first)], span.first)
    for row in range(span.first, span.end, BLOCK):
        rows = min(BLOCK, span.end - row)
        below = min(radius, dataset.height - (row + rows))
        further = min(BLOCK, span.end - (row + rows)) or below
        if further:
            read(other[radius : radius + further], row + rows)
        this[radius + rows : radius + rows + below] = other[radius : radius + below]
        if _holds_data(dataset, band, row, rows):
            power = this[radius - above : radius + rows + below]
            yield Strip(row, rows, power, above, below)
        other[:radius] = this[rows : radius + rows]
        this, other, above = other, this, radius


def _holds_data(dataset: DatasetReader, band: int, row: int, rows: int) -> bool:
    """Return whether any block of these rows is in the file."""
    height, width = dataset.block_shapes[band - 1]
    return any(
        dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{block}", "TIFF", bidx=band)
        for block in range(row // height, -(-(row + rows) // height))
        for column in range(-(-dataset.width // width))
    )
