"""Coherence of whole chains against what is true of simulated pairs.

    python -m benchmarks.coherence_chain [--mode IW] [--coherences 0.2 0.3 0.5 0.7 0.9]

Products of one swath with relief, a rising bowl, a baseline of 85 m and noise go through
S1_COHERENCE (10x2 looks) and S1_INTERFEROGRAM (20x4 looks), with every cell alone and with
neighbours joined; errors are means over pixels of land, a window away from water.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from scipy.ndimage import binary_erosion

from peps_wps.chains.coherence_s1.chain import CoherenceS1
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.chains.interferometry.order_fields import DEFAULT_COHERENCE_LOOKS
from simulator.tops.instrument import MODES
from simulator.tops.truth import PairTruth
from tests.chains.interferometry.simulated_pair import simulate_pair

ALONE = "1"
AWAY_M = 400.0  # from water
SWATHS = {"IW": ("IW2",), "EW": ("EW3",)}
CHAINS = {
    "S1_COHERENCE": (CoherenceS1, {"polarizations": ["VV"]}),
    "S1_INTERFEROGRAM": (InterferogramS1, {"unwrap": ["none"], "filter": ["none"]}),
}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=tuple(SWATHS), default="IW")
    parser.add_argument("--coherences", nargs="+", type=float, default=[0.2, 0.3, 0.5, 0.7, 0.9])
    options = parser.parse_args()
    for coherence in options.coherences:
        with tempfile.TemporaryDirectory() as folder:
            report(Path(folder), options.mode, coherence)


def report(folder: Path, mode: str, coherence: float) -> None:
    """Simulate a pair, and print how its coherences lie off."""
    pair = simulate_pair(
        folder,
        coherence=coherence,
        mode=MODES[mode],
        swaths=SWATHS[mode],
        samples=2_400,
        lines=500,
    )
    for name, (chain, inputs) in CHAINS.items():
        for looks in (ALONE, f"{DEFAULT_COHERENCE_LOOKS:g}"):
            asked = {**pair.titles(), **inputs, "coherence_looks": [looks]}
            made = pair.make(chain(), folder / f"{name}-{looks}", asked)
            paths = made.last.folder.rglob("*_coherence.tif")
            errors = np.concatenate(list(map(partial(errors_of, pair.truth), paths)))
            print(
                f"{mode} {coherence:.2f} {name}, {looks} looks: "
                f"{errors.mean():+.4f} +- {errors.std():.3f}, {errors.size} pixels"
            )


def errors_of(truth: PairTruth, path: Path) -> np.ndarray:
    """Return how far the pixels of land lie off."""
    with rasterio.open(path) as dataset:
        found = dataset.read(1)
        transform, crs = dataset.transform, dataset.crs
    held = np.isfinite(found)
    rows, columns = np.nonzero(held)
    easting, northing = transform @ (columns + 0.5, rows + 0.5)
    to_geographic = Transformer.from_crs(crs, 4326, always_xy=True)
    place = np.radians(to_geographic.transform(easting, northing))
    true = np.full(found.shape, np.nan)
    true[rows, columns] = truth.coherence(*place)
    land = binary_erosion(true != 0.0, iterations=round(AWAY_M / transform.a), border_value=True)
    inner = land & held
    return (found - true)[inner]


if __name__ == "__main__":
    main()
