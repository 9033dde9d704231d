"""What a resampled secondary lies off the reference, by the speckle that both have in common.

Spectral diversity knows lines a hundred times better but up to whole ambiguities only, and nothing
of samples: this checks the one and measures the other. Orbits are good to some hundredths of a
sample, which costs no coherence; more than that says that something is wrong.
"""

from typing import NamedTuple

import numpy as np

from algorithms.correlation import CorrelationSettings, correlate
from algorithms.correlation.images import Image
from algorithms.interferometry.model import Complex64, Float32

_WINDOW, _STEP = 31, 32
_LEAST_NODES = 8
# A standard deviation in median absolute deviations, and the error of a median in that of a mean.
_SCALE, _MEDIAN = 1.4826, 1.2533


class AmplitudeShift(NamedTuple):
    """By how much the secondary lies later and farther, in lines and samples, with its error."""

    line: float
    sample: float
    standard_error: float
    nodes: int


def amplitude_shift(
    reference: Complex64, resampled: Complex64, *, threads: int = 1
) -> AmplitudeShift | None:
    """Measure the mean shift of a secondary on the pixels of the reference.

    Parameters
    ----------
    reference, resampled
        Shape (line, sample), 0 without data. Some hundred lines of a burst are enough.
    threads
        Parts worked on at once.

    Returns
    -------
    None when too few windows resemble each other: what is not coherent has no common speckle.
    Interpolation of amplitudes, which lines and samples do not quite resolve, adds a hundredth.
    """
    settings = CorrelationSettings(
        window=_WINDOW,
        step=_STEP,
        max_displacement=2.0,
        least_correlation=0.3,
        largest_sigma=0.5,
    )
    first, second = (Image(_amplitude(pixels)) for pixels in (reference, resampled))
    field = correlate(first, second, settings, threads=threads)
    known = np.isfinite(field.dx)
    if np.count_nonzero(known) < _LEAST_NODES:
        return None
    line, sample = (float(np.median(part[known])) for part in (field.dy, field.dx))
    spread = _SCALE * max(
        float(np.median(np.abs(part[known] - middle)))
        for part, middle in ((field.dy, line), (field.dx, sample))
    )
    nodes = int(np.count_nonzero(known))
    return AmplitudeShift(line, sample, _MEDIAN * spread / float(np.sqrt(nodes)), nodes)


def _amplitude(pixels: Complex64) -> Float32:
    """Return amplitudes, NaN without data."""
    amplitude: Float32 = np.abs(pixels)
    amplitude[amplitude == 0.0] = np.nan
    return amplitude
