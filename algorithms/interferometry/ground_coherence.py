"""Coherence of the ground from cells: neighbouring cells joined until they have looks enough.

Cells of few looks have sample coherences that are too large, and no function of the sample mends
the low ones: of seven looks nothing coherent and a fifth coherent look alike. So neighbours are
joined first, by Gaussian weights just wide enough, and what bias is left is taken off afterwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, uniform_filter
from scipy.special import gammaln, hyp2f1, ive

from algorithms.interferometry.cells import Looks, PairCells
from algorithms.interferometry.coherence import independent_looks, unbiased_coherence
from algorithms.interferometry.model import Burst, Complex64, Float32
from algorithms.radar.grd import Float64

# From so many independent looks on, coherences of 0.2 and more are right within 0.007.
COHERENCE_LOOKS = 100.0
# Weights reach to so many standard deviations.
_REACH = 3.0
# Slopes of the phase come from so many standard deviations each way, of wide windows so many times
# their square: cells of few looks tell less. They count from twice their noise on.
_SLOPE_REACH = 8.0
_SLOPE_NOISE = 4.0  # of squares
_WIDEST = 64.0  # cells: that of cells of a single look needs 5
# Cells that are worked on together.
_STRIP_CELLS = 1 << 18
# Bessel functions want arguments that are not endless.
_LEAST_VARIANCE = 1e-7
# From here on so many terms give a hypergeometric function to the last digit.
_SERIES_FROM, _TERMS = 20.0, 64
# Looks at edges are told apart by steps of this factor.
_LOOKS_STEP = 1.1


@dataclass(frozen=True)
class CoherenceWindow:
    """How neighbouring cells are joined.

    Parameters
    ----------
    sigma
        Standard deviation of the Gaussian weights, cells; 0 for each cell alone.
    cell_looks, looks
        Independent looks of a cell, and of cells so joined.
    """

    sigma: float
    cell_looks: float
    looks: float

    @property
    def weights(self) -> Float64:
        """Weights along a row or a column, of sum 1."""
        return _gaussian(self.sigma)

    @property
    def slope_reach(self) -> int:
        """Cells each way that tell the slope of the phase."""
        return int(np.ceil(_SLOPE_REACH * self.sigma * max(self.sigma, 1.0)))


def coherence_window(burst: Burst, looks: Looks, least: float = COHERENCE_LOOKS) -> CoherenceWindow:
    """Return the narrowest window over cells of a burst that has enough independent looks.

    Parameters
    ----------
    burst
        Whose bandwidths say how many samples make a look.
    looks
        Of a cell.
    least
        Independent looks that are wanted; 1 takes every cell alone.
    """
    alone = independent_looks(burst, looks)
    if alone >= least:
        return CoherenceWindow(0.0, alone, alone)
    low, high = 0.0, _WIDEST
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        enough = independent_looks(burst, looks, _gaussian(middle)) >= least
        low, high = (low, middle) if enough else (middle, high)
    return CoherenceWindow(high, alone, independent_looks(burst, looks, _gaussian(high)))


def ground_coherence(cells: PairCells, windows: Sequence[tuple[slice, CoherenceWindow]]) -> Float32:
    """Return the coherence of the ground, without the bias of few looks.

    Cells weigh by their place alone, not by their power: a bright target does not lend its
    coherence to what is around. The phase may slope; it is straightened in every window.

    Parameters
    ----------
    cells
        Interferogram and powers.
    windows
        Columns of `cells`, and how cells are joined there.

    Returns
    -------
    0 to 1, shape of the cells, NaN where there is none.
    """
    found: Float32 = np.full(cells.interferogram.shape, np.nan, np.float32)
    for columns, window in windows:
        if window.sigma == 0.0:
            alone = _part(cells, (slice(None), columns)).coherence
            found[:, columns] = unbiased_coherence(alone, window.looks)
            continue
        for inner, outer, place in _strips(found.shape, columns, window):
            found[inner] = _joined(_normalised(_part(cells, outer)), window)[place]
    found[cells.reference_power == 0.0] = np.nan
    return found


Place = tuple[slice, slice]


def _strips(
    shape: tuple[int, ...], columns: slice, window: CoherenceWindow
) -> Iterator[tuple[Place, Place, Place]]:
    """Yield parts of the cells, what they need around, and where in that they lie."""
    margin = window.slope_reach + window.weights.size // 2 + 1
    left, right = max(columns.start - margin, 0), min(columns.stop + margin, shape[1])
    step = max(_STRIP_CELLS // max(right - left, 1), 2 * margin)
    for row in range(0, shape[0], step):
        stop = min(row + step, shape[0])
        top, bottom = max(row - margin, 0), min(stop + margin, shape[0])
        inside = slice(columns.start - left, columns.stop - left)
        yield (
            (slice(row, stop), columns),
            (slice(top, bottom), slice(left, right)),
            (slice(row - top, stop - top), inside),
        )


def _gaussian(sigma: float) -> Float64:
    """Return Gaussian weights of sum 1."""
    reach = int(np.ceil(_REACH * sigma))
    place = np.arange(-reach, reach + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (place / max(sigma, 1e-6)) ** 2)
    return np.asarray(weights / weights.sum())


def _part(cells: PairCells, place: Place) -> PairCells:
    """Return some rows and columns of cells."""
    return cells._replace(
        interferogram=cells.interferogram[place],
        reference_power=cells.reference_power[place],
        secondary_power=cells.secondary_power[place],
    )


def _normalised(cells: PairCells) -> Complex64:
    """Return complex coherences of cells, 0 where there is none."""
    power = np.sqrt(cells.reference_power) * np.sqrt(cells.secondary_power)
    phasors: Complex64 = np.zeros_like(cells.interferogram)
    np.divide(cells.interferogram, power, out=phasors, where=power > 0.0)
    return phasors


def _joined(phasors: Complex64, window: CoherenceWindow) -> Float32:
    """Return the coherence of the ground from complex coherences of cells."""
    weights = window.weights
    known = (phasors != 0.0).astype(np.float32)
    share = _weighed(known, weights)
    # Looks at edges: (sum w)**2 / sum w**2 of what is there.
    squares = weights**2 / np.sum(weights**2)
    present = share**2 / np.maximum(_weighed(known, squares), 1e-6)
    mean = np.abs(_straightened(phasors, window)) / np.maximum(share, 1e-6)
    classes = np.round(np.log(np.clip(present, 1e-3, 1.0)) / np.log(_LOOKS_STEP)).astype(np.int16)
    found: Float32 = np.zeros(mean.shape, np.float32)
    for number in np.unique(classes):
        number_of_cells = window.looks / window.cell_looks * _LOOKS_STEP ** float(number)
        expected, ground = _table(window.cell_looks, max(number_of_cells, 1.0))
        chosen = classes == number
        found[chosen] = np.interp(mean[chosen], expected, ground, left=0.0)
    return found


def _weighed(values: NDArray[np.float32], weights: Float64) -> Float32:
    """Sum values with weights along rows and columns; 0 beyond the edges."""
    rows = correlate1d(values, weights, axis=0, mode="constant")
    summed: Float32 = correlate1d(rows, weights, axis=1, mode="constant")
    return summed


def _straightened(phasors: Complex64, window: CoherenceWindow) -> Complex64:
    """Sum phasors with the weights of a window, the slope of their phase taken out."""
    weights = window.weights.astype(np.float32)
    middle = weights.size // 2
    summed = phasors
    for axis, slope in enumerate(_slopes(phasors, window.slope_reach)):
        turn = np.exp(np.complex64(-1j) * slope)
        turned = np.ones_like(turn)
        line = np.moveaxis(summed, axis, 0)
        total = weights[middle] * line
        for distance in range(1, middle + 1):
            turned *= turn
            turns = np.moveaxis(turned, axis, 0)
            weight = weights[middle + distance]
            total[:-distance] += weight * line[distance:] * turns[:-distance]
            total[distance:] += weight * line[:-distance] * turns[distance:].conj()
        summed = np.moveaxis(total, 0, axis)
    return summed


def _slopes(phasors: Complex64, reach: int) -> tuple[Float32, Float32]:
    """Return the slopes of the phase along columns and rows, radians a cell."""
    return _slope(phasors, reach), _slope(phasors.T, reach).T


def _slope(phasors: Complex64, reach: int) -> Float32:
    """Return the slope along the first axis, drawn to 0 where noise is as strong."""
    side = 2 * reach + 1
    steps: Complex64 = np.zeros_like(phasors)
    np.multiply(phasors[1:], phasors[:-1].conj(), out=steps[:-1])
    mean = uniform_filter(steps, side, mode="constant")
    power = uniform_filter(np.abs(steps) ** 2, side, mode="constant")
    square = np.maximum(np.abs(mean) ** 2, np.float32(1e-12))
    belief = np.maximum(1.0 - _SLOPE_NOISE / side**2 * power / square, 0.0)
    slope: Float32 = (np.angle(mean) * belief).astype(np.float32)
    return slope


@lru_cache(maxsize=256)
def _table(cell_looks: float, count: float) -> tuple[Float64, Float64]:
    """Return magnitudes of means of cells, rising, and the coherence of the ground for each.

    The ground whose mean magnitude is the one found, less what that is off by on average where
    the ground is so coherent: magnitudes scatter, and the curve is bent at low ones.
    """
    ground, expected = expected_magnitude(cell_looks, count)
    mean, variance = _moments(ground, cell_looks, count)
    deviation = np.sqrt(0.5 * variance)[:, np.newaxis]
    centre = mean[:, np.newaxis] / deviation
    # Rice's density in deviations, from 8 below to 8 above.
    place = np.maximum(centre + np.linspace(-8.0, 8.0, 321), 0.0)
    density = place * np.exp(-0.5 * (place - centre) ** 2) * ive(0, place * centre)
    found = np.interp(place * deviation, expected, ground, left=0.0)
    off = np.sum(density * found, axis=1) / np.sum(density, axis=1) - ground
    return expected, np.maximum.accumulate(np.clip(ground - off, 0.0, 1.0))


def expected_magnitude(cell_looks: float, count: float) -> tuple[Float64, Float64]:
    """Return coherences of the ground, and the mean magnitudes of their means of cells.

    Parameters
    ----------
    cell_looks
        Independent looks of a cell.
    count
        Independent cells that a mean is of.

    Notes
    -----
    The complex coherence c of a cell of L looks has, for a ground of coherence g,

        E c      = g Gamma(L + 1/2)**2 / (Gamma(L) Gamma(L + 1)) F(1/2, 1/2; L + 1; g**2)
        E |c|**2 = 1 - (L - 1) / L (1 - g**2) F(1, 1; L + 1; g**2)

    so that the mean of N cells has the mean E c and the variance (E |c|**2 - (E c)**2) / N, and
    its magnitude is distributed as Rice's, very nearly.

    References
    ----------
    Touzi, R., et al. (1999), Coherence estimation for SAR imagery, IEEE TGRS 37(1), 135-149.
    Rice, S. O. (1945), Mathematical analysis of random noise, Bell System Technical Journal 24,
    section 3.10.
    """
    ground = np.sin(np.linspace(0.0, 0.5 * np.pi, 129))
    mean, variance = _moments(ground, cell_looks, count)
    ratio = 0.5 * mean**2 / variance
    magnitude = (1.0 + 2.0 * ratio) * ive(0, ratio) + 2.0 * ratio * ive(1, ratio)
    return ground, 0.5 * np.sqrt(np.pi * variance) * magnitude


def _moments(ground: Float64, looks: float, count: float) -> tuple[Float64, Float64]:
    """Return mean and variance of means of cells."""
    square = ground**2
    mean = ground * _hypergeometric(0.5, looks + 1.0, square)
    mean *= np.exp(2.0 * gammaln(looks + 0.5) - gammaln(looks) - gammaln(looks + 1.0))
    power = 1.0 - (looks - 1.0) / looks * (1.0 - square) * _hypergeometric(1.0, looks + 1.0, square)
    return mean, np.maximum((power - mean**2) / count, _LEAST_VARIANCE)


def _hypergeometric(a: float, c: float, z: Float64) -> Float64:
    """Return F(a, a; c; z) for a of 1 at most and z from 0 to 1."""
    if c < _SERIES_FROM:
        return np.asarray(hyp2f1(a, a, c, z), np.float64)
    # SciPy overflows near z = 1 from c = 100 on; there some terms of the series are all of it.
    n = np.arange(_TERMS)
    terms = np.cumprod((a + n) ** 2 / ((c + n) * (n + 1.0)))
    return np.asarray(polynomial.polyval(z, np.append(1.0, terms)), np.float64)
