"""The rasters of composites, computed by blocks: memory does not grow with tiles or dates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from peps_wps.chains.blocks import put, run_blocks
from peps_wps.chains.composites.channels import Channels, Image, co_and_cross
from peps_wps.chains.ortho_s1.values import ValueFormat, encode
from peps_wps.writers.cog import CogWriter
from peps_wps.writers.cog_layout import RasterDescription
from peps_wps.writers.stac import Grid

Float32 = NDArray[np.float32]

# Decibels that are black and full, of red, green and blue: co-polarised, cross-polarised, their
# ratio. The same for all dates, so that what changes colour has changed.
STRETCH_DB = ((-20.0, 0.0), (-26.0, -6.0), (0.0, 15.0))
_RATIO_BITS = 10  # of mantissa: 0.0022 dB


@dataclass(frozen=True)
class Work:
    """What all composites of a tile share.

    Parameters
    ----------
    grid
        Of the images and of what is made of them.
    form
        How power is stored in the images, and in means of them.
    threads
        Blocks computed at once.
    tags
        Written into the files.
    lossless
        Keep all mantissa bits of float32.
    progress
        Told the fraction done of each raster.
    """

    grid: Grid
    form: ValueFormat
    threads: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    lossless: bool = False
    progress: Callable[[float], None] = lambda _fraction: None

    def run(self, compute: Callable[[Block], None]) -> None:
        """Do the work on every block of the grid."""
        run_blocks(self.grid.shape, compute, threads=self.threads, progress=self.progress)


def write_mean(path: Path, counts_path: Path, images: Sequence[Image], work: Work) -> None:
    """Write the mean power of some dates, and of how many dates each pixel is the mean.

    Parameters
    ----------
    path
        The mean, a band a polarisation, stored as the images are.
    counts_path
        Dates with data, uint8, the same bands.
    images
        All with the polarisations of the first; 255 at most.
    """
    names = tuple(images[0])
    form = work.form
    bits = None if work.lossless else form.mantissa_bits
    means = _writer(path, work, form, names, mantissa_bits=bits)
    counts = _writer(counts_path, work, COUNTS, names)
    with Channels(form) as channels:

        def compute(block: Block) -> None:
            for band, name in enumerate(names):
                total = np.zeros((block.rows, block.columns))
                dates = np.zeros(total.shape, np.uint8)
                for image in images:
                    power = channels.power(image[name], block)
                    total += power
                    dates += power != 0
                mean = _divided(total, dates)
                put(means, block, encode(mean, form), form.nodata, band=band)
                put(counts, block, dates, COUNTS.nodata, band=band)

        work.run(compute)
    means.close()
    counts.close()


def write_ratio(path: Path, image: Image, work: Work) -> None:
    """Write co-polarised over cross-polarised power, float32, 0 for no data."""
    co, cross = co_and_cross(image)
    bits = None if work.lossless else _RATIO_BITS
    ratios = _writer(path, work, RATIOS, (), mantissa_bits=bits)
    with Channels(work.form) as channels:

        def compute(block: Block) -> None:
            ratio = _ratio(channels.power(image[co], block), channels.power(image[cross], block))
            put(ratios, block, ratio, RATIOS.nodata)

        work.run(compute)
    ratios.close()


def write_colours(path: Path, image: Image, work: Work) -> None:
    """Write a picture of 8 bits: co-polarised, cross-polarised and their ratio, `STRETCH_DB`."""
    co, cross = co_and_cross(image)
    description = RasterDescription(
        "uint8", work.grid.epsg, work.grid.transform, 0.0, work.tags, samples=3
    )
    rows, columns = work.grid.shape
    picture = CogWriter(path, width=columns, height=rows, description=description)
    with Channels(work.form) as channels:

        def compute(block: Block) -> None:
            red, green = channels.power(image[co], block), channels.power(image[cross], block)
            put(picture, block, _coloured(red, green), 0.0)

        work.run(compute)
    picture.close()


COUNTS = ValueFormat("uint8", 0.0, 1.0, "number of dates", "nearest", None)
RATIOS = ValueFormat("float32", 0.0, 1.0, "ratio of power", "mean", _RATIO_BITS)


def _writer(
    path: Path,
    work: Work,
    form: ValueFormat,
    bands: tuple[str, ...],
    *,
    mantissa_bits: int | None = None,
) -> CogWriter:
    rows, columns = work.grid.shape
    description = RasterDescription(
        form.dtype,
        work.grid.epsg,
        work.grid.transform,
        form.nodata,
        {**work.tags, "QUANTITY": form.quantity},
        scale=form.scale,
        bands=bands,
    )
    return CogWriter(
        path,
        width=columns,
        height=rows,
        description=description,
        overview=form.overview,
        mantissa_bits=mantissa_bits,
    )


def _divided(total: NDArray[np.float64], dates: NDArray[np.uint8]) -> Float32:
    """Return means, NaN where there is no date."""
    mean = np.full(total.shape, np.nan, np.float32)
    np.divide(total, dates, out=mean, where=dates > 0, casting="same_kind")
    return mean


def _ratio(co: Float32, cross: Float32) -> Float32:
    """Return one over the other, 0 where either is no data."""
    ratio = np.zeros(co.shape, np.float32)
    np.divide(co, cross, out=ratio, where=(co > 0) & (cross > 0))
    return ratio


def _coloured(co: Float32, cross: Float32) -> NDArray[np.uint8]:
    """Return red, green and blue, 1 to 255, 0 where either is no data: (row, column, 3)."""
    valid = (co > 0) & (cross > 0)
    decibels = [np.float32(10) * np.log10(np.where(valid, one, 1)) for one in (co, cross)]
    decibels.append(decibels[0] - decibels[1])
    colours = np.zeros((*valid.shape, len(decibels)), np.uint8)
    for place, (channel, (low, high)) in enumerate(zip(decibels, STRETCH_DB, strict=True)):
        stretched = 1 + 254 * np.clip((channel - low) / (high - low), 0, 1)
        colours[..., place] = np.rint(stretched) * valid
    return colours
