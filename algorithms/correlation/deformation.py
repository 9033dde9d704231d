"""Sub-pixel refinement of windows that move and deform evenly: strong shear, rotation, scale.

As `refinement`, with six parameters: what moves a pixel at (v, u) from the centre of a window is
(dy + a v + b u, dx + c v + d u). Starts from where the translation alone had settled.

Baker & Matthews, IJCV 56(3), 2004, section 3.2 (inverse compositional, affine warp).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled
from algorithms.correlation.filters import ASTRAY, DONE, FLAT, OUTSIDE, Float32, Mask, Pair
from algorithms.correlation.refinement import MARGIN, SIGMA_FACTOR, TOLERANCE

Float64 = NDArray[np.float64]

_PARAMETERS = 6
_MAX_ITERATIONS = 15
# Away from what the translation had found, pixels, and change of place across a pixel.
_MAX_DRIFT, _MAX_GRADIENT = 1.0, 0.4
# Of a parameter's own weight, what the others must leave to it.
_LEAST_PIVOT = 1e-3


class _Scratch(NamedTuple):
    """What the refinement of a node works in.

    `window` is the weight and w f', shape (2, side, side); `descent` what a parameter changes, less
    its mean, shape (6, side, side); `seen` the moved window; `inverse` of the normal matrix, shape
    (6, 6); `product` of w f' with `descent`.
    """

    window: Float32
    descent: Float32
    seen: Float32
    inverse: Float64
    product: Float64


@compiled
def refine_deformations(
    pair: Pair, weights: Float32, start: Float32, refined: Float32, outcome: Mask
) -> None:
    """Refine displacements of windows that deform.

    Parameters
    ----------
    pair
        The smoothed reference, cubic B-spline coefficients of the smoothed secondary, the nodes.
    weights
        Of the window's pixels (`window_weights`).
    start
        Displacement in rows and columns that the translation alone gave, shape (node, 2); a node
        with NaN is left out.
    refined
        Filled in, shape (node, 4): displacement of the centre in rows and columns, correlation,
        predicted standard error; NaN where the outcome is not `DONE`.
    outcome
        Filled in, shape (node,); left as it is at nodes left out.
    """
    side = weights.shape[0]
    scratch = _Scratch(
        np.empty((2, side, side), np.float32),
        np.empty((_PARAMETERS, side, side), np.float32),
        np.empty((side, side), np.float32),
        np.empty((_PARAMETERS, _PARAMETERS), np.float64),
        np.empty(_PARAMETERS, np.float64),
    )
    for node in range(pair.rows.size):
        refined[node] = math.nan
        if math.isnan(start[node, 0]):
            continue
        centre = (pair.rows[node], pair.columns[node])
        _weigh(weights, pair, centre, start[node], scratch.window[0])
        energy = _prepare(pair.reference, centre, scratch)
        if energy <= 0.0:
            outcome[node] = FLAT
        else:
            outcome[node] = _iterate(pair, centre, start[node], energy, scratch, refined[node])


@compiled
def _weigh(
    weights: Float32, pair: Pair, centre: tuple[int, int], start: Float32, out: Float32
) -> None:
    """Write the weights of pixels that count in both images."""
    side = weights.shape[0]
    top, left = centre[0] - side // 2, centre[1] - side // 2
    down, right = round(start[0]), round(start[1])
    for i in range(side):
        first = pair.reference_valid[top + i]
        second = pair.secondary_valid[top + i + down]
        for j in range(side):
            counts = first[left + j] & second[left + j + right]
            out[i, j] = weights[i, j] * np.float32(counts)


@compiled
def _prepare(reference: Float32, centre: tuple[int, int], scratch: _Scratch) -> float:
    """Fill in what of a window does not change; return the energy of f', 0 if singular."""
    window, descent, _, inverse, product = scratch
    means = np.zeros(_PARAMETERS, np.float64)
    mean = _descend(reference, centre, window[0], descent, means)
    side = window.shape[1]
    half = side // 2
    energy = 0.0
    product[:] = 0.0
    normal = np.zeros((_PARAMETERS, _PARAMETERS), np.float64)
    for i in range(side):
        for j in range(side):
            w = np.float64(window[0, i, j])
            f = reference[centre[0] - half + i, centre[1] - half + j] - mean
            window[1, i, j] = w * f
            energy += w * f * f
            for k in range(_PARAMETERS):
                descent[k, i, j] -= means[k]
            for k in range(_PARAMETERS):
                product[k] += w * f * descent[k, i, j]
                for m in range(k + 1):
                    normal[k, m] += w * descent[k, i, j] * descent[m, i, j]
    return energy if _invert(normal, inverse) else 0.0


@compiled
def _descend(
    reference: Float32, centre: tuple[int, int], weight: Float32, descent: Float32, means: Float64
) -> float:
    """Fill in what each parameter changes, and its mean; return the mean of f."""
    side = weight.shape[0]
    half = side // 2
    total, mean = 0.0, 0.0
    for i in range(side):
        for j in range(side):
            y, x = centre[0] - half + i, centre[1] - half + j
            w = np.float64(weight[i, j])
            # Central differences of the fourth order.
            by_row = reference[y - 2, x] - reference[y + 2, x]
            by_row = (by_row + 8.0 * (reference[y + 1, x] - reference[y - 1, x])) / 12.0
            by_column = reference[y, x - 2] - reference[y, x + 2]
            by_column = (by_column + 8.0 * (reference[y, x + 1] - reference[y, x - 1])) / 12.0
            v, u = np.float32(i - half), np.float32(j - half)
            descent[0, i, j], descent[1, i, j], descent[2, i, j] = by_row, by_row * v, by_row * u
            descent[3, i, j], descent[4, i, j] = by_column, by_column * v
            descent[5, i, j] = by_column * u
            for k in range(_PARAMETERS):
                means[k] += w * descent[k, i, j]
            total += w
            mean += w * reference[y, x]
    means /= total
    return mean / total


@compiled
def _invert(normal: Float64, inverse: Float64) -> bool:
    """Invert a symmetric matrix, given by its lower half; False where it is singular."""
    size = normal.shape[0]
    factor = np.zeros_like(normal)
    if not _factorise(normal, factor):
        return False
    for column in range(size):
        for i in range(size):
            value = 1.0 if i == column else 0.0
            for k in range(i):
                value -= factor[i, k] * inverse[k, column]
            inverse[i, column] = value / factor[i, i]
        for i in range(size - 1, -1, -1):
            value = inverse[i, column]
            for k in range(i + 1, size):
                value -= factor[k, i] * inverse[k, column]
            inverse[i, column] = value / factor[i, i]
    return True


@compiled
def _factorise(normal: Float64, factor: Float64) -> bool:
    """Write Cholesky's lower factor; False where the matrix is singular."""
    for i in range(normal.shape[0]):
        for j in range(i + 1):
            value = normal[i, j]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = value / factor[j, j]
            elif value > _LEAST_PIVOT * normal[i, i]:
                factor[i, i] = math.sqrt(value)
            else:
                return False
    return True


@compiled
def _iterate(
    pair: Pair,
    centre: tuple[int, int],
    start: Float32,
    energy: float,
    scratch: _Scratch,
    refined: Float32,
) -> int:
    """Step until a step is small; write the result of a node and return its outcome."""
    half = scratch.seen.shape[0] // 2
    warp = np.zeros(_PARAMETERS, np.float64)
    warp[0], warp[3] = start[0], start[1]
    for _ in range(_MAX_ITERATIONS):
        if not _lies_within(pair.secondary_valid.shape, centre, warp, half):
            return OUTSIDE
        _look(pair.secondary, centre, warp, scratch.seen)
        correlation, scale, step = _compare(energy, scratch)
        _compose(warp, step, scale)
        drift = max(abs(warp[0] - start[0]), abs(warp[3] - start[1]))
        gradient = max(abs(warp[1]), abs(warp[2]), abs(warp[4]), abs(warp[5]))
        if not (drift <= _MAX_DRIFT and gradient <= _MAX_GRADIENT):
            return ASTRAY
        if max(abs(step[0]), abs(step[3])) < TOLERANCE:
            refined[0], refined[1], refined[2] = warp[0], warp[3], correlation
            refined[3] = _standard_error(correlation, energy, scratch)
            return DONE
    return ASTRAY


@compiled
def _lies_within(shape: tuple[int, int], centre: tuple[int, int], warp: Float64, half: int) -> bool:
    """Tell whether a moved window and its margin lie in an image."""
    for axis in range(2):
        k = 3 * axis
        reach = half * (abs(warp[k + 1]) + abs(warp[k + 2]) + 1.0) + MARGIN
        place = centre[axis] + warp[k]
        if not (place - reach >= 0.0 and place + reach <= shape[axis] - 1):
            return False
    return True


@compiled
def _look(coefficients: Float32, centre: tuple[int, int], warp: Float64, seen: Float32) -> None:
    """Interpolate the moved and deformed window."""
    side = seen.shape[0]
    half = side // 2
    for i in range(side):
        v = i - half
        row = centre[0] + warp[0] + v + warp[1] * v
        column = centre[1] + warp[3] + warp[4] * v
        for j in range(side):
            u = j - half
            y, x = row + warp[2] * u, column + u + warp[5] * u
            top, left = math.floor(y), math.floor(x)
            a0, a1, a2, a3 = _taps(np.float32(y - top))
            b0, b1, b2, b3 = _taps(np.float32(x - left))
            value = np.float32(0.0)
            for k in range(4):
                line = coefficients[top - 1 + k]
                passed = b0 * line[left - 1] + b1 * line[left] + b2 * line[left + 1]
                passed += b3 * line[left + 2]
                value += (a0, a1, a2, a3)[k] * passed
            seen[i, j] = value


@compiled
def _taps(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Return the cubic B-spline at the four knots around a fraction of a pixel."""
    s = np.float32(1.0) - t
    sixth = np.float32(1.0 / 6.0)
    return (
        s * s * s * sixth,
        (np.float32(4.0) - np.float32(6.0) * t * t + np.float32(3.0) * t * t * t) * sixth,
        (np.float32(4.0) - np.float32(6.0) * s * s + np.float32(3.0) * s * s * s) * sixth,
        t * t * t * sixth,
    )


@compiled
def _compare(energy: float, scratch: _Scratch) -> tuple[float, float, Float64]:
    """Return the correlation, |f'| / |g'|, and the step that brings the images nearer."""
    window, descent, seen, inverse, product = scratch
    side = seen.shape[0]
    weights, mean = 0.0, 0.0
    for i in range(side):
        for j in range(side):
            weights += window[0, i, j]
            mean += window[0, i, j] * seen[i, j]
    mean /= weights
    square, cross = 0.0, 0.0
    sums = np.zeros(_PARAMETERS, np.float64)
    for i in range(side):
        for j in range(side):
            g = seen[i, j] - mean
            wg = window[0, i, j] * g
            square += wg * g
            cross += window[1, i, j] * g
            for k in range(_PARAMETERS):
                sums[k] += wg * descent[k, i, j]
    scale = math.sqrt(energy / square) if square > 0.0 else 0.0
    step = np.zeros(_PARAMETERS, np.float64)
    for k in range(_PARAMETERS):
        for m in range(_PARAMETERS):
            step[k] += inverse[k, m] * (product[m] - scale * sums[m])
    correlation = cross / math.sqrt(energy * square) if square > 0.0 else 0.0
    return correlation, scale, step


@compiled
def _compose(warp: Float64, step: Float64, scale: float) -> None:
    """Join the inverse of a step's deformation to the warp; the step is of the reference."""
    if scale == 0.0:
        warp[0] = math.nan
        return
    # x -> A x + t undone by -step: (1 - S) y = x + s.
    p, q = 1.0 - step[1], -step[2]
    r, s = -step[4], 1.0 - step[5]
    determinant = p * s - q * r
    ip, iq, ir, is_ = s / determinant, -q / determinant, -r / determinant, p / determinant
    ty, tx = ip * step[0] + iq * step[3], ir * step[0] + is_ * step[3]
    a, b, c, d = 1.0 + warp[1], warp[2], warp[4], 1.0 + warp[5]
    warp[0] += a * ty + b * tx
    warp[3] += c * ty + d * tx
    warp[1], warp[2] = a * ip + b * ir - 1.0, a * iq + b * is_
    warp[4], warp[5] = c * ip + d * ir, c * iq + d * is_ - 1.0


@compiled
def _standard_error(correlation: float, energy: float, scratch: _Scratch) -> float:
    """Return the standard error of a component, by the scatter of residuals."""
    weight = scratch.window[0]
    total, squares = 0.0, 0.0
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            total += weight[i, j]
            squares += weight[i, j] * weight[i, j]
    variance = 2.0 * (1.0 - correlation) * energy / total
    trace = 0.5 * (scratch.inverse[0, 0] + scratch.inverse[3, 3])
    return SIGMA_FACTOR * math.sqrt(max(variance, 0.0) * squares / total * trace)
