"""Wrong cycles of unwrapped phases, found where triangles of pairs do not close."""

import numpy as np
from numpy.typing import NDArray

from algorithms.compiled import compiled

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

_CYCLE = 2.0 * np.pi
# Triangles that must close better when a pair is corrected: one alone does not tell which of its
# three pairs is wrong.
_LEAST_GAIN = 2


def corrected_cycles(phases: Float32, triplets: Int32) -> NDArray[np.int8]:
    """Return the cycles to add to unwrapped phases so that triangles close.

    Parameters
    ----------
    phases
        Unwrapped phases of pixels, shape (pixel, pair), radians; NaN is missing.
    triplets
        Pairs of each triangle, the first two less the third, shape (triplet, 3).

    Returns
    -------
    Whole cycles, shape of `phases`. Noise that closes to less than half a cycle is left; so is a
    wrong pair that no two triangles tell from the others, which weights must cope with.

    Notes
    -----
    Of each pixel the pair is corrected by which the sum of wrong cycles over all triangles falls
    most, as long as two of them gain and no other pair gains as much.

    References
    ----------
    Yunjun, Fattahi & Amelung, Computers & Geosciences 133, 2019, section 4.2, for the triangles.
    """
    cycles = np.zeros(phases.shape, np.int8)
    if len(triplets):
        sides = _sides(triplets, phases.shape[1])
        _correct(phases, triplets, *sides, cycles)
    return cycles


def _sides(triplets: Int32, pairs: int) -> tuple[Int32, Int32]:
    """Return triangles pair by pair, and where those of each begin; the third side is negative."""
    flat = triplets.ravel()
    order = np.argsort(flat, kind="stable")
    signed = np.where(order % 3 == 2, -(order // 3) - 1, order // 3 + 1)
    begin = np.searchsorted(flat[order], np.arange(pairs + 1))
    return signed.astype(np.int32), begin.astype(np.int32)


@compiled
def _correct(
    phases: Float32, triplets: Int32, signed: Int32, begin: Int32, cycles: NDArray[np.int8]
) -> None:
    """Fill the cycles to add, pixel by pixel."""
    wrong = np.empty(len(triplets), np.int32)
    pairs = phases.shape[1]
    for pixel in range(phases.shape[0]):
        total = 0
        for t in range(len(triplets)):
            first, second, third = triplets[t, 0], triplets[t, 1], triplets[t, 2]
            loop = phases[pixel, first] + phases[pixel, second] - phases[pixel, third]
            wrong[t] = 0 if np.isnan(loop) else round(loop / _CYCLE)
            total += abs(wrong[t])
        for _ in range(pairs):
            if total < _LEAST_GAIN:
                break
            pair, cycle, gain = _best(wrong, triplets, signed, begin)
            if gain < _LEAST_GAIN:
                break
            cycles[pixel, pair] += cycle
            for k in range(begin[pair], begin[pair + 1]):
                t = abs(signed[k]) - 1
                wrong[t] += cycle if signed[k] > 0 else -cycle
            total -= gain


@compiled
def _best(wrong: Int32, triplets: Int32, signed: Int32, begin: Int32) -> tuple[int, int, int]:
    """Return the pair, its cycle and what triangles gain; no gain where two are as good."""
    best, best_cycle, best_gain, is_alone = -1, 0, 0, True
    for t in range(wrong.size):
        if wrong[t] == 0:
            continue
        for side in range(3):
            pair = triplets[t, side]
            cycle = -1 if (wrong[t] > 0) == (side < 2) else 1
            if pair == best and cycle == best_cycle:
                continue
            gain = _gain(wrong, signed[begin[pair] : begin[pair + 1]], cycle)
            if gain > best_gain:
                best, best_cycle, best_gain, is_alone = pair, cycle, gain, True
            elif gain == best_gain:
                is_alone = False
    return best, best_cycle, best_gain if is_alone else 0


@compiled
def _gain(wrong: Int32, triangles: Int32, cycle: int) -> int:
    """Return by how much the wrong cycles of a pair's triangles fall when it is moved by one."""
    gain = 0
    for signed in triangles:
        value = wrong[abs(signed) - 1]
        gain += abs(value) - abs(value + (cycle if signed > 0 else -cycle))
    return gain
