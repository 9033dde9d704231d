"""Images read once from top to bottom, in strips that know the rows beside them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from peps_wps.chains.ortho_s1.values import ValueFormat, decode
from peps_wps.readers.float_blocks import FloatBlocks, is_readable
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
    holds_data
        Whether the file has any block of these rows.
    """

    row: int
    rows: int
    power: Float32
    above: int
    below: int
    holds_data: bool

    def parts(self, rows: int, radius: int) -> Iterator["Strip"]:
        """Give parts of at most `rows` rows, which know at most `radius` rows beside them."""
        for first in range(0, self.rows, rows):
            number = min(rows, self.rows - first)
            above = min(radius, self.above + first)
            below = min(radius, self.rows - first - number + self.below)
            start = self.above + first
            power = self.power[start - above : start + number + below]
            yield Strip(self.row + first, number, power, above, below, self.holds_data)


class Span(NamedTuple):
    """Rows from `first` to before `end`."""

    first: int
    end: int


def sweep(
    paths: Sequence[Path],
    band: int,
    work: Callable[[Sequence[Strip]], None],
    *,
    form: ValueFormat,
    radius: int,
    threads: int,
) -> None:
    """Do the work on every strip of some images of one grid.

    Parameters
    ----------
    paths, band
        GeoTIFFs, and which of their bands, from 0.
    work
        Called with the strips of all images at the same rows, from the threads, each of which
        goes down a part of the rows.
    form
        How power is stored.
    radius
        Rows of the neighbours that a strip knows.
    """

    def follow(part: Span) -> None:
        with ExitStack() as stack:
            datasets = [stack.enter_context(rasterio.open(path)) for path in paths]
            images = [_strips(dataset, band + 1, part, form, radius) for dataset in datasets]
            for strips in zip(*images, strict=True):
                work(strips)

    with rasterio.open(paths[0]) as dataset:
        parts = parts_of(Span(0, dataset.height), threads)
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
    read = _reader(dataset, band, form)
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
        power = this[radius - above : radius + rows + below]
        yield Strip(row, rows, power, above, below, _holds_data(dataset, band, row, rows))
        other[:radius] = this[rows : radius + rows]
        this, other, above = other, this, radius


def _reader(dataset: DatasetReader, band: int, form: ValueFormat) -> Callable[[Float32, int], None]:
    """Return what fills an array with linear power from a row on."""
    if form.quantity == "linear power" and is_readable(dataset):
        return FloatBlocks(dataset, band).read

    def read(target: Float32, first: int) -> None:
        window = Window(0, first, dataset.width, len(target))
        target[:] = decode(dataset.read(band, window=window), form)

    return read


def _holds_data(dataset: DatasetReader, band: int, row: int, rows: int) -> bool:
    """Return whether any block of these rows is in the file."""
    height, width = dataset.block_shapes[band - 1]
    return any(
        dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{block}", "TIFF", bidx=band)
        for block in range(row // height, -(-(row + rows) // height))
        for column in range(-(-dataset.width // width))
    )
