"""Speckle filters of single images, file by file, in strips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Literal, Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from algorithms.speckle import equivalent_looks, frost, gamma_map, lee, refined_lee
from peps_wps.chains.ortho_s1.values import ValueFormat, decode
from peps_wps.chains.tiling_s1.series_filter import CACHE_BYTES, Output, filtered_file, put_strip
from peps_wps.chains.tiling_s1.strips import Strip, sweep
from peps_wps.writers.cog import BLOCK

Float32 = NDArray[np.float32]

Method = Literal["lee", "refined_lee", "gammamap", "frost"]
METHODS: tuple[Method, ...] = ("lee", "refined_lee", "gammamap", "frost")
REFINED_LEE_RADIUS = 3  # its window is always 7 x 7

# Of an IW GRDH image in ground range (ESA S1-RS-MDA-52-7441, section 5), where none is measured.
NOMINAL_LOOKS = 4.4
# Looks are measured on one block row of so many.
_SAMPLED = 8


class _Filter(Protocol):
    def __call__(self, power: Float32, /) -> Float32: ...


@dataclass(frozen=True)
class Dates:
    """Images to filter, each by itself.

    Parameters
    ----------
    outputs
        What to write for which image.
    method
        The filter.
    form
        How power is stored in the images, and will be in the filtered ones.
    radius
        Of the window, pixels.
    looks
        Equivalent number of looks of the images; None measures it of each.
    lossless
        Whether filtered images keep all bits of their values.
    """

    outputs: Mapping[Path, Output]
    method: Method
    form: ValueFormat
    radius: int = 3
    looks: float | None = None
    lossless: bool = False


def filter_dates(
    dates: Dates,
    *,
    threads: int,
    progress: Callable[[float], None],
    written: Callable[[Path], None] = lambda _path: None,
) -> None:
    """Write the filtered images.

    Parameters
    ----------
    dates
        What to do.
    threads
        Parts of the rows worked on at once.
    progress
        Told the fraction done, after every image.
    written
        Told each file as soon as it is whole.
    """
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
        for done, (source, output) in enumerate(dates.outputs.items(), 1):
            _filter_date(dates, source, output, threads)
            written(output.path)
            progress(done / len(dates.outputs))


def _filter_date(dates: Dates, source: Path, output: Output, threads: int) -> None:
    """Filter every band of one image into its file."""
    radius = REFINED_LEE_RADIUS if dates.method == "refined_lee" else dates.radius
    writer = filtered_file(source, output, dates.form, lossless=dates.lossless)
    with rasterio.open(source) as dataset:
        bands = dataset.count
    for band in range(bands):
        looks = dates.looks or measured_looks(source, band, dates.form) or NOMINAL_LOOKS
        apply = _filter(dates.method, looks, radius)

        def work(strips: Sequence[Strip], band: int = band, apply: _Filter = apply) -> None:
            (strip,) = strips
            if strip.holds_data:
                power = apply(strip.power)[strip.above : strip.above + strip.rows]
                put_strip(writer, band, strip.row, [power], dates.form)

        sweep([source], band, work, form=dates.form, radius=radius, threads=threads)
    writer.close()


def _filter(method: Method, looks: float, radius: int) -> _Filter:
    filters: dict[Method, _Filter] = {
        "lee": partial(lee, looks=looks, radius=radius),
        "refined_lee": partial(refined_lee, looks=looks),
        "gammamap": partial(gamma_map, looks=looks, radius=radius),
        "frost": partial(frost, radius=radius),
    }
    return filters[method]


def measured_looks(path: Path, band: int, form: ValueFormat) -> float | None:
    """Return the equivalent number of looks of a band, from 0, of a file, by some of its rows.

    None when no part of these rows is full of data.
    """
    found = []
    with rasterio.open(path) as dataset:
        for row in range(0, dataset.height, _SAMPLED * BLOCK):
            window = Window(0, row, dataset.width, min(BLOCK, dataset.height - row))
            found.append(equivalent_looks(decode(dataset.read(band + 1, window=window), form)))
    known = [looks for looks in found if looks is not None]
    return median(known) if known else None
