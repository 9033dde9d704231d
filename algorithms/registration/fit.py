"""A model through tie points of which many may be false.

Least median of squares over random small samples (Rousseeuw, JASA 79(388), 1984) finds what most
points agree on; from there least squares are reweighted by Tukey's biweight, whose weight of a far
point is zero: such a point has no influence at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.registration.model import TERMS, Kind, Model, terms_at
from algorithms.registration.tie_points import Matches

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

# With half of the points false, one in two to the power of its size is sound: so many of them.
_SOUND_SAMPLES = 16
_SCORED = 500  # points that tell which sample is best
_SEED = 20_240_612  # the same points give the same model
_ITERATIONS = 50
_TOLERANCE = 1e-6  # pixels
# Median of the length of a Gaussian error in two dimensions, standard deviations of a component.
_MEDIAN_LENGTH = 1.1774
_TUKEY = 4.685
# Of the singular values of normal equations; what is rounded grows by its inverse: 1e-6 pixels.
_ALIKE = 1e-10
_LEAST_SCATTER = 1e-4  # pixels: below what any two images tell


@dataclass(frozen=True)
class Fit:
    """A model and how the points follow it.

    Parameters
    ----------
    model
        The model.
    residual_y, residual_x
        Shape (point,), pixels.
    scatter
        Standard deviation of a component of the points that follow the model, pixels.
    covariance
        Of the coefficients of a component, pixels squared.
    independent
        Share of the points that would tell as much if their windows had no pixel in common, 0 to 1.
    """

    model: Model
    residual_y: Float64
    residual_x: Float64
    scatter: float
    covariance: Float64
    independent: float

    @property
    def is_used(self) -> Mask:
        """Which points have any weight."""
        return np.asarray(self.length < _TUKEY * self.scatter)

    @property
    def length(self) -> Float64:
        """Length of the residuals, pixels."""
        return np.asarray(np.hypot(self.residual_y, self.residual_x))

    def error_at(self, row: Float64, column: Float64) -> Float64:
        """Return the standard error of a component of the model at pixels, pixels."""
        model = self.model
        terms = terms_at(model.kind, row, column, model.centre, model.span)
        return np.asarray(np.sqrt(np.einsum("ip,ij,jp->p", terms, self.covariance, terms)))

    def criterion(self, scatter: float) -> float:
        """Return the Bayesian information criterion, its likelihood by the biweight.

        Parameters
        ----------
        scatter
            That all models are judged by, pixels.
        """
        far = np.minimum(self.length / (_TUKEY * scatter), 1.0)
        misfit = _TUKEY**2 / 3.0 * np.sum(1.0 - (1.0 - far**2) ** 3)
        count = self.independent * far.size
        return float(self.independent * misfit + 2 * TERMS[self.model.kind] * np.log(2 * count))


def fit(
    kind: Kind,
    matches: Matches,
    centre: tuple[float, float],
    span: float,
    *,
    independent: float = 1.0,
) -> Fit:
    """Lay a model through points.

    Parameters
    ----------
    kind
        How it may vary.
    matches
        At least as many points as the model has terms.
    centre, span
        By which places are normalised.
    independent
        As of `Fit`.
    """
    terms = terms_at(kind, matches.row, matches.column, centre, span).T
    values = np.column_stack([matches.dy, matches.dx])
    solution = _least_median(terms, values)
    scatter = _scatter(terms, values, solution)
    weights = np.ones(len(values))
    for _ in range(_ITERATIONS):
        before = solution
        length = np.hypot(*(values - terms @ solution).T)
        weights = np.maximum(1.0 - (length / (_TUKEY * scatter)) ** 2, 0.0) ** 2
        solution = _least_squares(terms, values, weights)
        scatter = _scatter(terms, values, solution)
        if np.abs(solution - before).max() < _TOLERANCE:
            break
    residual = values - terms @ solution
    normal, _ = _normal(terms, values, weights)
    covariance = np.asarray(scatter**2 / independent * np.linalg.pinv(normal))
    dy, dx = (tuple(float(value) for value in part) for part in solution.T)
    model = Model(kind, centre, span, dy, dx)
    return Fit(model, residual[:, 0], residual[:, 1], scatter, covariance, independent)


def _least_squares(terms: Float64, values: Float64, weights: Float64) -> Float64:
    """Return the solution of weighted least squares.

    Normal equations tell terms apart at a tenth of the cost, but not those of points that lie in a
    narrow strip.
    """
    normal, product = _normal(terms, values, weights)
    solution, _, _, singular = np.linalg.lstsq(normal, product, rcond=None)
    if singular[-1] < _ALIKE * singular[0]:
        root = np.sqrt(weights)[:, None]
        solution = np.linalg.lstsq(terms * root, values * root, rcond=None)[0]
    return np.asarray(solution, np.float64)


def _normal(terms: Float64, values: Float64, weights: Float64) -> tuple[Float64, Float64]:
    """Return the matrix and the right side of the weighted normal equations.

    Not by products of matrices: those wake threads that take more time than they save.
    """
    weighed = weights[:, None] * terms
    return np.einsum("pi,pj->ij", weighed, terms), np.einsum("pi,pj->ij", weighed, values)


def _least_median(terms: Float64, values: Float64) -> Float64:
    """Return the solution through a small sample that half of the points are nearest to."""
    rng = np.random.default_rng(_SEED)
    count, size = terms.shape
    samples = rng.integers(0, count, (_SOUND_SAMPLES << size, size))
    solutions = np.linalg.pinv(terms[samples]) @ values[samples]
    scored = np.arange(count) if count <= _SCORED else rng.choice(count, _SCORED, replace=False)
    misfit = values[scored] - terms[scored] @ solutions
    squared = np.einsum("sij,sij->si", misfit, misfit)
    best = np.argmin(np.median(squared, axis=1))
    return np.asarray(solutions[best], np.float64)


def _scatter(terms: Float64, values: Float64, solution: Float64) -> float:
    """Return the standard deviation of the points that follow a solution, from their median.

    The median of all is too much where many are false: those far from it are left out until
    nothing changes.
    """
    length = np.sort(np.hypot(*(values - terms @ solution).T))
    freedom = length.size / max(length.size - terms.shape[1], 1)
    count = length.size
    while True:
        median = 0.5 * (length[(count - 1) // 2] + length[count // 2])
        scatter = max(float(median / _MEDIAN_LENGTH * freedom), _LEAST_SCATTER)
        near = int(np.searchsorted(length, _TUKEY * scatter))
        if near >= count or near < length.size // 2:
            return scatter
        count = near
