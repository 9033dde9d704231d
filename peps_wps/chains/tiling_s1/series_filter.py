"""The speckle filter over the images of one tile, orbit and polarisation, or pair of them.

A series of any length passes through the memory of two images: sums over dates by parts of the
rows, then date by date the filtered image. Every image is decoded twice for that, which costs less
than keeping what was computed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from algorithms.speckle import RunningSums, filtered
from algorithms.speckle.multitemporal import RADIUS
from peps_wps.chains.ortho_s1.values import ValueFormat, encode
from peps_wps.chains.tiling_s1.strips import Span, Strip, parts_of, sweep
from peps_wps.chains.tiling_s1.sums_file import SumsWriter, read_sums
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

Float32 = NDArray[np.float32]

# Sums of so many pixels are in memory at once, 10 bytes each: half a tile.
_PIXELS_OF_SUMS = 66_000_000
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
        gains = _sum(series, grid, threads, steps) if series.new else _gains(series, grid)
        if series.new:
            written(series.sums)
        for source, output in series.outputs.items():
            writer = filtered_file(source, output, series.form, lossless=series.lossless)
            for band, gain in enumerate(gains):
                _filter(series, source, band, gain, writer, threads)
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


def _sum(series: Series, grid: dict[str, Any], threads: int, steps: _Steps) -> list[Float32]:
    """Write the sums with the new images; return the gain of every band."""
    shape = (grid["height"], grid["width"])
    gains = [np.empty(shape, np.float32) for _ in range(grid["count"])]
    parts = _parts(shape)
    writer = SumsWriter(series.sums, grid, series.sums_tags)
    for band, gain in enumerate(gains):
        for part in parts:
            sums = _sums_before(series, band, part, shape[1])
            for path in series.new:
                _add(series, path, band, part, sums, threads)
                steps.end(1 / len(parts))
            writer.write(band, part, sums)
            gain[part.first : part.end] = sums.gain()
    writer.close()
    return gains


def _gains(series: Series, grid: dict[str, Any]) -> list[Float32]:
    """Return the gain of every band by the sums that there are."""
    shape = (grid["height"], grid["width"])
    gains = [np.empty(shape, np.float32) for _ in range(grid["count"])]
    for band, gain in enumerate(gains):
        for part in _parts(shape):
            gain[part.first : part.end] = _sums_before(series, band, part, shape[1]).gain()
    return gains


def _parts(shape: tuple[int, int]) -> list[Span]:
    """Return the rows whose sums are in memory at once."""
    return parts_of(Span(0, shape[0]), -(-shape[0] * shape[1] // _PIXELS_OF_SUMS))


def _sums_before(series: Series, band: int, part: Span, width: int) -> RunningSums:
    if series.previous is None:
        return RunningSums.empty((part.end - part.first, width))
    return read_sums(series.previous, band, part)


def _add(
    series: Series, path: Path, band: int, part: Span, sums: RunningSums, threads: int
) -> None:
    """Add one image to the sums of a part of the rows."""

    def add(strip: Strip) -> None:
        rows = slice(strip.row - part.first, strip.row - part.first + strip.rows)
        of_strip = RunningSums(sums.total[rows], sums.count[rows])
        of_strip.add(strip.power, radius=series.radius, above=strip.above, below=strip.below)

    sweep(path, band, part, add, form=series.form, radius=series.radius, threads=threads)


def _filter(
    series: Series, source: Path, band: int, gain: Float32, writer: CogWriter, threads: int
) -> None:
    """Filter one band of an image into its file."""

    def work(strip: Strip) -> None:
        power = filtered(
            strip.power,
            gain[strip.row : strip.row + strip.rows],
            radius=series.radius,
            above=strip.above,
            below=strip.below,
        )
        put_strip(writer, band, strip.row, power, series.form)

    whole = Span(0, gain.shape[0])
    sweep(source, band, whole, work, form=series.form, radius=series.radius, threads=threads)


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
