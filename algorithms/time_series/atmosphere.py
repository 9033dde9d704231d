"""What the air and the orbits add to interferograms or to dates, estimated and taken off.

Every estimate is robust: ground that moves on a small part of the image keeps its motion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from algorithms.time_series.network import DAYS_A_YEAR, Float64, Network

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

_ITERATIONS = 8
_TUKEY = 4.685  # 95 % efficient on Gaussian errors
_SIGMAS_OF_MEDIAN = 1.4826
# Pixels from which a trend is fitted at most: more tell nothing new.
_MOST = 20_000


@dataclass(frozen=True)
class Trend:
    """What is fitted to an image: an offset always.

    Parameters
    ----------
    planes
        What changes evenly along rows and columns: orbits, and the widest of the air.
    elevation
        Heights, metres, shape (row, column): the stratified air; None leaves it out.
    stable
        Where ground is still; None where nobody knows: the majority is then taken for it.
    """

    planes: bool = True
    elevation: Float32 | None = None
    stable: Mask | None = None

    def basis(self, shape: tuple[int, int]) -> Float64:
        """Return the functions that are fitted, of like size, shape (term, row, column)."""
        row, column = np.indices(shape, np.float64)
        terms = [np.ones(shape)]
        if self.planes:
            terms += [row / max(shape[0], 1) - 0.5, column / max(shape[1], 1) - 0.5]
        if self.elevation is not None:
            if self.elevation.shape != shape:
                raise ValueError(f"elevation has shape {self.elevation.shape}, expected {shape}")
            terms.append(self.elevation.astype(np.float64) / 1_000.0)
        return np.stack(terms)


def trend_of_network(observed: NDArray[np.floating], net: Network, trend: Trend) -> Float32:
    """Return the trends of pairs that agree with a trend of each date.

    Parameters
    ----------
    observed
        Pairs, shape (pair, row, column), any unit; NaN is missing.
    net
        Their dates.
    trend
        What is fitted to each pair.

    Returns
    -------
    What is to be subtracted, of the shape of `observed`: the trend of the second date less that of
    the first, so that triangles close as they did. The offset, which a reference settles, is not
    in it.

    Raises
    ------
    ValueError
        When a pair has fewer pixels than a fit needs.

    References
    ----------
    Biggs, Wright, Lu & Parsons, Geophysical Journal International 170, 2007, section 3.2, for the
    network; Doin et al., Journal of Applied Geophysics 69, 2009, section 4, for elevations.
    """
    shape = observed.shape[1], observed.shape[2]
    basis = trend.basis(shape)
    fitted = np.array([fitted_trend(image, basis, trend.stable) for image in observed])
    incidence = net.incidence()
    dates = np.linalg.lstsq(incidence, fitted, rcond=None)[0]
    agreed = (incidence @ dates)[:, 1:]
    return np.tensordot(agreed, basis[1:], axes=1).astype(np.float32)


def fitted_trend(
    image: NDArray[np.floating], basis: Float64, stable: Mask | None = None
) -> Float64:
    """Fit functions to an image: least squares with Tukey's biweight.

    Parameters
    ----------
    image
        Shape (row, column); NaN is missing.
    basis
        Functions, shape (term, row, column).
    stable
        Where ground is still.

    Returns
    -------
    Coefficients, shape (term,).

    Raises
    ------
    ValueError
        When there are fewer than ten pixels a term.
    """
    is_used = np.isfinite(image) & np.isfinite(basis).all(axis=0)
    if stable is not None:
        is_used &= stable
    place = np.flatnonzero(is_used)
    if place.size < 10 * len(basis):
        raise ValueError(f"{place.size} pixels are too few for a trend of {len(basis)} terms")
    place = place[:: -(-place.size // _MOST)]
    values = image.ravel()[place].astype(np.float64)
    design = basis.reshape(len(basis), -1)[:, place].T
    weights = np.ones_like(values)
    solution: NDArray[np.floating] = np.zeros(len(basis))
    for _ in range(_ITERATIONS):
        weighted = design * weights[:, None]
        solution = np.linalg.lstsq(weighted.T @ design, weighted.T @ values, rcond=None)[0]
        residual = values - design @ solution
        scale = _SIGMAS_OF_MEDIAN * np.median(np.abs(residual))
        if scale == 0.0:
            break
        weights = np.maximum(1.0 - (residual / (_TUKEY * scale)) ** 2, 0.0) ** 2
    return np.asarray(solution, np.float64)


def turbulent_delay(
    residual: Float32, net: Network, *, smooth_days: float = 60.0, smooth_pixels: float = 10.0
) -> Float32:
    """Return what of a series changes from date to date and is smooth on the ground: the air.

    Parameters
    ----------
    residual
        Displacement of dates less a model of it, shape (date, row, column); NaN is no answer.
    net
        The dates.
    smooth_days, smooth_pixels
        Standard deviations of the Gaussians: what is slower than the first is ground, what is
        smaller than the second is noise.

    Returns
    -------
    What is to be subtracted; zero at the first date, NaN where the series is.

    References
    ----------
    Ferretti, Prati & Rocca, IEEE TGRS 38(5), 2000, section III: high-pass in time, then low-pass
    in space.
    """
    days = DAYS_A_YEAR * net.years
    weights = np.exp(-0.5 * ((days[:, None] - days[None, :]) / smooth_days) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    quick = residual - np.tensordot(weights, residual, axes=1)
    air = np.stack([_low_pass(image, smooth_pixels) for image in quick])
    return np.asarray(air - air[0], np.float32)


def _low_pass(image: NDArray[np.floating], sigma: float) -> Float64:
    """Smooth an image with a Gaussian that gaps take no part in; gaps stay."""
    known = np.isfinite(image)
    values = ndimage.gaussian_filter(np.where(known, image, 0.0), sigma)
    share = ndimage.gaussian_filter(known.astype(np.float64), sigma)
    return np.where(known, values / np.maximum(share, 1e-6), np.nan)
