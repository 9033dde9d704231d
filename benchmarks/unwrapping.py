"""Unwrapping of a simulated interferogram: wrong cycles and cost, snaphu beside.

    python -m benchmarks.unwrapping [--shape 2000 2000] [--looks 20] [--seed 1] [--coherence 0.68]
        [--methods whirlwind snaphu] [--squares 3]

The interferogram has the exact statistics of its looks, deformation of up to 0.4 rad a cell,
turbulent atmosphere, and water of 9 percent, which is masked. With `--squares` it is filtered, what
is not coherent masked too, and squares of so many cells a side are unwrapped in place of cells, as
S1_INTERFEROGRAM does where there are too many; 1 is for cells.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from algorithms.interferometry.cells import PairCells, coarser_cells
from algorithms.interferometry.goldstein import goldstein
from algorithms.interferometry.ground_coherence import (
    COHERENCE_LOOKS,
    CoherenceWindow,
    ground_coherence,
)
from algorithms.interferometry.model import Float32
from algorithms.unwrapping import Method, Unwrapped, refined, unwrap
from benchmarks.measure import measure
from simulator.interferogram import Interferogram, score_unwrapping, simulate_interferogram

LEAST_COHERENCE = 0.1  # the default of S1_INTERFEROGRAM


def main() -> None:
    """Unwrap with every method and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=2, default=(2_000, 2_000))
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coherence", type=float, default=0.68)
    parser.add_argument("--methods", nargs="+", default=get_args(Method))
    parser.add_argument("--squares", type=int)
    options = parser.parse_args()
    rows, columns = options.shape
    truth = simulate_interferogram(
        (rows, columns), looks=options.looks, seed=options.seed, coherence=options.coherence
    )
    print(f"{rows} x {columns}, {options.looks} looks, {residues(truth)} residues")
    with tempfile.TemporaryDirectory() as folder:
        for method in options.methods:
            result = Path(folder) / f"{method}.npz"
            work = partial(by_cells, truth, options.looks, method)
            if options.squares is not None:
                work = partial(by_squares, truth, options.looks, method, options.squares)
            cost = measure(partial(run, work, result))
            with np.load(result) as found:
                score = score_unwrapping(truth, found["phase"], found["components"])
                cpu_s = float(found["cpu_s"])
            print(
                f"{method:10} {replace(cost, cpu_s=cpu_s)}  wrong cycles {score.everywhere:.3%}, "
                f"inside components {score.inside:.4%}, labelled {score.labelled:.1%}"
            )


def by_cells(truth: Interferogram, looks: int, method: Method) -> Unwrapped:
    """Unwrap the land."""
    return unwrap(truth.interferogram, truth.coherence, looks=looks, mask=truth.land, method=method)


def by_squares(truth: Interferogram, looks: int, method: Method, side: int) -> Unwrapped:
    """Filter, and unwrap what is coherent of the land by squares of cells."""
    power = np.abs(truth.interferogram) / truth.coherence
    cells = PairCells(0, 0, truth.interferogram, power, power)
    joined = joined_coherence(cells, looks)
    filtered = goldstein(cells.interferogram, joined)
    mask = truth.land & (joined >= LEAST_COHERENCE)
    if side == 1:
        return unwrap(filtered, cells.coherence, looks=looks, mask=mask, method=method)
    land = cells._replace(reference_power=np.where(truth.land, power, np.float32(0.0)))
    coarse = coarser_cells(land, side)
    smooth = joined_coherence(coarse, looks * side**2)
    unwrapped = unwrap(
        goldstein(coarse.interferogram, smooth),
        coarse.coherence,
        looks=looks * side**2,
        mask=smooth >= LEAST_COHERENCE,
        method=method,
    )
    return refined(unwrapped, filtered, side, mask)


def joined_coherence(cells: PairCells, looks: float) -> Float32:
    """Return the coherence over as many looks as S1_INTERFEROGRAM joins."""
    sigma = np.sqrt(COHERENCE_LOOKS / looks / (4.0 * np.pi)) if looks < COHERENCE_LOOKS else 0.0
    window = CoherenceWindow(float(sigma), looks, max(looks, COHERENCE_LOOKS))
    return ground_coherence(cells, [(slice(0, cells.interferogram.shape[1]), window)])


def run(work: Callable[[], Unwrapped], result: Path) -> None:
    """Unwrap and save what comes out, and the CPU time of what was started for it too."""
    before = os.times()
    phase, components = work()
    cpu_s = sum(os.times()[:4]) - sum(before[:4])
    np.savez(result, phase=phase, components=components, cpu_s=cpu_s)


def residues(truth: Interferogram) -> int:
    """Count the loops of four cells on land around which the wrapped phase does not close."""
    phasor = np.exp(1j * np.angle(truth.interferogram))
    down, right = phasor[1:] * phasor[:-1].conj(), phasor[:, 1:] * phasor[:, :-1].conj()
    loop = np.angle(down[:, :-1]) + np.angle(right[1:])
    loop -= np.angle(down[:, 1:]) + np.angle(right[:-1])
    land = truth.land[1:, 1:] & truth.land[:-1, :-1] & truth.land[1:, :-1] & truth.land[:-1, 1:]
    return int(np.count_nonzero((np.abs(loop) > np.pi) & land))


if __name__ == "__main__":
    main()
