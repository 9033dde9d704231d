"""Adaptive filtering of interferograms: windows of the spectrum raised to a power of themselves.

References
----------
Goldstein, R. M., and Werner, C. L. (1998), Radar interferogram filtering for geophysical
applications, Geophysical Research Letters 25(21), 4035-4038.
Baran, I., et al. (2003), A modification to the Goldstein radar interferogram filter, IEEE TGRS
41(9), 2114-2118.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft, ndimage

from algorithms.interferometry.model import Complex64, Float32

WINDOW = 32
STEP = 8
# Rows that are filtered together, in windows: the windows around a strip are filtered twice.
_STRIP_WINDOWS = 12


def goldstein(
    interferogram: Complex64,
    coherence: Float32,
    *,
    exponent: float | None = None,
    window: int = WINDOW,
    step: int = STEP,
) -> Complex64:
    """Filter the phase of an interferogram.

    Parameters
    ----------
    interferogram
        Complex, shape (row, column); 0 where there is none.
    coherence
        Of the ground (`unbiased_coherence`), 0 to 1, same shape; what is NaN counts as 0.
    exponent
        Of the spectrum, 0 (no filter) to 1. None follows Baran: 1 less the mean coherence of each
        window, so that noise is filtered and what is clear is left as it is.
    window, step
        Side of the windows and distance between them, cells, which divides it; triangular tapers
        make them join.

    Returns
    -------
    The magnitudes of the interferogram with the filtered phase; 0 where it is 0.
    """
    if window < 2 or not 1 <= step <= window // 2 or window % step != 0:
        raise ValueError(
            f"windows of {window} cells every {step}: steps that divide them, half a window at most"
        )
    windows = _Windows(window, step, exponent)
    found: Complex64 = np.empty_like(interferogram, np.complex64)
    rows = interferogram.shape[0]
    height = _STRIP_WINDOWS * window  # strips and windows begin at multiples of the step
    for top in range(0, rows, height):
        own = slice(top, min(top + height, rows))
        around = slice(max(top - window, 0), min(own.stop + window, rows))
        phase = windows.phase(interferogram[around], coherence[around])
        inner = slice(own.start - around.start, own.stop - around.start)
        found[own] = np.abs(interferogram[own]) * phase[inner]
    return found


class _Windows(NamedTuple):
    """The windows of a filter: side and distance, and the exponent of their spectra."""

    side: int
    step: int
    exponent: float | None

    def phase(self, interferogram: Complex64, coherence: Float32) -> Complex64:
        """Return the phasors of a filtered interferogram."""
        side, step = self.side, self.step
        rows, columns = interferogram.shape
        padding = [(side, side + -size % step) for size in interferogram.shape]
        padded = np.pad(_unit(interferogram), padding)
        known = np.pad(np.nan_to_num(coherence), padding)
        ramp = 1.0 - np.abs(np.arange(side) + 0.5 - side / 2) / (side / 2)
        taper = np.outer(ramp, ramp).astype(np.float32)
        total = np.zeros(padded.shape, np.complex64)
        for top in range(0, padded.shape[0] - side + 1, step):
            strip = padded[top : top + side]
            filtered = _filter_windows(
                np.moveaxis(sliding_window_view(strip, side, axis=1)[:, ::step], 1, 0),
                _exponents(known[top : top + side], strip, side, step, self.exponent),
            )
            for number, patch in enumerate(filtered):
                left = number * step
                total[top : top + side, left : left + side] += patch * taper
        return _unit(total[side : side + rows, side : side + columns])


def _unit(values: Complex64) -> Complex64:
    """Return the phasors, 0 where a value is 0 or not known."""
    magnitude = np.abs(values)
    known = magnitude > 0.0
    phasors: Complex64 = np.zeros_like(values)
    np.divide(values, magnitude, out=phasors, where=known)
    return phasors


def _exponents(
    coherence: Float32, strip: Complex64, window: int, step: int, exponent: float | None
) -> NDArray[np.float32]:
    """Return the exponent of each window of a strip."""
    number = (strip.shape[1] - window) // step + 1
    if exponent is not None:
        return np.full(number, exponent, np.float32)
    present = np.cumsum(np.concatenate([[0.0], (strip != 0.0).sum(axis=0)]))
    total = np.cumsum(np.concatenate([[0.0], (coherence * (strip != 0.0)).sum(axis=0)]))
    left = step * np.arange(number)
    count = present[left + window] - present[left]
    mean = (total[left + window] - total[left]) / np.maximum(count, 1.0)
    exponents: NDArray[np.float32] = (1.0 - np.clip(mean, 0.0, 1.0)).astype(np.float32)
    return exponents


def _filter_windows(windows: Complex64, exponents: NDArray[np.float32]) -> Complex64:
    """Weigh the spectra of windows by their own smoothed magnitude."""
    spectrum = fft.fft2(windows)
    magnitude = ndimage.uniform_filter(np.abs(spectrum), (0, 3, 3), mode="wrap")
    peak = np.maximum(magnitude.max(axis=(1, 2), keepdims=True), 1e-30)
    weighted = spectrum * (magnitude / peak) ** exponents[:, np.newaxis, np.newaxis]
    filtered: Complex64 = fft.ifft2(weighted).astype(np.complex64)
    return filtered
