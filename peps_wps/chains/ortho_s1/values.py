"""From linear power to the values of a file, as the order's format has them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peps_wps.writers.cog import OverviewRule

Float32 = NDArray[np.float32]

# The smallest value written, so that 0 stays no data: 1e-7 rounded up to 10 bits of mantissa.
LOWER_SIGNAL_VALUE = np.float32(1.00023e-07)
AMPLITUDE_SCALE = 1e-4  # of uint16
_LARGEST = 65535


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
    """

    dtype: str
    nodata: float
    scale: float
    quantity: str
    overview: OverviewRule


def value_format(name: str, calibration: str) -> ValueFormat:
    """Return the format of a file; digital numbers are amplitudes, everything else is power."""
    if name == "float32_db":
        return ValueFormat("float32", float("nan"), 1.0, "decibels", "mean_db")
    if name == "uint16":
        scale = 1.0 if calibration == "dn" else AMPLITUDE_SCALE
        return ValueFormat("uint16", 0.0, scale, "amplitude", "rms")
    if calibration == "dn":
        return ValueFormat("float32", 0.0, 1.0, "amplitude", "rms")
    return ValueFormat("float32", 0.0, 1.0, "linear power", "mean")


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
