"""The speckle filter over the images of one tile, orbit and polarisation, or pair of them.

A series of any length passes through the memory of a few images: sums over dates, a few dates at a
time, then date by date the filtered image. Every image is decoded twice for that, which costs less
than keeping what was computed.
"""

from collections.abc import Callable, Mapping, Sequence
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
        steps = _Steps(grid["count"] * (len(series.new) + len(series.outputs)), progress)
        with gains_of(grid, series.sums.parent) as gains:
            if series.new:
                _sum(series, grid, gains, threads, steps)
                written(series.sums)
            else:
                _read_gains(series, grid, gains)
            for source, output in series.outputs.items():
                writer = filtered_file(source, output, series.form, lossless=series.lossless)
                for band in range(grid["count"]):
                    _filter(series, source, band, gains, writer, threads)
                    steps.end(1)
                writer.close()
                written(output.path)


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


def _sum(series: Series, grid: dict[str, Any], gains: Gains, threads: int, steps: _Steps) -> None:
    """Write the sums with the new images, and the gains."""
    with ExitStack() as stack:
        before: SumsReader | SumsWriter | None = None
        if series.previous is not None:
            before = stack.enter_context(SumsReader(series.previous))
        writer = SumsWriter(series.sums, grid, series.sums_tags)
        for first in range(0, len(series.new), _BATCH):
            batch = series.new[first : first + _BATCH]
            is_last = first + _BATCH >= len(series.new)
            for band in range(grid["count"]):
                rows = _Rows(before, writer, band, gains if is_last else None)
                _add(series, batch, rows, threads)
                steps.end(len(batch))
            before = writer
        writer.close()


class _Rows(NamedTuple):
    """The sums of a band row by row: those before, where they go, and where gains go, if any."""

    before: SumsReader | SumsWriter | None
    writer: SumsWriter
    band: int
    gains: Gains | None


def _add(series: Series, batch: Sequence[Path], rows: _Rows, threads: int) -> None:
    """Add some images to the sums of a band."""

    def add(strips: Sequence[Strip]) -> None:
        if rows.before is None and not any(strip.holds_data for strip in strips):
            return
        for parts in zip(*(strip.parts(ROWS, series.radius) for strip in strips), strict=True):
            span = Span(parts[0].row, parts[0].row + parts[0].rows)
            if rows.before is None:
                sums = RunningSums.empty((parts[0].rows, parts[0].power.shape[1]))
            else:
                sums = rows.before.read(rows.band, span)
            for part in parts:
                if part.holds_data:
                    sums.add(part.power, radius=series.radius, above=part.above, below=part.below)
            rows.writer.write(rows.band, span, sums)
            if rows.gains is not None:
                rows.gains.write(rows.band, span, sums.gain())

    sweep(batch, rows.band, add, form=series.form, radius=series.radius, threads=threads)


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
            power = filtered(
                strip.power,
                gains.read(band, Span(strip.row, strip.row + strip.rows)),
                radius=series.radius,
                above=strip.above,
                below=strip.below,
            )
            put_strip(writer, band, strip.row, power, series.form)

    sweep([source], band, work, form=series.form, radius=series.radius, threads=threads)


def put_strip(writer: CogWriter, band: int, row: int, power: Float32, form: ValueFormat) -> None:
    """Give the blocks of a strip of linear power, 0 for no data, to a file."""
    rows, columns = power.shape
    for column in range(0, columns, BLOCK):
        part = power[:, column : column + BLOCK]
        block = np.zeros((BLOCK, BLOCK), np.float32)
        block[:rows, : part.shape[1]] = part
        if form.quantity != "linear power":
            block = encode(np.where(block > 0, block, np.float32(np.nan)), form)
        writer.put(row // BLOCK, column // BLOCK, block, band=band)


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
