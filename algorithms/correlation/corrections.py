"""What the instrument and the orbit add to a field of displacements, and its removal.

Every function returns what is to be subtracted, of the shape of the field; `NaN` nodes take no part
and get a value all the same. Medians and reweighted fits keep real motion of a part of the scene.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_ITERATIONS = 10
_TUKEY = 4.685  # 95 % efficient on Gaussian errors
_LEAST_NODES = 30
_SIGMAS_OF_MEDIAN = 1.4826
# Nodes on each side of a seam that are compared.
_BESIDE = 8


class Plane(NamedTuple):
    """A field that changes evenly: at the first node, a row of nodes, a column of nodes."""

    offset: float
    by_row: float
    by_column: float

    def over(self, shape: tuple[int, int]) -> Float32:
        """Return the field at nodes."""
        row, column = np.indices(shape, np.float32)
        field = self.offset + self.by_row * row + self.by_column * column
        return np.asarray(field, np.float32)


def fitted_plane(field: Float32, stable: Mask | None = None) -> Plane:
    """Fit a plane to the ground that does not move: least squares with Tukey's biweight.

    Parameters
    ----------
    field
        One component at nodes, shape (row, column), pixels; NaN where there is no answer.
    stable
        Where the ground is still; None where nobody knows: the majority is then taken for it.

    Raises
    ------
    ValueError
        When fewer than 30 nodes are answered.
    """
    is_used = np.isfinite(field) if stable is None else np.isfinite(field) & stable
    if np.count_nonzero(is_used) < _LEAST_NODES:
        raise ValueError(
            f"{np.count_nonzero(is_used)} nodes are answered, {_LEAST_NODES} are needed for a plane"
        )
    row, column = np.nonzero(is_used)
    values = field[is_used].astype(np.float64)
    design = np.column_stack([np.ones_like(values), row, column])
    weights = np.ones_like(values)
    solution = np.zeros(3)
    for _ in range(_ITERATIONS):
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
        residual = values - design @ solution
        scale = _SIGMAS_OF_MEDIAN * np.median(np.abs(residual - np.median(residual)))
        if scale == 0.0:
            break
        weights = np.maximum(1.0 - (residual / (_TUKEY * scale)) ** 2, 0.0) ** 2
    return Plane(*(float(value) for value in solution))


def detector_steps(field: Float32, detectors: NDArray[np.uint8]) -> Float32:
    """Return the offset of each detector against the first, from the nodes beside its seams.

    Parameters
    ----------
    field
        One component at nodes, shape (row, column), pixels; NaN where there is no answer.
    detectors
        Number of the detector that saw each node, 0 outside; same shape.

    Returns
    -------
    A constant for each detector, their mean over the answered nodes zero. Two neighbours differ by
    the median of what changes across their seam, so that ground which moves differently on either
    side of the scene is left as it is.
    """
    numbers = [int(number) for number in np.unique(detectors) if number > 0]
    offset = dict.fromkeys(numbers, 0.0)
    for before, after in itertools.pairwise(numbers):
        offset[after] = offset[before] + _step_across(field, detectors, before, after)
    table = np.zeros(max(numbers, default=0) + 1)
    for number, value in offset.items():
        table[number] = value
    steps = table[detectors]
    answered = np.isfinite(field) & (detectors > 0)
    if answered.any():
        steps = np.where(detectors > 0, steps - steps[answered].mean(), 0.0)
    return np.asarray(steps, np.float32)


def _step_across(field: Float32, detectors: NDArray[np.uint8], before: int, after: int) -> float:
    """Return the median change of a field from one detector to its neighbour, row by row."""
    changes = []
    for values, seen in zip(field, detectors, strict=True):
        left, right = np.flatnonzero(seen == before), np.flatnonzero(seen == after)
        if left.size and right.size:
            if left.mean() > right.mean():
                left, right = left[:_BESIDE], right[-_BESIDE:]
            else:
                left, right = left[-_BESIDE:], right[:_BESIDE]
            changes.append(_median(values[right]) - _median(values[left]))
    return _median(np.array(changes)) if changes else 0.0


def _median(values: NDArray[Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else 0.0


def jitter(field: Float32, along: Float64, *, bin_width: float, smooth_bins: int = 51) -> Float32:
    """Return what oscillates along the track, the same all across it.

    Parameters
    ----------
    field
        One component at nodes that were seen together, any shape, pixels, already without planes
        and steps.
    along
        Distance of each node along the track, any unit; same shape.
    bin_width
        Over what distance along the track nodes are seen together.
    smooth_bins
        Variation slower than so many bins is ground, not jitter, and stays.

    Returns
    -------
    The median of each bin, less its running median over `smooth_bins`, interpolated to the nodes.
    """
    place = (along - along.min()) / bin_width
    count = int(place.max()) + 1
    profile = _binned_medians(field, place, count)
    known = np.isfinite(profile)
    if np.count_nonzero(known) < 3:
        return np.zeros(field.shape, np.float32)
    profile = np.interp(np.arange(count), np.flatnonzero(known), profile[known])
    half = min(smooth_bins, count | 1) // 2
    padded = np.pad(profile, half, mode="edge")
    slow = np.array([np.median(padded[i : i + 2 * half + 1]) for i in range(count)])
    fast = np.interp(place.ravel() - 0.5, np.arange(count), profile - slow)
    return np.asarray(fast.reshape(field.shape), np.float32)


def _binned_medians(field: Float32, place: Float64, count: int) -> Float64:
    """Return the median of the answered nodes of each bin, NaN where there is none."""
    answered = np.isfinite(field)
    bins, values = place[answered].astype(np.intp), field[answered]
    order = np.argsort(bins, kind="stable")
    edges = np.searchsorted(bins[order], np.arange(count + 1))
    medians = np.full(count, np.nan)
    for index in range(count):
        part = values[order[edges[index] : edges[index + 1]]]
        if part.size >= 5:
            medians[index] = np.median(part)
    return medians


def vector_median(dy: Float32, dx: Float32, radius: int = 1) -> tuple[Float32, Float32]:
    """Replace each displacement by that of its neighbours which is nearest to all others.

    Parameters
    ----------
    dy, dx
        Components at nodes, shape (row, column); NaN where there is no answer, which stays so.
    radius
        Neighbours each way.

    Returns
    -------
    The filtered components: always vectors that occur, so that edges stay sharp.

    References
    ----------
    Astola, Haavisto & Neuvo, Proceedings of the IEEE 78(4), 1990, definition 1.
    """
    out_y, out_x = np.full_like(dy, np.nan), np.full_like(dx, np.nan)
    _filter_vectors(dy, dx, radius, out_y, out_x)
    return out_y, out_x


@compiled
def _filter_vectors(dy: Float32, dx: Float32, radius: int, out_y: Float32, out_x: Float32) -> None:
    rows, columns = dy.shape
    size = (2 * radius + 1) ** 2
    near_y, near_x = np.empty(size, np.float32), np.empty(size, np.float32)
    for row in range(rows):
        for column in range(columns):
            if np.isnan(dy[row, column]):
                continue
            count = 0
            for i in range(max(row - radius, 0), min(row + radius + 1, rows)):
                for j in range(max(column - radius, 0), min(column + radius + 1, columns)):
                    if not np.isnan(dy[i, j]):
                        near_y[count], near_x[count] = dy[i, j], dx[i, j]
                        count += 1
            best, least = 0, np.inf
            for i in range(count):
                total = 0.0
                for j in range(count):
                    total += np.hypot(near_y[i] - near_y[j], near_x[i] - near_x[j])
                if total < least:
                    best, least = i, total
            out_y[row, column], out_x[row, column] = near_y[best], near_x[best]
