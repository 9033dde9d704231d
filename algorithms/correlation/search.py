"""Search of windows by zero-mean normalised cross-correlation, to whole pixels and a parabola."""

import math

import numpy as np

from algorithms.compiled import compiled
from algorithms.correlation.filters import DONE, EMPTY, FLAT, OUTSIDE, Float32, Int32, Mask, Pair

_NO_SCORE = -2.0
# A second peak is looked for outside this distance of the best, pixels.
_PEAK_RADIUS = 2


@compiled
def search_nodes(
    pair: Pair,
    start: Int32,
    half: int,
    radius: int,
    least_valid: float,
    found: Float32,
    outcome: Mask,
) -> None:
    """Find where the windows of nodes lie in the secondary image.

    Parameters
    ----------
    pair
        The images and the nodes.
    start
        Displacement in rows and columns about which is searched, shape (node, 2).
    half
        Half of the window's side: it has 2 * half + 1 pixels.
    radius
        Pixels searched each way.
    least_valid
        Share of the window that must count in both images.
    found
        Filled in, shape (node, 4): displacement in rows and columns, correlation, ratio of the
        best correlation to the second best peak, NaN where there is no second; all NaN where the
        outcome is not `DONE`.
    outcome
        Filled in, shape (node,): `DONE`, `OUTSIDE`, `EMPTY` or `FLAT`.
    """
    reference, reference_valid, secondary, secondary_valid, rows, columns = pair
    side = 2 * half + 1
    width = (side + 7) // 8 * 8
    template = np.zeros((side, width), np.float32)
    template_valid = np.zeros((side, width), np.float32)
    patch = np.zeros((side + 2 * radius, width + 2 * radius), np.float32)
    patch_valid = np.zeros((side + 2 * radius, width + 2 * radius), np.float32)
    scores = np.empty((2 * radius + 1, 2 * radius + 1), np.float32)
    needed = least_valid * side * side
    for node in range(rows.size):
        found[node] = math.nan
        outcome[node] = OUTSIDE
        top, left = rows[node] - half, columns[node] - half
        if not _lies_within(reference_valid, top, left, side, side):
            continue
        above, before = top + start[node, 0] - radius, left + start[node, 1] - radius
        reach = side + 2 * radius
        if not _lies_within(secondary_valid, above, before, reach, reach):
            continue
        count = _take(reference, reference_valid, top, left, side, template, template_valid)
        outcome[node] = EMPTY
        if count < needed:
            continue
        held = _take(secondary, secondary_valid, above, before, reach, patch, patch_valid)
        if count == side * side and held == reach * reach:
            _score_full(template, patch, side, width, scores)
        else:
            _score_masked(template, template_valid, patch, patch_valid, side, width, needed, scores)
        if held >= needed:
            outcome[node] = DONE if _locate(scores, radius, found[node]) else FLAT
        found[node, 0] += start[node, 0]
        found[node, 1] += start[node, 1]


@compiled
def _lies_within(valid: Mask, top: int, left: int, rows: int, columns: int) -> bool:
    return (
        top >= 0 and left >= 0 and top + rows <= valid.shape[0] and left + columns <= valid.shape[1]
    )


@compiled
def _take(
    image: Float32, valid: Mask, top: int, left: int, side: int, out: Float32, out_valid: Float32
) -> int:
    """Copy a square without its mean, zero where it does not count; return how many pixels do."""
    sums = np.zeros(side, np.float32)
    count = 0
    for row in range(side):
        line, mask = image[top + row, left : left + side], valid[top + row, left : left + side]
        copy, counting = out[row], out_valid[row]
        for column in range(side):
            counts = np.float32(mask[column])
            counting[column] = counts
            copy[column] = counts * line[column]
            sums[column] += copy[column]
            count += mask[column]
    total = 0.0
    for column in range(side):
        total += sums[column]
    mean = np.float32(total / max(count, 1))
    for row in range(side):
        copy, counting = out[row], out_valid[row]
        for column in range(side):
            copy[column] -= mean * counting[column]
    return count


@compiled
def _score_full(template: Float32, patch: Float32, side: int, width: int, scores: Float32) -> None:
    """Correlate where every pixel counts: box sums of the patch are carried from place to place."""
    count = scores.shape[0]
    energy = _energy(template)
    products = np.empty(width, np.float32)
    sums, squares = np.zeros(patch.shape[1], np.float32), np.zeros(patch.shape[1], np.float32)
    for row in range(side - 1):
        _add_row(patch[row], np.float32(1.0), sums, squares)
    area = float(side * side)
    for i in range(count):
        _add_row(patch[i + side - 1], np.float32(1.0), sums, squares)
        total, square = 0.0, 0.0
        for column in range(side):
            total += sums[column]
            square += squares[column]
        for j in range(count):
            products[:] = 0.0
            for row in range(side):
                line = template[row]
                moved = patch[i + row, j : j + width]
                for column in range(width):
                    products[column] += line[column] * moved[column]
            product = 0.0
            for column in range(width):
                product += products[column]
            variance = square - total * total / area
            scores[i, j] = _normalised(product, energy, variance)
            if j + 1 < count:
                total += sums[j + side] - sums[j]
                square += squares[j + side] - squares[j]
        _add_row(patch[i], np.float32(-1.0), sums, squares)


@compiled
def _energy(template: Float32) -> float:
    """Return the sum of squares, column by column first."""
    squares = np.zeros(template.shape[1], np.float32)
    for row in range(template.shape[0]):
        line = template[row]
        for column in range(squares.size):
            squares[column] += line[column] * line[column]
    energy = 0.0
    for column in range(squares.size):
        energy += squares[column]
    return energy


@compiled
def _add_row(line: Float32, sign: np.float32, sums: Float32, squares: Float32) -> None:
    for column in range(sums.size):
        value = line[column]
        sums[column] += sign * value
        squares[column] += sign * value * value


@compiled
def _normalised(product: float, energy: float, variance: float) -> float:
    if energy <= 0.0 or variance <= 1e-6 * energy:
        return _NO_SCORE
    return product / math.sqrt(energy * variance)


@compiled
def _score_masked(
    template: Float32,
    template_valid: Float32,
    patch: Float32,
    patch_valid: Float32,
    side: int,
    width: int,
    needed: float,
    scores: Float32,
) -> None:
    """Correlate over the pixels that count in both images, whose means are their own."""
    sums = np.empty((6, width), np.float32)
    total = np.empty(6, np.float64)
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            sums[:] = 0.0
            for row in range(side):
                f, mask = template[row], template_valid[row]
                g, moved = patch[i + row, j : j + width], patch_valid[i + row, j : j + width]
                for column in range(width):
                    sums[0, column] += mask[column] * moved[column]
                    sums[1, column] += f[column] * moved[column]
                    sums[2, column] += g[column] * mask[column]
                    sums[3, column] += f[column] * f[column] * moved[column]
                    sums[4, column] += g[column] * g[column] * mask[column]
                    sums[5, column] += f[column] * g[column]
            for k in range(6):
                total[k] = 0.0
                for column in range(width):
                    total[k] += sums[k, column]
            area = float(total[0])
            scores[i, j] = _NO_SCORE
            if area >= needed:
                energy = float(total[3] - total[1] * total[1] / area)
                variance = float(total[4] - total[2] * total[2] / area)
                scores[i, j] = _normalised(total[5] - total[1] * total[2] / area, energy, variance)


@compiled
def _locate(scores: Float32, radius: int, found: Float32) -> bool:
    """Find the best score, refine its place by parabolas, compare with the second best peak.

    False where no place has a score.
    """
    count = scores.shape[0]
    best_row, best_column = 0, 0
    for i in range(count):
        for j in range(count):
            if scores[i, j] > scores[best_row, best_column]:
                best_row, best_column = i, j
    best = scores[best_row, best_column]
    if best <= _NO_SCORE:
        return False
    row, column = np.float32(best_row), np.float32(best_column)
    if 0 < best_row < count - 1:
        row += _vertex(scores[best_row - 1, best_column], best, scores[best_row + 1, best_column])
    if 0 < best_column < count - 1:
        column += _vertex(
            scores[best_row, best_column - 1], best, scores[best_row, best_column + 1]
        )
    found[0], found[1], found[2] = row - radius, column - radius, best
    second = _second_peak(scores, best_row, best_column)
    if second > 0.0:
        found[3] = best / second
    return True


@compiled
def _vertex(before: float, middle: float, after: float) -> float:
    """Return the place of a parabola's top relative to its middle sample."""
    curvature = before - 2.0 * middle + after
    if curvature >= 0.0 or before <= _NO_SCORE or after <= _NO_SCORE:
        return 0.0
    return 0.5 * (before - after) / curvature


@compiled
def _second_peak(scores: Float32, best_row: int, best_column: int) -> float:
    """Return the highest local maximum away from the best, 0 where there is none."""
    count = scores.shape[0]
    second = 0.0
    for i in range(1, count - 1):
        for j in range(1, count - 1):
            near = max(abs(i - best_row), abs(j - best_column)) <= _PEAK_RADIUS
            value = float(scores[i, j])
            if near or value <= second:
                continue
            is_peak = True
            for k in range(-1, 2):
                for m in range(-1, 2):
                    if scores[i + k, j + m] > value:
                        is_peak = False
            if is_peak:
                second = value
    return second
