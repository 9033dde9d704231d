"""Optical images: digital numbers to reflectances, other resolutions, and values to store."""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
UInt16 = NDArray[np.uint16]
Int16 = NDArray[np.int16]

NO_DATA, SATURATED = 0, 65535  # digital numbers of Sentinel-2
INT16_NO_DATA = -32768


def reflectance_from_dn(numbers: UInt16, *, offset: float, quantification: float) -> Float32:
    """Return reflectances of digital numbers: (number + offset) / quantification.

    Parameters
    ----------
    numbers
        Shape (row, column); 0 marks no data, 65535 a saturated detector.
    offset
        0 before processing baseline 04.00, -1000 from there on.
    quantification
        Numbers of a reflectance of 1.

    Returns
    -------
    Shape of `numbers`, NaN for no data and where saturated. Values below 0 are legal.

    References
    ----------
    Sentinel-2 Products Specification Document, issue 14.9, section 4.9.4 (Radiometric offsets).
    """
    out = np.empty(numbers.shape, np.float32)
    _fill_reflectance(np.ascontiguousarray(numbers), offset, 1.0 / quantification, out)
    return out


def mean_of_squares(values: Float32, factor: int) -> Float32:
    """Return the mean of each square of `factor` x `factor` pixels over those that are not NaN.

    Parameters
    ----------
    values
        Shape (factor n, factor m).

    Returns
    -------
    Shape (n, m), NaN where all pixels are.
    """
    out = np.empty((values.shape[0] // factor, values.shape[1] // factor), np.float32)
    _fill_means(values, factor, out)
    return out


def stored_int16(values: Float32, scale: float) -> Int16:
    """Return values as integers of `scale`; -32768 where not finite or out of their range."""
    out = np.empty(values.shape, np.int16)
    _fill_int16(values, np.float32(1.0 / scale), out)
    return out


def stretched_uint8(values: Float32, low: float, high: float, gamma: float) -> NDArray[np.uint8]:
    """Return values between `low` and `high` as 1 to 255, brighter mid-tones for gamma above 1.

    0 where they are NaN; what lies outside is shown as the nearest that lies inside.
    """
    table = 1 + 254 * np.linspace(0, 1, _TONES) ** (1 / gamma)
    out = np.empty(values.shape, np.uint8)
    _fill_tones(values, low, high, np.rint(table).astype(np.uint8), out)
    return out


_TONES = 4096


@compiled
def _fill_reflectance(numbers: UInt16, offset: float, scale: float, out: Float32) -> None:
    for row in range(numbers.shape[0]):
        for column in range(numbers.shape[1]):
            number = numbers[row, column]
            if number in (NO_DATA, SATURATED):
                out[row, column] = np.nan
            else:
                out[row, column] = (number + offset) * scale


@compiled
def _fill_means(values: Float32, factor: int, out: Float32) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            total, count = 0.0, 0
            for i in range(factor * row, factor * (row + 1)):
                for j in range(factor * column, factor * (column + 1)):
                    value = values[i, j]
                    if value == value:  # noqa: PLR0124  (false for NaN)
                        total += value
                        count += 1
            out[row, column] = total / count if count else np.nan


@compiled
def _fill_int16(values: Float32, scale: np.float32, out: Int16) -> None:
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            scaled = np.rint(values[row, column] * scale)
            # False for NaN.
            is_held = -32767 <= scaled <= 32767
            out[row, column] = np.int16(scaled) if is_held else np.int16(INT16_NO_DATA)


@compiled
def _fill_tones(
    values: Float32, low: float, high: float, table: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    scale = (table.size - 1) / (high - low)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if value == value:  # noqa: PLR0124  (false for NaN)
                tone = min(max((value - low) * scale, 0.0), table.size - 1.0)
                out[row, column] = table[int(tone + 0.5)]
            else:
                out[row, column] = 0
