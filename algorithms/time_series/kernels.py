"""Least squares of one pixel after another: a small matrix, factorised where it changes.

Unknown of a pixel are the values of all dates but the first, which is zero, then the terms of the
model. Rows of the lower triangle are kept from their first entry on: dates are in order of time and
pairs are short, so few entries lie in a row, and those of the model come last.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

# Of a term's own entry, what must be left of it once all else is known: less is rounding.
_LEAST_PIVOT = 1e-7


class System(NamedTuple):
    """What all pixels share.

    Parameters
    ----------
    pairs
        Indexes of the dates of each pair, shape (pair, 2).
    terms
        The model at each date, shape (date, term), columns of like size.
    starts
        First entry of each row of the matrix, shape (unknown,).
    gamma
        Weight of the model against the mean weight of a pair.
    iterations
        How often pairs are weighted again by their residuals.
    scale
        Residual beyond which a pair loses weight, units of the observations.
    is_phase
        Observations are radians: temporal coherence is wanted.
    """

    pairs: Int32
    terms: Float64
    starts: Int32
    gamma: float
    iterations: int
    scale: float
    is_phase: bool


class Solved(NamedTuple):
    """Filled in by `solve_pixels`: values of the dates, terms and their errors, by pixel.

    Parameters
    ----------
    values
        Of each date, shape (pixel, date).
    terms, sigmas
        Of the model, and their standard errors, shape (pixel, term); NaN errors where no date is
        left to tell them.
    coherence, residual
        Temporal coherence, and root mean square of the pairs' residuals, shape (pixel,).
    parts
        Parts of the network that the model ties, shape (pixel,); 0 where there is no answer.
    """

    values: Float32
    terms: Float32
    sigmas: Float32
    coherence: Float32
    residual: Float32
    parts: Int32


class Work(NamedTuple):
    """What of one pixel is kept between the steps.

    Parameters
    ----------
    own
        Weights of its pairs, 0 where it has none.
    matrix
        Normal matrix, then its Cholesky factor: the lower triangle.
    unknown
        Dates but the first, then terms.
    residuals
        What pairs differ from their dates.
    """

    own: Float64
    matrix: Float64
    unknown: Float64
    residuals: Float64


@compiled
def solve_pixels(
    observed: Float32,
    weights: Float32,
    order: Int64,
    pattern: Int64,
    system: System,
    solved: Solved,
) -> None:
    """Solve the pixels of a block.

    Parameters
    ----------
    observed
        Second date less first of each pair, shape (pixel, pair); NaN is missing.
    weights
        Inverse variances up to a factor, shape (pixel, pair), or (1, pair) for all pixels.
    order, pattern
        In which order pixels are solved, and a number that those of one matrix share, (pixel,).
    system
        What all share.
    solved
        Filled in; NaN where a pixel has no answer.
    """
    work = _work(system)
    last, parts, gamma, is_solvable = np.int64(-1), 0, 0.0, False
    for pixel in order:
        given = weights[pixel if weights.shape[0] > 1 else 0]
        if pattern[pixel] != last:
            last = pattern[pixel]
            gamma = system.gamma * _own_weights(observed[pixel], given, work.own)
            parts = _parts(work.own, system)
            is_solvable = gamma > 0.0 and _factorise(gamma, system, work)
        if not is_solvable:
            _leave(pixel, solved)
            continue
        _solve(observed[pixel], system, work)
        largest = _residuals(observed[pixel], system, work)
        if system.iterations > 0 and largest > system.scale:
            last = np.int64(-1)
            _improve(observed[pixel], given, gamma, system, work)
        _put(pixel, parts, gamma, system, work, solved)


@compiled
def _work(system: System) -> Work:
    unknown, pairs = system.starts.size, len(system.pairs)
    return Work(np.empty(pairs), np.zeros((unknown, unknown)), np.empty(unknown), np.empty(pairs))


@compiled
def _own_weights(observed: Float32, given: Float32, own: Float64) -> float:
    """Fill the weights of what a pixel has, 0 where it has nothing; return their mean."""
    total, count = 0.0, 0
    for k in range(own.size):
        own[k] = 0.0
        if given[k] > 0.0 and not math.isnan(observed[k]):
            own[k] = given[k]
            total += given[k]
            count += 1
    return total / count if count > 0 else 0.0


@compiled
def _improve(observed: Float32, given: Float32, gamma: float, system: System, work: Work) -> None:
    """Solve again and again with weights that large residuals lower."""
    own, residuals = work.own, work.residuals
    for _ in range(system.iterations):
        for k in range(own.size):
            if own[k] > 0.0:
                own[k] = given[k] / math.sqrt(1.0 + (residuals[k] / system.scale) ** 2)
        _factorise(gamma, system, work)
        _solve(observed, system, work)
        _residuals(observed, system, work)


@compiled
def _parts(own: Float64, system: System) -> int:
    """Return into how many parts the pairs of a pixel leave the dates."""
    dates = system.terms.shape[0]
    parent = np.arange(dates)
    parts = int(dates)
    for k in range(own.size):
        if own[k] <= 0.0:
            continue
        one, other = system.pairs[k, 0], system.pairs[k, 1]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one != other:
            parent[max(one, other)] = min(one, other)
            parts -= 1
    return parts


@compiled
def _factorise(gamma: float, system: System, work: Work) -> bool:
    """Fill the matrix and replace it by its Cholesky factor; False where it has none."""
    matrix, starts = work.matrix, system.starts
    _assemble_model(gamma, system, matrix)
    _add_pairs(work.own, system, matrix)
    for i in range(starts.size):
        row = matrix[i]
        entry = row[i]
        for j in range(starts[i], i):
            other = matrix[j]
            total = row[j]
            for k in range(max(starts[i], starts[j]), j):
                total -= row[k] * other[k]
            total /= other[j]
            row[j] = total
        pivot = entry
        for k in range(starts[i], i):
            pivot -= row[k] * row[k]
        if not pivot > _LEAST_PIVOT * min(entry, gamma):
            return False
        row[i] = math.sqrt(pivot)
    return True


@compiled
def _assemble_model(gamma: float, system: System, matrix: Float64) -> None:
    """Fill the lower triangle of the normal matrix with what the model gives to it."""
    dates, terms = system.terms.shape
    for i in range(dates - 1):
        matrix[i, system.starts[i] : i] = 0.0
        matrix[i, i] = gamma
        for p in range(terms):
            matrix[dates - 1 + p, i] = -gamma * system.terms[i + 1, p]
    for p in range(terms):
        for q in range(p + 1):
            total = 0.0
            for n in range(dates):
                total += system.terms[n, p] * system.terms[n, q]
            matrix[dates - 1 + p, dates - 1 + q] = gamma * total


@compiled
def _add_pairs(own: Float64, system: System, matrix: Float64) -> None:
    """Add what pairs give to it."""
    for k in range(own.size):
        if own[k] > 0.0:
            one, other = system.pairs[k, 0] - 1, system.pairs[k, 1] - 1
            if one >= 0:
                matrix[one, one] += own[k]
            if other >= 0:
                matrix[other, other] += own[k]
            if min(one, other) >= 0:
                matrix[max(one, other), min(one, other)] -= own[k]


@compiled
def _solve(observed: Float32, system: System, work: Work) -> None:
    """Solve for the unknown with the factor of the matrix."""
    own, factor, unknown, starts = work.own, work.matrix, work.unknown, system.starts
    unknown[:] = 0.0
    for k in range(own.size):
        if own[k] > 0.0:
            one, other = system.pairs[k, 0] - 1, system.pairs[k, 1] - 1
            if one >= 0:
                unknown[one] -= own[k] * observed[k]
            if other >= 0:
                unknown[other] += own[k] * observed[k]
    for i in range(starts.size):
        total = unknown[i]
        for k in range(starts[i], i):
            total -= factor[i, k] * unknown[k]
        unknown[i] = total / factor[i, i]
    for i in range(starts.size - 1, -1, -1):
        unknown[i] /= factor[i, i]
        for k in range(starts[i], i):
            unknown[k] -= factor[i, k] * unknown[i]


@compiled
def _residuals(observed: Float32, system: System, work: Work) -> float:
    """Fill what pairs differ from their dates; return the largest, without sign."""
    own, unknown, residuals = work.own, work.unknown, work.residuals
    largest = 0.0
    for k in range(own.size):
        residuals[k] = 0.0
        if own[k] > 0.0:
            one, other = system.pairs[k, 0] - 1, system.pairs[k, 1] - 1
            value = np.float64(observed[k])
            if other >= 0:
                value -= unknown[other]
            if one >= 0:
                value += unknown[one]
            residuals[k] = value
            largest = max(largest, abs(value))
    return largest


@compiled
def _put(pixel: int, parts: int, gamma: float, system: System, work: Work, solved: Solved) -> None:
    """Store the answer of a pixel."""
    own, unknown, residuals = work.own, work.unknown, work.residuals
    dates, terms = system.terms.shape
    solved.values[pixel, 0] = 0.0
    for n in range(1, dates):
        solved.values[pixel, n] = unknown[n - 1]
    for p in range(terms):
        solved.terms[pixel, p] = unknown[dates - 1 + p]
    solved.parts[pixel] = parts
    _put_errors(pixel, parts, gamma, system, work, solved)
    squares, count, cosines, sines = 0.0, 0, 0.0, 0.0
    for k in range(own.size):
        if own[k] > 0.0:
            squares += residuals[k] * residuals[k]
            count += 1
            if system.is_phase:
                cosines += math.cos(residuals[k])
                sines += math.sin(residuals[k])
    solved.residual[pixel] = math.sqrt(squares / count)
    solved.coherence[pixel] = math.hypot(cosines, sines) / count if system.is_phase else math.nan


@compiled
def _put_errors(
    pixel: int, parts: int, gamma: float, system: System, work: Work, solved: Solved
) -> None:
    """Store the standard errors of the terms: dates scatter about the model independently.

    The last rows of the factor are that of what the dates tell of the terms, parts that float
    freely allowed for; its inverse times the scatter is the covariance.
    """
    factor, unknown = work.matrix, work.unknown
    dates, terms = system.terms.shape
    squares = 0.0
    for n in range(dates):
        value = unknown[n - 1] if n > 0 else 0.0
        for p in range(terms):
            value -= system.terms[n, p] * unknown[dates - 1 + p]
        squares += value * value
    freedom = dates - terms - (parts - 1)
    column = np.empty(terms)
    for p in range(terms):
        solved.sigmas[pixel, p] = math.nan
        if freedom > 0:
            total = 0.0
            for i in range(p, terms):
                value = 1.0 if i == p else 0.0
                for k in range(p, i):
                    value -= factor[dates - 1 + i, dates - 1 + k] * column[k]
                column[i] = value / factor[dates - 1 + i, dates - 1 + i]
                total += column[i] * column[i]
            solved.sigmas[pixel, p] = math.sqrt(gamma * total * squares / freedom)


@compiled
def _leave(pixel: int, solved: Solved) -> None:
    """Store that a pixel has no answer."""
    solved.values[pixel] = math.nan
    solved.terms[pixel] = math.nan
    solved.sigmas[pixel] = math.nan
    solved.coherence[pixel] = math.nan
    solved.residual[pixel] = math.nan
    solved.parts[pixel] = 0
