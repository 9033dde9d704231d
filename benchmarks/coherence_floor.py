"""How little coherence can be shown where there is none, and what that would cost.

    python -m benchmarks.coherence_floor [--looks 100]

A coherence of the ground is told from the magnitude of a mean of some independent looks, by a
function that rises and is never negative. Rice's distribution gives the mean of any such function
at every coherence, so that the one that shows least where there is none, but is right from 0.2 on
within a tolerance, is a linear programme. Beside it: `ground_coherence` as it is.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import ive

from algorithms.interferometry.cells import PairCells
from algorithms.interferometry.ground_coherence import CoherenceWindow, ground_coherence
from simulator.interferogram import speckled

TRUTHS = np.concatenate([[0.0, 0.05, 0.1, 0.15], np.arange(0.2, 0.9, 0.02)])
RIGHT = TRUTHS >= 0.2  # where the bar of 0.01 is
SHOWN = (0, 1, 2, 3, 4, 9)  # of the coherences
TOLERANCES = (0.002, 0.005, 0.01)
MAGNITUDES = np.linspace(0.0, 1.1, 441)
SIDE, CELL_LOOKS = 400, 10

Float64 = NDArray[np.float64]


def main() -> None:
    """Print mean errors and scatter at some coherences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--looks", type=float, default=100.0)
    looks = parser.parse_args().looks
    print("coherence: mean error +- scatter at " + ", ".join(f"{TRUTHS[n]:.2f}" for n in SHOWN))
    found = [as_it_is(truth, looks) for truth in TRUTHS[list(SHOWN)]]
    print("as it is: " + ", ".join(f"{off:+.3f} +- {scatter:.3f}" for off, scatter in found))
    density = np.array([rice(truth, looks) for truth in TRUTHS])
    for tolerance in TOLERANCES:
        told = least_at_none(density, tolerance)
        mean = density @ told
        scatter = np.sqrt(density @ told**2 - mean**2)
        listed = (f"{mean[n] - TRUTHS[n]:+.3f} +- {scatter[n]:.3f}" for n in SHOWN)
        print(f"least at 0, off by {tolerance} from 0.2 on: " + ", ".join(listed))


def as_it_is(truth: float, looks: float) -> tuple[float, float]:
    """Return mean error and scatter of `ground_coherence` on speckle."""
    rng = np.random.default_rng(1)
    flat = np.zeros((SIDE, SIDE), np.float32)
    mean, sample = speckled(flat, np.full_like(flat, truth), CELL_LOOKS, rng)
    power = np.abs(mean) / sample
    # So many cells are worth what Gaussian weights of this standard deviation join.
    sigma = np.sqrt(looks / CELL_LOOKS / (4.0 * np.pi))
    window = CoherenceWindow(float(sigma), CELL_LOOKS, looks)
    found = ground_coherence(PairCells(0, 0, mean, power, power), [(slice(0, SIDE), window)])
    return float(found.mean() - truth), float(found.std())


def rice(truth: float, looks: float) -> Float64:
    """Return the distribution of the magnitude of a mean of looks, of sum 1."""
    variance = 0.5 * (1.0 - truth**2) / looks
    density = MAGNITUDES * np.exp(-0.5 * (MAGNITUDES - truth) ** 2 / variance)
    density *= ive(0, MAGNITUDES * truth / variance)
    return np.asarray(density / density.sum())


def least_at_none(density: Float64, tolerance: float) -> Float64:
    """Return the rising function of the magnitude that shows least where there is none."""
    right, truths = density[RIGHT], TRUTHS[RIGHT]
    size = MAGNITUDES.size
    falls = np.eye(size - 1, size) - np.eye(size - 1, size, 1)
    limits = [truths + tolerance, tolerance - truths, np.zeros(size - 1)]
    solved = linprog(
        density[0],
        A_ub=np.vstack([right, -right, falls]),
        b_ub=np.concatenate(limits),
        bounds=(0.0, 1.0),
    )
    return np.asarray(solved.x)


if __name__ == "__main__":
    main()
