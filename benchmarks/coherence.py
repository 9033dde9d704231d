"""Bias, noise and sharpness of coherences: speckle of the bandwidths of Sentinel-1, truth known.

    python -m benchmarks.coherence [--looks 10x2 20x4 5x1] [--swaths IW2 EW1 EW5] [--size 400]
                                   [--joined 100]

Two images of speckle share a known coherence. `alone` corrects every cell by itself, `box` joins
3 x 3 cells by sums of products and powers, `joined` is `ground_coherence`. Then: a border between
fields, how many cells away their coherences are met within a tenth of the step, also where the
coherent field is ten times as bright (and how far the border moves); and what a bright target does
to noise around it.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter

from algorithms.interferometry.cells import Looks, PairCells, multilook_pair
from algorithms.interferometry.coherence import independent_looks, unbiased_coherence
from algorithms.interferometry.ground_coherence import (
    COHERENCE_LOOKS,
    CoherenceWindow,
    coherence_window,
    ground_coherence,
)
from algorithms.interferometry.model import Burst, Complex64, Float32, SpectralWindow
from simulator.tops.instrument import MODES
from tests.algorithms.interferometry.scene import make_burst

COHERENCES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
STEP = 0.9, 0.3  # of the border
TARGET = 1_000.0  # times the power around
SLOPE = 0.3  # radians a cell

Estimator = Callable[[PairCells], Float32]


class Sampled(NamedTuple):
    """What speckle looks like."""

    burst: Burst
    looks: Looks
    shape: tuple[int, int]


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--looks", nargs="+", default=["10x2", "20x4", "5x1"])
    parser.add_argument("--swaths", nargs="+", default=["IW2", "EW1", "EW5"])
    parser.add_argument("--size", type=int, default=400, help="cells a side")
    parser.add_argument("--joined", type=float, default=COHERENCE_LOOKS)
    options = parser.parse_args()
    for name in options.swaths:
        for text in options.looks:
            across, along = map(int, text.split("x"))
            looks = Looks(along, across)
            shape = options.size * along, options.size * across
            report(name, Sampled(burst_of(name), looks, shape), options.joined)


def burst_of(name: str) -> Burst:
    """Return a burst with the bandwidths of a swath."""
    mode = MODES[name[:2]]
    swath = mode.swath(name)
    return make_burst(
        azimuth_time_interval=mode.line_interval,
        range_sampling_rate=mode.sampling_rate,
        azimuth_window=SpectralWindow(*swath.azimuth_band),
        range_window=SpectralWindow(*swath.range_band),
    )


def report(name: str, sampled: Sampled, joined: float) -> None:
    """Print bias and scatter for a swath and looks."""
    rng = np.random.default_rng(1)
    window = coherence_window(sampled.burst, sampled.looks, joined)
    looks = independent_looks(sampled.burst, sampled.looks, np.full(3, 1.0 / 3.0))
    estimators: dict[str, Estimator] = {
        "alone": partial(alone, looks=window.cell_looks),
        "box": partial(boxed, looks=looks),
        "joined": partial(joined_cells, window=window),
    }
    print(
        f"{name} {sampled.looks.range}x{sampled.looks.azimuth}: {window.cell_looks:.1f} looks, "
        f"3 x 3 {looks:.1f}, joined {window.looks:.1f} (sigma {window.sigma:.2f} cells)"
    )
    first, other = speckle(sampled, rng), speckle(sampled, rng)
    for truth in COHERENCES:
        cells = pair_of(first, other, truth, sampled)
        found = {which: estimate(cells)[20:-20, 20:-20] for which, estimate in estimators.items()}
        found["sloped"] = estimators["joined"](sloped(cells))[20:-20, 20:-20]
        shown = (
            f"{which} {np.mean(part) - truth:+.4f} +- {np.std(part):.3f}"
            for which, part in found.items()
        )
        print(f"  {truth:.1f}: {', '.join(shown)}")
    for which, estimate in estimators.items():
        plain, beside = (border(first, other, sampled, estimate, power) for power in (1.0, 10.0))
        print(
            f"  {which}: border {plain[0]:.1f} cells wide; beside a bright field {beside[0]:.1f}, "
            f"moved by {beside[1] - plain[1]:.2f}; around a target "
            f"{around_target(first, other, sampled, estimate)} cells above 0.5"
        )
    clock = time.process_time()
    estimators["joined"](cells)
    clock = time.process_time() - clock
    print(f"  {1e9 * clock / cells.interferogram.size:.0f} ns of CPU a cell")


def alone(cells: PairCells, looks: float) -> Float32:
    """Correct every cell by itself."""
    return unbiased_coherence(cells.coherence, looks)


def boxed(cells: PairCells, looks: float) -> Float32:
    """Join 3 x 3 cells by their sums."""
    sums = cells._replace(
        interferogram=uniform_filter(cells.interferogram, 3),
        reference_power=uniform_filter(cells.reference_power, 3),
        secondary_power=uniform_filter(cells.secondary_power, 3),
    )
    return unbiased_coherence(sums.coherence, looks)


def joined_cells(cells: PairCells, window: CoherenceWindow) -> Float32:
    """Join cells by the window."""
    return ground_coherence(cells, [(slice(0, cells.interferogram.shape[1]), window)])


def speckle(sampled: Sampled, rng: np.random.Generator) -> Complex64:
    """Draw speckle of mean power 1 with the spectrum of a burst."""
    noise = rng.standard_normal((*sampled.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
    burst = sampled.burst
    weights = []
    for size, window, rate in (
        (sampled.shape[0], burst.azimuth_window, 1.0 / burst.azimuth_time_interval),
        (sampled.shape[1], burst.range_window, burst.range_sampling_rate),
    ):
        frequency = fft.fftfreq(size) * rate / window.bandwidth
        hamming = window.hamming + (1.0 - window.hamming) * np.cos(2.0 * np.pi * frequency)
        weights.append(np.where(np.abs(frequency) <= 0.5, hamming, 0.0).astype(np.float32))
    image = fft.ifft2(fft.fft2(noise) * np.outer(*weights))
    normal: Complex64 = (image / np.sqrt(np.mean(np.abs(image) ** 2))).astype(np.complex64)
    return normal


def pair_of(
    first: Complex64,
    other: Complex64,
    coherence: float | NDArray[np.float32],
    sampled: Sampled,
    power: float | NDArray[np.float32] = 1.0,
) -> PairCells:
    """Return cells of two images with a coherence, a number or that of each column of pixels."""
    amplitude = np.sqrt(np.float32(power))
    share = np.float32(coherence)
    second = amplitude * (share * first + np.sqrt(1.0 - share**2) * other)
    return multilook_pair(amplitude * first, second.astype(np.complex64), sampled.looks)


def sloped(cells: PairCells) -> PairCells:
    """Give the phase of cells a slope."""
    row, column = np.indices(cells.interferogram.shape, dtype=np.float32)
    turn = np.exp(1j * SLOPE * (column - 0.5 * row)).astype(np.complex64)
    return cells._replace(interferogram=cells.interferogram * turn)


def border(
    first: Complex64, other: Complex64, sampled: Sampled, estimate: Estimator, bright: float
) -> tuple[float, float]:
    """Return over how many cells the mean goes from 90 to 10 percent of a step, and where 50."""
    width = sampled.shape[1]
    is_left = np.arange(width) < (width // sampled.looks.range // 2) * sampled.looks.range
    coherence = np.where(is_left, *STEP).astype(np.float32)
    power = np.where(is_left, bright, 1.0).astype(np.float32)
    profile = estimate(pair_of(first, other, coherence, sampled, power)).mean(axis=0)
    near = slice(profile.size // 2 - 12, profile.size // 2 + 12)
    falling = (STEP[0] - profile[near]) / (STEP[0] - STEP[1])
    places = np.interp([0.1, 0.5, 0.9], np.maximum.accumulate(falling), np.arange(falling.size))
    return float(places[2] - places[0]), float(places[1])


def around_target(first: Complex64, other: Complex64, sampled: Sampled, estimate: Estimator) -> int:
    """Return how many cells around a steady bright target in noise seem coherent."""
    cells = pair_of(first, other, 0.0, sampled)
    place = (cells.interferogram.shape[0] // 2, cells.interferogram.shape[1] // 2)
    around = tuple(slice(index - 8, index + 9) for index in place)
    without = estimate(cells)[around] > 0.5
    for part in cells[2:]:
        part[place] = TARGET
    return int(np.count_nonzero(estimate(cells)[around] > 0.5) - np.count_nonzero(without))


if __name__ == "__main__":
    main()
