"""Sub-pixel refinement by inverse compositional Gauss-Newton on a normalised squared difference.

The window of the reference and its gradients are computed once; each iteration interpolates the
secondary image. A translation shifts all pixels of a window by the same fraction, so cubic
B-splines separate into four taps along rows and four along columns.

Baker & Matthews, IJCV 56(3), 2004, section 3.2; Pan, Li & Tong, Experimental Mechanics 53, 2013.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.correlation.filters import (
    ASTRAY,
    DONE,
    EMPTY,
    FLAT,
    OUTSIDE,
    Float32,
    Mask,
    Pair,
)

Float64 = NDArray[np.float64]

# Pixels around a window that gradients and splines need.
MARGIN = 3
MAX_ITERATIONS = 12
TOLERANCE = 1e-3  # pixels
# Farther from its start than this, a refinement has found something else.
MAX_DRIFT = 1.5  # pixels
# The residuals of smoothed images are correlated: errors are larger than their scatter says.
SIGMA_FACTOR = 2.1
# Central differences of the fourth order, in single precision.
_EIGHT, _TWELFTH = np.float32(8.0), np.float32(1.0 / 12.0)


def window_weights(window: int, kind: Literal["flat", "gauss", "hann"]) -> Float32:
    """Return how pixels of a window count, shape (window, window padded to whole vectors)."""
    distance = np.arange(window) - window // 2
    profile = {
        "flat": np.ones(window),
        "gauss": np.exp(-0.5 * (distance / (window / 3.5)) ** 2),
        "hann": 0.5 + 0.5 * np.cos(2.0 * np.pi * distance / (window + 1)),
    }[kind]
    weights = np.zeros((window, (window + 7) // 8 * 8), np.float32)
    weights[:, :window] = np.outer(profile, profile)
    return weights


class _Scratch(NamedTuple):
    """What the refinement of a node works in; `_prepare` and `_accumulate` say what is where.

    `sums` are those of each column, in single precision so that they fill vectors; `total` adds
    the columns up in double precision.
    """

    window: Float32
    normal: Float64
    passed: Float32
    sums: Float32
    total: Float64


@compiled
def refine_translations(
    pair: Pair,
    weights: Float32,
    least_valid: float,
    start: Float32,
    refined: Float32,
    outcome: Mask,
) -> None:
    """Refine displacements of windows that move without deforming.

    Parameters
    ----------
    pair
        The smoothed reference, cubic B-spline coefficients of the smoothed secondary, the nodes.
    weights
        Of the window's pixels (`window_weights`).
    least_valid
        Share of the weights that must count.
    start
        Displacement in rows and columns from which each node starts, shape (node, 2); a node with
        NaN is left out.
    refined
        Filled in, shape (node, 4): displacement in rows and columns, correlation, predicted
        standard error; NaN where the outcome is not `DONE`.
    outcome
        Filled in, shape (node,); left as it is at nodes left out.
    """
    side, width = weights.shape
    half = side // 2
    scratch = _Scratch(
        np.empty((6, side, width), np.float32),
        np.empty(9, np.float64),
        np.empty((side + 3, width), np.float32),
        np.empty((6, width), np.float32),
        np.empty(6, np.float64),
    )
    whole = float(weights.sum())
    for node in range(pair.rows.size):
        refined[node] = math.nan
        corner = (pair.rows[node] - half, pair.columns[node] - half)
        if math.isnan(start[node, 0]) or math.isnan(start[node, 1]):
            continue
        outcome[node] = OUTSIDE
        if not _has_room(pair.reference_valid.shape, corner, side):
            continue
        moved = (corner[0] + round(start[node, 0]), corner[1] + round(start[node, 1]))
        if not _has_room(pair.secondary_valid.shape, moved, side):
            continue
        if _weigh(weights, pair, corner, moved, scratch) < least_valid * whole:
            outcome[node] = EMPTY
        elif not _prepare(pair.reference, corner, scratch):
            outcome[node] = FLAT
        else:
            outcome[node] = _iterate(pair, corner, start[node], scratch, refined[node])


@compiled
def _iterate(
    pair: Pair, corner: tuple[int, int], start: Float32, scratch: _Scratch, refined: Float32
) -> int:
    """Step until a step is small; write the result of a node and return its outcome."""
    window, normal, passed, sums, total = scratch
    side = window.shape[1]
    row, column = np.float64(start[0]), np.float64(start[1])
    for _ in range(MAX_ITERATIONS):
        top, left = math.floor(row), math.floor(column)
        moved = (corner[0] + top, corner[1] + left)
        if not _has_room(pair.secondary_valid.shape, moved, side):
            return OUTSIDE
        fraction = (row - top, column - left)
        _accumulate(pair.secondary, moved, fraction, window, normal[8], passed, sums, total)
        step = _step(total, normal)
        row, column = row + step[0], column + step[1]
        if not max(abs(row - start[0]), abs(column - start[1])) <= MAX_DRIFT:
            return ASTRAY
        if max(abs(step[0]), abs(step[1])) < TOLERANCE:
            refined[0], refined[1] = row, column
            refined[2] = _correlation(total, normal)
            refined[3] = _standard_error(refined[2], normal)
            return DONE
    return ASTRAY


@compiled
def _has_room(shape: tuple[int, int], corner: tuple[int, int], side: int) -> bool:
    """Tell whether a window and its margin lie in an image."""
    top, left = corner
    return (
        top >= MARGIN
        and left >= MARGIN
        and top + side + MARGIN <= shape[0]
        and left + side + MARGIN <= shape[1]
    )


@compiled
def _weigh(
    weights: Float32, pair: Pair, corner: tuple[int, int], moved: tuple[int, int], scratch: _Scratch
) -> float:
    """Write the weights of pixels that count in both images to the window; return their sum."""
    side = weights.shape[0]
    sums = scratch.sums[0]
    sums[:] = 0.0
    for row in range(side):
        first = pair.reference_valid[corner[0] + row, corner[1] : corner[1] + side]
        second = pair.secondary_valid[moved[0] + row, moved[1] : moved[1] + side]
        weight, out = weights[row], scratch.window[0, row]
        out[side:] = 0.0
        for x in range(side):
            out[x] = weight[x] * np.float32(first[x] & second[x])
            sums[x] += out[x]
    counting = 0.0
    for x in range(side):
        counting += sums[x]
    return counting


@compiled
def _add_up(sums: Float32, count: int, total: Float64) -> None:
    """Add up the columns of the first sums."""
    for k in range(count):
        subtotal = 0.0
        for x in range(sums.shape[1]):
            subtotal += sums[k, x]
        total[k] = subtotal


@compiled
def _fill_gradients(reference: Float32, corner: tuple[int, int], scratch: _Scratch) -> None:
    """Fill in a window and its gradients (1, 4, 5), and total w, w**2, w f, w f_r and w f_c."""
    window, sums = scratch.window, scratch.sums
    side, width = window.shape[1:]
    left, right = corner[1], corner[1] + width
    sums[:] = 0.0
    s0, s1, s2, s3, s4 = sums[0], sums[1], sums[2], sums[3], sums[4]
    for row in range(side):
        y = corner[0] + row
        up2, up1 = reference[y - 2, left:right], reference[y - 1, left:right]
        down1, down2 = reference[y + 1, left:right], reference[y + 2, left:right]
        line = reference[y, left - 2 : right + 2]
        w, f, by_row, by_column = window[0, row], window[1, row], window[4, row], window[5, row]
        for x in range(width):
            f[x] = line[x + 2]
            by_row[x] = (up2[x] - down2[x] + _EIGHT * (down1[x] - up1[x])) * _TWELFTH
        for x in range(width):
            by_column[x] = (line[x] - line[x + 4] + _EIGHT * (line[x + 3] - line[x + 1])) * _TWELFTH
        for x in range(width):
            s0[x] += w[x]
            s1[x] += w[x] * w[x]
            s2[x] += w[x] * f[x]
            s3[x] += w[x] * by_row[x]
            s4[x] += w[x] * by_column[x]
    _add_up(sums, 5, scratch.total)


@compiled
def _centre(means: tuple[np.float32, np.float32, np.float32], scratch: _Scratch) -> None:
    """Take the means off a window and its gradients, weigh them (1, 2, 3), and total products.

    Those are w f'**2, w f_r**2, w f_r f_c, w f_c**2, w f' f_r and w f' f_c.
    """
    window, sums = scratch.window, scratch.sums
    side, width = window.shape[1:]
    mean, mean_row, mean_column = means
    sums[:] = 0.0
    s0, s1, s2, s3, s4, s5 = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for row in range(side):
        w, wf, by_row, by_column = window[0, row], window[1, row], window[4, row], window[5, row]
        wr, wc = window[2, row], window[3, row]
        for x in range(width):
            f, r, c = wf[x] - mean, by_row[x] - mean_row, by_column[x] - mean_column
            wf[x], wr[x], wc[x] = w[x] * f, w[x] * r, w[x] * c
            s0[x] += wf[x] * f
            s1[x] += wr[x] * r
            s2[x] += wr[x] * c
            s3[x] += wc[x] * c
            s4[x] += wf[x] * r
            s5[x] += wf[x] * c
    _add_up(sums, 6, scratch.total)


@compiled
def _prepare(reference: Float32, corner: tuple[int, int], scratch: _Scratch) -> bool:
    """Fill in what of a window does not change; False where it has too little structure.

    Of `window`, 0 is the weight w; 1 becomes w f', f' the window without its mean; 2 and 3 become
    w f_r and w f_c, gradients without their means. `normal` becomes the inverse of the normal
    matrix (rr, rc, cc), the energy of f', sum of w, sum of w**2 over sum of w, the products of f'
    with the gradients, and the mean of f.
    """
    normal, total = scratch.normal, scratch.total
    _fill_gradients(reference, corner, scratch)
    weight = total[0]
    normal[4], normal[5], normal[8] = weight, total[1] / weight, total[2] / weight
    means = total[2:5] / weight
    _centre((np.float32(means[0]), np.float32(means[1]), np.float32(means[2])), scratch)
    energy, rr, rc, cc = total[0], total[1], total[2], total[3]
    normal[3], normal[6], normal[7] = energy, total[4], total[5]
    determinant = rr * cc - rc * rc
    # The smaller eigenvalue against the larger: an edge tells nothing along itself.
    if not (energy > 0.0 and determinant > 1e-4 * (rr + cc) ** 2):
        return False
    normal[0], normal[1], normal[2] = cc / determinant, -rc / determinant, rr / determinant
    return True


@compiled
def _accumulate(
    coefficients: Float32,
    moved: tuple[int, int],
    fraction: tuple[float, float],
    window: Float32,
    mean: float,
    passed: Float32,
    sums: Float32,
    total: Float64,
) -> None:
    """Interpolate the moved window; sum w g, w g**2, (w f') g, (w f_r) g and (w f_c) g.

    The mean of f is taken off g first: sums of squares in single precision stay exact enough.
    """
    offset = np.float32(mean)
    side, width = window.shape[1:]
    a0, a1, a2, a3 = _taps(fraction[1])
    for row in range(side + 3):
        line = coefficients[moved[0] - 1 + row, moved[1] - 1 : moved[1] + width + 2]
        out = passed[row]
        for x in range(width):
            near = a0 * line[x] + a1 * line[x + 1]
            out[x] = near + a2 * line[x + 2] + a3 * line[x + 3] - offset
    b0, b1, b2, b3 = _taps(fraction[0])
    sums[:] = 0.0
    g0, g1, g2, g3, g4 = sums[0], sums[1], sums[2], sums[3], sums[4]
    for row in range(side):
        p0, p1, p2, p3 = passed[row], passed[row + 1], passed[row + 2], passed[row + 3]
        w, wf, wr, wc = window[0, row], window[1, row], window[2, row], window[3, row]
        for x in range(width):
            g = b0 * p0[x] + b1 * p1[x] + b2 * p2[x] + b3 * p3[x]
            g0[x] += w[x] * g
            g1[x] += w[x] * g * g
            g2[x] += wf[x] * g
            g3[x] += wr[x] * g
            g4[x] += wc[x] * g
    _add_up(sums, 5, total)


@compiled
def _taps(fraction: float) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return the cubic B-spline at the four knots around a fraction of a pixel."""
    t, s = fraction, 1.0 - fraction
    return (
        np.float32(s * s * s / 6.0),
        np.float32((4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0),
        np.float32((4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0),
        np.float32(t * t * t / 6.0),
    )


@compiled
def _step(total: Float64, normal: Float64) -> tuple[float, float]:
    """Return the step in rows and columns: H**-1 sum w grad f [f' - (|f'| / |g'|) g']."""
    energy = total[1] - total[0] * total[0] / normal[4]
    scale = math.sqrt(normal[3] / energy) if energy > 0.0 else 0.0
    row, column = normal[6] - scale * total[3], normal[7] - scale * total[4]
    return normal[0] * row + normal[1] * column, normal[1] * row + normal[2] * column


@compiled
def _correlation(total: Float64, normal: Float64) -> float:
    energy = total[1] - total[0] * total[0] / normal[4]
    return total[2] / math.sqrt(normal[3] * energy) if energy > 0.0 else 0.0


@compiled
def _standard_error(correlation: float, normal: Float64) -> float:
    """Return the standard error of a component, by the scatter of residuals."""
    variance = 2.0 * (1.0 - correlation) * normal[3] / normal[4]
    trace = 0.5 * (normal[0] + normal[2])
    return SIGMA_FACTOR * math.sqrt(max(variance, 0.0) * normal[5] * trace)
