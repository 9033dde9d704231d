"""Inversion of a stack of interferograms with known displacement, beside insar-rs.

    python -m benchmarks.time_series [--size 400] [--peer PYTHON]

30 dates, 80 pairs, 15 percent of the phases missing, wrong cycles over areas of some pairs; the
same arrays for all. PYTHON has insar-rs. "Displacement" is measured against truth with the delay of
the air, which is of the dates: no inversion can tell it. CPU seconds on one thread.
"""

import argparse
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithms.time_series import Radar, Settings, TemporalModel, invert
from simulator import stack as simulated
from simulator.stack import Disturbances, Stack, make_stack

PEER = Path(__file__).parent / "peers" / "series.py"
RADAR = Radar(simulated.WAVELENGTH, simulated.SLANT_RANGE, simulated.INCIDENCE_ANGLE)
HEADER = (
    f"{'solver':34} {'us/pixel':>8} {'answered':>8} {'displacement mm':>15} "
    f"{'velocity mm/yr':>14} {'height m':>8}"
)


@dataclass(frozen=True)
class Answer:
    """What a solver found; NaN where it has no answer."""

    cpu_s: float
    velocity: NDArray[np.float32]
    displacement: NDArray[np.float32] | None = None
    dem_error: NDArray[np.float32] | None = None


def weights_of(stack: Stack) -> NDArray[np.float32]:
    """Return inverse variances of phases by coherence."""
    square = stack.coherence**2
    return np.asarray(square / (1.0 - square), np.float32)


def ours(stack: Stack, *, is_weighted: bool, settings: Settings) -> Answer:
    """Invert on one thread, compiled before."""
    weights = weights_of(stack) if is_weighted else None
    invert(stack.phases[:, :4, :4], stack.pairs, stack.days)
    start = time.process_time()
    series = invert(
        stack.phases,
        stack.pairs,
        stack.days,
        perpendicular_baselines=stack.baselines,
        weights=weights,
        radar=RADAR,
        settings=settings,
    )
    cpu_s = time.process_time() - start
    return Answer(cpu_s, series.velocity, series.displacement, series.dem_error)


def peer(python: Path, stack: Stack, *words: str) -> Answer:
    """Run insar-rs in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "stack.npz"), Path(folder, "answer.npz")
        np.savez(given, phases=stack.phases, pairs=stack.pairs, days=stack.days)
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
        command = [str(python), str(PEER), str(given), str(found), *words]
        subprocess.run(command, check=True, env=environ)
        with np.load(found) as answer:
            return Answer(float(answer["cpu_s"]), answer["velocity"], answer["displacement"])


def line(name: str, answer: Answer, stack: Stack) -> str:
    """Return one row of the table."""
    answered = np.isfinite(answer.velocity)
    displacement = height = np.nan
    if answer.displacement is not None:
        answered &= np.isfinite(answer.displacement).all(axis=0)
        error = answer.displacement - stack.displacement - stack.delay
        displacement = 1e3 * rms(error[:, answered])
    if answer.dem_error is not None:
        height = rms((answer.dem_error - stack.dem_error)[answered])
    velocity = 1e3 * rms((answer.velocity - stack.velocity)[answered])
    return (
        f"{name:34} {1e6 * answer.cpu_s / answered.size:8.1f} {answered.mean():8.2%} "
        f"{displacement:15.2f} {velocity:14.1f} {height:8.1f}"
    )


def rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--peer", type=Path)
    arguments = parser.parse_args()
    yearly, trusting = TemporalModel(seasonal=True), Settings(iterations=0)
    for share, gaps in ((0.08, 0.15), (0.3, 0.15), (0.0, 0.0)):
        disturbances = Disturbances(wrong_pairs=share, gaps=gaps)
        stack = make_stack(arguments.size, seed=3, disturbances=disturbances)
        print(
            f"\n{stack.phases.shape}, {np.isnan(stack.phases).mean():.0%} missing, "
            f"{stack.is_wrong.any(axis=(1, 2)).sum()} pairs with wrong cycles, "
            f"{stack.is_wrong.mean():.2%} of the phases\n{HEADER}"
        )
        runs = {
            "PEPS": (True, Settings()),
            "PEPS, with seasons": (True, Settings(yearly)),
            "PEPS, unweighted": (False, Settings()),
            "PEPS, trusting every phase": (True, trusting),
        }
        for name, (is_weighted, settings) in runs.items():
            answer = ours(stack, is_weighted=is_weighted, settings=settings)
            print(line(name, answer, stack), flush=True)
        if arguments.peer is not None:
            for name, words in (("insar-rs", ()), ("insar-rs, cycles corrected", ("close",))):
                print(line(name, peer(arguments.peer, stack, *words), stack), flush=True)


if __name__ == "__main__":
    main()
