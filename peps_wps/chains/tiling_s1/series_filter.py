"""The speckle filter over the images of one tile, orbit and polarisation, or pair of them.

A series of any length passes through the memory of a few images: sums over dates, a few dates at a
time, then date by date the filtered image. Every image is decoded twice for that, which costs less
than keeping what was computed; one that is added alone is filtered meanwhile, and decoded once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray

from algorithms.speckle import RunningSums, filtered
from algorithms.speckle.multitemporal import RADIUS
from peps_wps.chains.ortho_s1.values import ValueFormat, encode
from peps_wps.chains.tiling_s1.gains import Gains, gains_of
from peps_wps.chains.tiling_s1.strips import Span, Strip, sweep
from peps_wps.chains.tiling_s1.sums_file import ROWS, SumsReader, SumsWriter
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

Float32 = NDArray[np.float32]

_BATCH = 5  # images that are added to the sums at once, 90 MB each
CACHE_BYTES = 64_000_000  # decoded blocks that GDAL keeps; strips read each block once


@dataclass(frozen=True)
class Output:
    """A filtered image to write: where, and the tags of the file."""

    path: Path
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """Images of one grid and what is to be made of them.

    Parameters
    ----------
    new
        Images to add to the sums.
    outputs
        What to write for which image; each is one of `new` or in the sums already.
    sums
        Where the sums go.
    form
        How power is stored in the images, and will be in the filtered ones.
    previous
        The sums to continue from; None for those of no date.
    radius
        Of the window of the filter, pixels.
    sums_tags
        Written into the sums.
    lossless
        Whether filtered images keep all bits of their values.
    """

    new: tuple[Path, ...]
    outputs: Mapping[Path, Output]
    sums: Path
    form: ValueFormat
    previous: Path | None = None
    radius: int = RADIUS
    sums_tags: Mapping[str, str] = field(default_factory=dict)
    lossless: bool = False


def filter_series(
    series: Series,
    *,
    threads: int,
    progress: Callable[[float], None],
    written: Callable[[Path], None] = lambda _path: None,
) -> None:
    """Bring the sums up to date and write the filtered images.

    Where there is nothing to add, the sums are read and no others are written.

    Parameters
    ----------
    series
        What to do.
    threads
        Parts of the rows worked on at once.
    progress
        Told the fraction done, after every pass over an image.
    written
        Told each file as soon as it is whole: first the sums, then the filtered images.
    """
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
        grid = _grid([*series.new, *series.outputs])
        last = _filtered_at_once(series)
        later = [source for source in series.outputs if source != last]
        steps = _Steps(grid["count"] * (len(series.new) + len(later)), progress)
        with gains_of(grid, series.sums.parent) as gains:
            if series.new:
                writer = None if last is None else _writer(series, last)
                _sum(series, grid, _Ends(gains if later else None, writer), threads, steps)
                written(series.sums)
                if writer is not None:
                    writer.close()
                    written(writer.path)
            else:
                _read_gains(series, grid, gains)
            for source in later:
                writer = _writer(series, source)
                for band in range(grid["count"]):
                    _filter(series, source, band, gains, writer, threads)
                    steps.end(1)
                writer.close()
                written(writer.path)


def _filtered_at_once(series: Series) -> Path | None:
    """Return the image that is filtered while it is added to the sums: decoded once.

    The last new one, if it is added alone: a filtered image and the strips of several images would
    take too much memory together.
    """
    is_alone = len(series.new) % _BATCH == 1
    return series.new[-1] if is_alone and series.new[-1] in series.outputs else None


class _Ends(NamedTuple):
    """What follows from whole sums: gains, if they are kept, and the file of an image at once."""

    gains: Gains | None = None
    writer: CogWriter | None = None


class _Steps:
    """Tells progress in passes over an image."""

    def __init__(self, number: int, progress: Callable[[float], None]) -> None:
        self._number = number
        self._progress = progress
        self._done = 0.0

    def end(self, part: float) -> None:
        self._done += part
        self._progress(self._done / self._number)


def _grid(paths: list[Path]) -> dict[str, Any]:
    """Return what all images share: size, bands, CRS and transform."""
    grids = []
    for path in paths:
        with rasterio.open(path) as dataset:
            names = ("width", "height", "count", "crs", "transform")
            grids.append({name: dataset.profile[name] for name in names})
    for path, grid in zip(paths, grids, strict=True):
        if grid != grids[0]:
            raise ValueError(f"{path.name} is not on the grid of {paths[0].name}")
    return grids[0]


def _sum(series: Series, grid: dict[str, Any], ends: _Ends, threads: int, steps: _Steps) -> None:
    """Write the sums with the new images, and what follows from them."""
    with ExitStack() as stack:
        before: SumsReader | SumsWriter | None = None
        if series.previous is not None:
            before = stack.enter_context(SumsReader(series.previous))
        sums = stack.enter_context(SumsWriter(series.sums, grid, series.sums_tags))
        for first in range(0, len(series.new), _BATCH):
            batch = series.new[first : first + _BATCH]
            is_last = first + _BATCH >= len(series.new)
            for band in range(grid["count"]):
                addition = _Addition(series, band, before, sums, ends if is_last else _Ends())
                _sweep(series, batch, band, addition.add, threads)
                steps.end(len(batch))
            before = sums
        sums.close()


class _Addition(NamedTuple):
    """Some images of a band on their way into the sums."""

    series: Series
    band: int
    before: SumsReader | SumsWriter | None
    sums: SumsWriter
    ends: _Ends

    def add(self, strips: Sequence[Strip]) -> None:
        """Take the same rows of all images, in parts that stay in the cache of a core."""
        if self.before is None and not any(strip.holds_data for strip in strips):
            return
        parts = zip(*(strip.parts(ROWS, self.series.radius) for strip in strips), strict=True)
        images = [image for rows in parts if (image := self._add_rows(rows)) is not None]
        if self.ends.writer is not None and images:
            put_strip(self.ends.writer, self.band, strips[0].row, images, self.series.form)

    def _add_rows(self, parts: Sequence[Strip]) -> Float32 | None:
        """Add some rows of all images; return those of the image that is filtered at once."""
        row, rows, columns = parts[0].row, parts[0].rows, parts[0].power.shape[1]
        span = Span(row, row + rows)
        if self.before is None:
            sums = RunningSums.empty((rows, columns))
        else:
            sums = self.before.read(self.band, span)
        image = None
        for part in parts:
            neighbours = {"radius": self.series.radius, "above": part.above, "below": part.below}
            if part.holds_data and self.ends.writer is not None:
                image = sums.add_and_filter(part.power, **neighbours)
            elif part.holds_data:
                sums.add(part.power, **neighbours)
        self.sums.write(self.band, span, sums)
        if self.ends.gains is not None:
            self.ends.gains.write(self.band, span, sums.gain())
        return image


def _read_gains(series: Series, grid: dict[str, Any], gains: Gains) -> None:
    """Write the gains by the sums that there are."""
    if series.previous is None:
        return
    with SumsReader(series.previous) as sums:
        for band in range(grid["count"]):
            for first in range(0, grid["height"], ROWS):
                span = Span(first, min(first + ROWS, grid["height"]))
                gains.write(band, span, sums.read(band, span).gain())


def _filter(
    series: Series, source: Path, band: int, gains: Gains, writer: CogWriter, threads: int
) -> None:
    """Filter one band of an image into its file."""

    def work(strips: Sequence[Strip]) -> None:
        (strip,) = strips
        if strip.holds_data:
            parts = (
                filtered(
                    part.power,
                    gains.read(band, Span(part.row, part.row + part.rows)),
                    radius=series.radius,
                    above=part.above,
                    below=part.below,
                )
                for part in strip.parts(ROWS, series.radius)
            )
            put_strip(writer, band, strip.row, parts, series.form)

    _sweep(series, [source], band, work, threads)


def _sweep(
    series: Series,
    paths: Sequence[Path],
    band: int,
    work: Callable[[Sequence[Strip]], None],
    threads: int,
) -> None:
    sweep(paths, band, work, form=series.form, radius=series.radius, threads=threads)


def _writer(series: Series, source: Path) -> CogWriter:
    return filtered_file(source, series.outputs[source], series.form, lossless=series.lossless)


def put_strip(
    writer: CogWriter, band: int, row: int, parts: Iterable[Float32], form: ValueFormat
) -> None:
    """Give the blocks of a strip of linear power, 0 for no data, to a file.

    Parameters
    ----------
    band, row
        Band and first row, from 0.
    parts
        The rows of the strip one below the other, shape (row, column) each.
    """
    blocks: list[Float32] = []
    filled = 0
    for part in parts:
        blocks = blocks or [
            np.zeros((BLOCK, BLOCK), np.float32) for _ in range(0, part.shape[1], BLOCK)
        ]
        for number, block in enumerate(blocks):
            piece = part[:, number * BLOCK : (number + 1) * BLOCK]
            block[filled : filled + len(piece), : piece.shape[1]] = piece
        filled += len(part)
    for column, block in enumerate(blocks):
        if form.quantity != "linear power":
            coded = encode(np.where(block > 0, block, np.float32(np.nan)), form)
            writer.put(row // BLOCK, column, coded, band=band)
        else:
            writer.put(row // BLOCK, column, block, band=band)


def filtered_file(source: Path, output: Output, form: ValueFormat, *, lossless: bool) -> CogWriter:
    """Return the writer of a filtered image on the grid of its source."""
    with rasterio.open(source) as dataset:
        several = dataset.count > 1
        description = RasterDescription(
            form.dtype,
            dataset.crs.to_epsg(),
            dataset.transform,
            form.nodata,
            output.tags,
            scale=form.scale,
            description="" if several else dataset.descriptions[0] or "",
            bands=tuple(name or "" for name in dataset.descriptions) if several else (),
        )
        return CogWriter(
            output.path,
            width=dataset.width,
            height=dataset.height,
            description=description,
            overview=form.overview,
            mantissa_bits=None if lossless else form.mantissa_bits,
        )
