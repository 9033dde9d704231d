"""From linear power to the values of a file, as the order's format has them, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peps_wps.writers.cog import OverviewRule, round_mantissa

Float32 = NDArray[np.float32]

# The smallest value written, so that 0 stays no data: the first from 1e-7 on that rounding to 10
# bits of mantissa keeps, 1.0000076e-07.
LOWER_SIGNAL_VALUE = np.float32(1718 * 2.0**-34)
AMPLITUDE_SCALE = 1e-4  # of uint16
_LARGEST = 65535
# Rounding to n bits moves a value by 2**-(n + 1) of its power of two: the error of power and
# amplitude is relative, that of decibels absolute and largest below -64 dB.
_POWER_BITS, _AMPLITUDE_BITS, _DECIBEL_BITS = 10, 11, 14


@dataclass(frozen=True)
class ValueFormat:
    """How power is stored.

    Parameters
    ----------
    dtype, nodata, scale
        Of the file; physical value = stored * scale.
    quantity
        What the physical value is, for people: "linear power".
    overview
        How overviews average it.
    mantissa_bits
        Bits to keep of a float32 so that rounding costs 0.0022 dB at most; None for integers.
    """

    dtype: str
    nodata: float
    scale: float
    quantity: str
    overview: OverviewRule
    mantissa_bits: int | None


def value_format(name: str, calibration: str) -> ValueFormat:
    """Return the format of a file; digital numbers are amplitudes, everything else is power."""
    if name == "float32_db":
        return ValueFormat("float32", float("nan"), 1.0, "decibels", "mean_db", _DECIBEL_BITS)
    if name == "uint16":
        scale = 1.0 if calibration == "dn" else AMPLITUDE_SCALE
        return ValueFormat("uint16", 0.0, scale, "amplitude", "rms", None)
    if calibration == "dn":
        return ValueFormat("float32", 0.0, 1.0, "amplitude", "rms", _AMPLITUDE_BITS)
    return ValueFormat("float32", 0.0, 1.0, "linear power", "mean", _POWER_BITS)


def encode(power: Float32, form: ValueFormat) -> NDArray[Any]:
    """Return the values to store.

    Parameters
    ----------
    power
        Linear power, NaN for no data.
    form
        Of the file.
    """
    if form.quantity == "decibels":
        decibels: Float32 = np.float32(10) * np.log10(np.maximum(power, LOWER_SIGNAL_VALUE))
        return decibels
    valid = ~np.isnan(power)
    if form.quantity == "linear power":
        return np.where(valid, np.maximum(power, LOWER_SIGNAL_VALUE), np.float32(0))
    amplitude = np.sqrt(np.maximum(power, LOWER_SIGNAL_VALUE))
    if form.dtype == "float32":
        return np.where(valid, amplitude, np.float32(0))
    stored = np.clip(np.rint(amplitude / np.float32(form.scale)), 1, _LARGEST)
    return np.where(valid, stored, np.float32(0)).astype(np.uint16)


def decode(stored: NDArray[Any], form: ValueFormat) -> Float32:
    """Return the linear power that was stored, 0 for no data.

    Parameters
    ----------
    stored
        Values of a file.
    form
        Of the file.
    """
    if form.quantity == "decibels":
        power = np.power(np.float32(10), stored / np.float32(10))
        return np.asarray(np.nan_to_num(power, copy=False, nan=0.0))
    values = stored.astype(np.float32) * np.float32(form.scale)
    return values**2 if form.quantity == "amplitude" else values


def lower_signal_value(form: ValueFormat, *, is_rounded: bool) -> float:
    """Return what stands for a signal below the noise, in the unit of the file.

    Parameters
    ----------
    form
        Of the file.
    is_rounded
        Whether the file keeps only ``mantissa_bits`` of a float32.
    """
    lowest = encode(np.zeros((1, 1), np.float32), form)
    if is_rounded and form.mantissa_bits is not None:
        lowest = round_mantissa(lowest, form.mantissa_bits)
    return float(lowest[0, 0]) * form.scale
