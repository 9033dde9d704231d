"""From digital numbers to backscatter: calibration tables and thermal noise, in radar geometry.

Power = (DN**2 - eta) / A**2. Tables are vectors along range at some lines; A and the range noise
are interpolated bilinearly, the azimuth noise linearly along each block of a swath. All of it is
separable over a window of an image: rows of the table are put on the window's samples once, and
each line then costs two linear combinations.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.radar.grd import AzimuthNoiseBlock, NoiseLut, VectorLut

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]


class RowTable(NamedTuple):
    """A table on the samples of a window.

    Parameters
    ----------
    values
        Rows of the table on the window's samples, float32, shape (row, sample).
    row, weight
        For each line of the window the row before it and the weight of the next one, shape (line,).
    """

    values: Float32
    row: Int64
    weight: Float32


class AzimuthTable(NamedTuple):
    """Azimuth noise over a window: factors of spans of samples.

    Parameters
    ----------
    end
        For each line the sample (of the window) after the last of each span, shape (line, span).
    factor
        Their factors, float32, shape (line, span).
    """

    end: Int64
    factor: Float32


def table_rows(
    table: VectorLut, *, first_line: int, lines: int, first_sample: int, samples: int
) -> RowTable:
    """Put a table on the samples of a window.

    Beyond its first and last vector, and beyond the ends of a vector, a table keeps its value.

    Parameters
    ----------
    table
        Of one image.
    first_line, lines, first_sample, samples
        The window, in lines and samples of the image.
    """
    position = np.arange(first_line, first_line + lines, dtype=np.float64)
    last = table.line.size - 1
    before = np.clip(np.searchsorted(table.line, position, side="right") - 1, 0, max(last - 1, 0))
    after = np.minimum(before + 1, last)
    distance = np.maximum(table.line[after] - table.line[before], 1.0)
    weight = np.clip((position - table.line[before]) / distance, 0.0, 1.0)
    first_row, last_row = int(before[0]), int(after[-1])
    column = np.arange(first_sample, first_sample + samples, dtype=np.float64)
    rows = [
        np.interp(column, table.sample[i], table.value[i]) for i in range(first_row, last_row + 1)
    ]
    if len(rows) == 1:
        rows = rows * 2
    return RowTable(
        np.array(rows, dtype=np.float32),
        (before - first_row).astype(np.int64),
        weight.astype(np.float32),
    )


def azimuth_spans(
    blocks: tuple[AzimuthNoiseBlock, ...],
    *,
    first_line: int,
    lines: int,
    first_sample: int,
    samples: int,
) -> AzimuthTable:
    """Lay the azimuth noise of an image over a window.

    At a line that no block of a swath reaches, the nearest block of that swath holds; between
    blocks, and before the first and after the last, the sample belongs to the nearest one.

    Parameters
    ----------
    blocks
        Of one image; none gives a factor of one everywhere.
    first_line, lines, first_sample, samples
        The window, in lines and samples of the image.
    """
    if not blocks:
        return AzimuthTable(np.full((lines, 1), samples), np.ones((lines, 1), np.float32))
    swaths = sorted({b.swath for b in blocks}, key=lambda s: _first_sample(blocks, s))
    position = np.arange(first_line, first_line + lines)
    starts, stops = np.empty((2, lines, len(swaths)))
    holds = np.empty((lines, len(swaths)), np.bool_)
    factor = np.empty((lines, len(swaths)), np.float32)
    for span, swath in enumerate(swaths):
        own = [b for b in blocks if b.swath == swath]
        # Mostly one block spans the window.
        whole = [b for b in own if b.first_line <= position[0] and b.last_line >= position[-1]]
        own = whole[:1] or own
        chosen, distance = _nearest_block(own, position)
        holds[:, span] = distance == 0
        for index, block in enumerate(own):
            mine = slice(None) if len(own) == 1 else chosen == index
            starts[mine, span], stops[mine, span] = block.first_sample, block.last_sample
            factor[mine, span] = np.interp(position[mine], block.line, block.value)
    # A block that holds the line says where its swath ends; between two, or none, it is midway.
    border = np.ceil(0.5 * (stops[:, :-1] + starts[:, 1:] + 1.0))
    border = np.where(holds[:, :-1] & ~holds[:, 1:], stops[:, :-1] + 1.0, border)
    border = np.where(holds[:, 1:] & ~holds[:, :-1], starts[:, 1:], border)
    end = np.full((lines, len(swaths)), samples, np.int64)
    end[:, :-1] = border - first_sample
    return AzimuthTable(np.maximum.accumulate(np.clip(end, 0, samples), axis=1), factor)


def _first_sample(blocks: tuple[AzimuthNoiseBlock, ...], swath: str) -> float:
    """Return where a swath lies on the mean: blocks shift along the orbit, the order stays."""
    return float(np.mean([b.first_sample + b.last_sample for b in blocks if b.swath == swath]))


def _nearest_block(blocks: list[AzimuthNoiseBlock], line: Int64) -> tuple[Int64, Int64]:
    """Return for each line the block that holds it or is nearest, and how far that is."""
    first = np.array([b.first_line for b in blocks])[:, None]
    last = np.array([b.last_line for b in blocks])[:, None]
    distance = np.maximum(np.maximum(first - line, line - last), 0)
    return np.argmin(distance, axis=0), distance.min(axis=0)


def backscatter(
    numbers: NDArray[np.uint16],
    *,
    first_line: int,
    first_sample: int,
    table: VectorLut,
    noise: NoiseLut | None = None,
) -> Float32:
    """Calibrate a window of digital numbers.

    Parameters
    ----------
    numbers
        Digital numbers, shape (line, sample); 0 is outside the image.
    first_line, first_sample
        The window's first pixel, in lines and samples of its frame.
    table
        `A` of the wanted quantity.
    noise
        Thermal noise to remove; None, or a table that is zero, removes nothing.

    Returns
    -------
    Linear power, float32, shape of `numbers`, NaN where they are 0. Below the noise it is
    negative, so that means over an area stay unbiased: clip after interpolation.

    References
    ----------
    ESA-EOPG-CSCOP-TN-0002 issue 1.0, Radiometric Calibration of S-1 Level-1 Products.
    ESA MPC-0392 issue 1.1, Thermal Denoising, section 6.
    """
    lines, samples = numbers.shape
    window = {
        "first_line": first_line,
        "lines": lines,
        "first_sample": first_sample,
        "samples": samples,
    }
    out = np.empty(numbers.shape, np.float32)
    source = np.require(numbers, np.uint16, ["C", "W"])
    amplitude = table_rows(table, **window)
    if noise is None or noise.is_zero:
        _calibrate(source, amplitude, out)
    else:
        _calibrate_denoised(
            source,
            amplitude,
            table_rows(noise.range, **window),
            azimuth_spans(noise.azimuth, **window),
            out,
        )
    return out


@compiled
def blend_row(table: RowTable, line: int, out: Float32) -> None:
    """Fill the values of a table along one line of the window."""
    low, high = table.values[table.row[line]], table.values[table.row[line] + 1]
    weight = table.weight[line]
    for j in range(out.size):
        out[j] = low[j] + weight * (high[j] - low[j])


@compiled
def _calibrate(numbers: NDArray[np.uint16], amplitude: RowTable, out: Float32) -> None:
    """Fill power, DN**2 / A**2."""
    a = np.empty(numbers.shape[1], np.float32)
    eta = np.zeros(numbers.shape[1], np.float32)
    for i in range(numbers.shape[0]):
        blend_row(amplitude, i, a)
        _power(numbers[i], a, eta, np.float32(0.0), out[i])


@compiled
def _calibrate_denoised(
    numbers: NDArray[np.uint16],
    amplitude: RowTable,
    noise: RowTable,
    azimuth: AzimuthTable,
    out: Float32,
) -> None:
    """Fill power, (DN**2 - eta) / A**2."""
    a = np.empty(numbers.shape[1], np.float32)
    eta = np.empty(numbers.shape[1], np.float32)
    for i in range(numbers.shape[0]):
        blend_row(amplitude, i, a)
        blend_row(noise, i, eta)
        start = 0
        for span in range(azimuth.end.shape[1]):
            part = slice(start, azimuth.end[i, span])
            _power(numbers[i][part], a[part], eta[part], azimuth.factor[i, span], out[i][part])
            start = azimuth.end[i, span]


@compiled
def _power(
    numbers: NDArray[np.uint16], a: Float32, eta: Float32, factor: np.float32, out: Float32
) -> None:
    """Fill the power of some pixels of a line, NaN where the number is 0."""
    for j in range(numbers.size):
        number = np.float32(numbers[j])
        power = (number * number - factor * eta[j]) / (a[j] * a[j])
        out[j] = power if number > np.float32(0.0) else np.float32(np.nan)
