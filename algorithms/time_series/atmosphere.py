"""What the air and the orbits add to interferograms.

The estimate is robust: ground that moves on a small part of the image keeps its motion.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.time_series.network import Float64

_ITERATIONS = 8
_TUKEY = 4.685  # 95 % efficient on Gaussian errors
_SIGMAS_OF_MEDIAN = 1.4826
# Pixels from which a trend is fitted at most: more tell nothing new.
_MOST = 20_000


def fitted_trend(image: NDArray[np.floating], basis: Float64) -> Float64:
    """Fit functions to an image: least squares with Tukey's biweight.

    Parameters
    ----------
    image
        Shape (row, column); NaN is missing.
    basis
        Functions, shape (term, row, column).

    Returns
    -------
    Coefficients, shape (term,).

    Raises
    ------
    ValueError
        When there are fewer than ten pixels a term.

    References
    ----------
    Doin et al., Journal of Applied Geophysics 69, 2009, section 4, for terms by the elevation.
    """
    is_used = np.isfinite(image) & np.isfinite(basis).all(axis=0)
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
