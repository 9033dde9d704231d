"""Least squares of one pixel after another: a small matrix, factorised where it changes.

Unknown of a pixel are the values of its dates, then the terms of the model; the first date is zero.
Rows of the lower triangle are kept from their first entry on: dates are in order of time and pairs
are short, so few entries lie in a row, and those of the model come last.
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
        Indexes of the earlier and the later date of each pair, shape (pair, 2).
    terms
        The model at each date, shape (date, term), columns of like size.
    starts
        First entry of each row of the matrix, shape (unknown,); none is in the column of the first
        date.
    gamma
        Weight of the model against the mean weight of a pair.
    iterations
        How often pairs are weighted again by their residuals.
    scale
        Residual beyond which a pair loses weight, units of the observations.
    cycle
        What observations may be wrong by, any whole number of times; 0 where by anything.
    """

    pairs: Int32
    terms: Float64
    starts: Int32
    gamma: float
    iterations: int
    scale: float
    cycle: float


class Solved(NamedTuple):
    """Filled in by `solve_pixels`; NaN where there is no answer.

    Parameters
    ----------
    values
        Of each date, shape (pixel, date).
    terms, sigmas
        Of the model, and their standard errors, shape (pixel, term); NaN errors where no date is
        left to tell them.
    residuals
        What pairs differ from their dates, shape (pixel, pair).
    parts
        Parts of the network that the model ties, shape (pixel,); 0 where there is no answer.
    """

    values: Float32
    terms: Float32
    sigmas: Float32
    residuals: Float32
    parts: Int32


class Work(NamedTuple):
    """What of one pixel is kept between the steps.

    Parameters
    ----------
    given, own
        Weights of its pairs as given and as lowered, 0 where it has none.
    observed
        Its pairs, 0 where it has none.
    matrix
        Normal matrix, then its Cholesky factor: the lower triangle.
    unknown
        Dates, then terms.
    residuals
        What pairs differ from their dates, 0 where it has none.
    """

    given: Float64
    own: Float64
    observed: Float64
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
        Later date less earlier of each pair, shape (pixel, pair); NaN is missing.
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
        mean = _take(observed[pixel], given, work)
        if pattern[pixel] != last:
            last = pattern[pixel]
            gamma = system.gamma * mean
            parts = _parts(work.own, system)
            is_solvable = gamma > 0.0 and _factorise(gamma, system, work)
        if not is_solvable:
            _leave(pixel, solved)
            continue
        largest = _solve(system, work)
        if system.iterations > 0 and largest > system.scale:
            last = np.int64(-1)
            _improve(gamma, system, work)
        _put(pixel, parts, gamma, system, work, solved)


@compiled
def _work(system: System) -> Work:
    unknown, pairs = system.starts.size, len(system.pairs)
    return Work(
        np.empty(pairs),
        np.empty(pairs),
        np.empty(pairs),
        np.zeros((unknown, unknown)),
        np.zeros(unknown),
        np.empty(pairs),
    )


@compiled
def _take(observed: Float32, weights: Float32, work: Work) -> float:
    """Take the pairs of a pixel and their weights; return the mean of those that it has."""
    total, count = 0.0, 0
    for k in range(observed.size):
        has = weights[k] > 0.0 and not math.isnan(observed[k])
        work.observed[k] = observed[k] if has else 0.0
        work.given[k] = work.own[k] = weights[k] if has else 0.0
        total += work.own[k]
        count += has
    return total / count if count > 0 else 0.0


@compiled
def _improve(gamma: float, system: System, work: Work) -> None:
    """Solve again and again with weights that large residuals lower.

    A cycle is as wrong in a pair of little noise: all weigh the same until it is found.
    """
    inverse, mean = 1.0 / system.scale, gamma / system.gamma
    if system.cycle > 0.0:
        work.residuals[:] = 0.0
    for _ in range(system.iterations):
        for k in range(work.own.size):
            weight = work.given[k]
            if weight > 0.0 and system.cycle > 0.0:
                weight = mean
            ratio = work.residuals[k] * inverse
            work.own[k] = weight / math.sqrt(1.0 + ratio * ratio)
        _factorise(gamma, system, work)
        _solve(system, work)
    if system.cycle > 0.0:
        _set_right(system.cycle, work)
        _factorise(gamma, system, work)
        _solve(system, work)


@compiled
def _set_right(cycle: float, work: Work) -> None:
    """Take whole cycles off pairs whose residual is nearest to them, and trust all again."""
    for k in range(work.own.size):
        work.observed[k] -= cycle * round(work.residuals[k] / cycle)
        work.own[k] = work.given[k]


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
    for i in range(1, starts.size):
        row = matrix[i]
        pivot = row[i]
        least = _LEAST_PIVOT * min(pivot, gamma)
        for j in range(starts[i], i):
            other = matrix[j]
            total = row[j]
            for k in range(max(starts[i], starts[j]), j):
                total -= row[k] * other[k]
            row[j] = total / other[j]
            pivot -= row[j] * row[j]
        if not pivot > least:
            return False
        row[i] = math.sqrt(pivot)
    return True


@compiled
def _assemble_model(gamma: float, system: System, matrix: Float64) -> None:
    """Fill the lower triangle of the normal matrix with what the model gives to it."""
    dates, terms = system.terms.shape
    for i in range(1, dates):
        matrix[i, system.starts[i] : i] = 0.0
        matrix[i, i] = gamma
        for p in range(terms):
            matrix[dates + p, i] = -gamma * system.terms[i, p]
    for p in range(terms):
        for q in range(p + 1):
            total = 0.0
            for n in range(dates):
                total += system.terms[n, p] * system.terms[n, q]
            matrix[dates + p, dates + q] = gamma * total


@compiled
def _add_pairs(own: Float64, system: System, matrix: Float64) -> None:
    """Add what pairs give to it."""
    for k in range(own.size):
        early, late = system.pairs[k, 0], system.pairs[k, 1]
        matrix[early, early] += own[k]
        matrix[late, late] += own[k]
        if early > 0:
            matrix[late, early] -= own[k]


@compiled
def _solve(system: System, work: Work) -> float:
    """Solve with the factor of the matrix; return the largest residual, without sign."""
    factor, unknown, starts = work.matrix, work.unknown, system.starts
    unknown[:] = 0.0
    for k in range(work.own.size):
        value = work.own[k] * work.observed[k]
        unknown[system.pairs[k, 0]] -= value
        unknown[system.pairs[k, 1]] += value
    for i in range(1, starts.size):
        total = unknown[i]
        for k in range(starts[i], i):
            total -= factor[i, k] * unknown[k]
        unknown[i] = total / factor[i, i]
    for i in range(starts.size - 1, 0, -1):
        unknown[i] /= factor[i, i]
        for k in range(starts[i], i):
            unknown[k] -= factor[i, k] * unknown[i]
    unknown[0] = 0.0
    largest = 0.0
    for k in range(work.own.size):
        value = work.observed[k] + unknown[system.pairs[k, 0]] - unknown[system.pairs[k, 1]]
        work.residuals[k] = value if work.given[k] > 0.0 else 0.0
        largest = max(largest, abs(work.residuals[k]))
    return largest


@compiled
def _put(pixel: int, parts: int, gamma: float, system: System, work: Work, solved: Solved) -> None:
    """Store the answer of a pixel."""
    dates = len(system.terms)
    for n in range(dates):
        solved.values[pixel, n] = work.unknown[n]
    for p in range(system.terms.shape[1]):
        solved.terms[pixel, p] = work.unknown[dates + p]
    for k in range(work.own.size):
        solved.residuals[pixel, k] = work.residuals[k] if work.given[k] > 0.0 else math.nan
    solved.parts[pixel] = parts
    _put_errors(pixel, parts, gamma, system, work, solved)


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
        value = unknown[n]
        for p in range(terms):
            value -= system.terms[n, p] * unknown[dates + p]
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
                    value -= factor[dates + i, dates + k] * column[k]
                column[i] = value / factor[dates + i, dates + i]
                total += column[i] * column[i]
            solved.sigmas[pixel, p] = math.sqrt(gamma * total * squares / freedom)


@compiled
def _leave(pixel: int, solved: Solved) -> None:
    """Store that a pixel has no answer."""
    solved.values[pixel] = math.nan
    solved.terms[pixel] = math.nan
    solved.sigmas[pixel] = math.nan
    solved.residuals[pixel] = math.nan
    solved.parts[pixel] = 0
