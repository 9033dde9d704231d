"""Unwrapping of a simulated interferogram: wrong cycles and cost, snaphu beside.

    python -m benchmarks.unwrapping [--size 2000] [--looks 20] [--seed 1] [--coherence 0.68]
        [--methods whirlwind snaphu]

The interferogram has the exact statistics of its looks, deformation of up to 0.4 rad a cell,
turbulent atmosphere, and water of 9 percent, which is masked.
"""

import argparse
import os
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from algorithms.unwrapping import Method, unwrap
from benchmarks.measure import measure
from simulator.interferogram import Interferogram, score_unwrapping, simulate_interferogram


def main() -> None:
    """Unwrap with every method and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2_000)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coherence", type=float, default=0.68)
    parser.add_argument("--methods", nargs="+", default=get_args(Method))
    options = parser.parse_args()
    truth = simulate_interferogram(
        options.size, looks=options.looks, seed=options.seed, coherence=options.coherence
    )
    print(f"{options.size} x {options.size}, {options.looks} looks, {residues(truth)} residues")
    with tempfile.TemporaryDirectory() as folder:
        for method in options.methods:
            result = Path(folder) / f"{method}.npz"
            cost = measure(partial(run, truth, options.looks, method, result))
            with np.load(result) as found:
                score = score_unwrapping(truth, found["phase"], found["components"])
                cpu_s = float(found["cpu_s"])
            print(
                f"{method:10} {replace(cost, cpu_s=cpu_s)}  wrong cycles {score.everywhere:.3%}, "
                f"inside components {score.inside:.4%}, labelled {score.labelled:.1%}"
            )


def run(truth: Interferogram, looks: int, method: Method, result: Path) -> None:
    """Unwrap the land and save what comes out, and the CPU time of what was started for it too."""
    before = os.times()
    phase, components = unwrap(
        truth.interferogram, truth.coherence, looks=looks, mask=truth.land, method=method
    )
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
