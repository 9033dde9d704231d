"""The picture of docs/explanation/speckle.md, and what each filter does to a known scene.

python -m benchmarks.speckle_picture FILE.png
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import KDTree

from algorithms.speckle import frost, gamma_map, lee, quegan, refined_lee

Float32 = NDArray[np.float32]

LOOKS = 4.4
DATES = 15
SIDE = 180  # pixels of the picture
LARGE = 600  # pixels of the homogeneous scene that looks are counted on
DARK_DB, BRIGHT_DB = -22.0, -2.0
GAP = 6
BACKSCATTER = 0.05


def fields(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return fields of -18 to -6 dB with a road, a river and point targets."""
    row, column = np.indices((SIDE, SIDE))
    _, nearest = KDTree(rng.uniform(0, SIDE, (30, 2))).query(np.stack([row, column], axis=-1))
    scene: NDArray[np.float64] = 10 ** (rng.uniform(-18, -6, 30) / 10)[nearest]
    scene[np.abs(row - 0.6 * column - 20) < 1.2] = 10**-2.1
    scene[np.abs(column - 120 - 15 * np.sin(row / 20)) < 4] = 10**-2.2
    for place in rng.integers(10, SIDE - 10, (12, 2)):
        scene[tuple(place)] = 3.0
    return scene


def speckled(rng: np.random.Generator, scene: NDArray[np.float64]) -> Float32:
    """Return independent images of a scene, shape (time, row, column)."""
    return (scene * rng.gamma(LOOKS, 1 / LOOKS, (DATES, *scene.shape))).astype(np.float32)


FILTERS: dict[str, Callable[[Float32], Float32]] = {
    "one date": lambda stack: stack[7],
    "quegan": lambda stack: quegan(stack)[7],
    "lee": lambda stack: lee(stack[7], looks=LOOKS),
    "refined_lee": lambda stack: refined_lee(stack[7], looks=LOOKS),
    "gammamap": lambda stack: gamma_map(stack[7], looks=LOOKS),
    "frost": lambda stack: frost(stack[7]),
}
SHOWN = ("one date", "quegan", "refined_lee")


def grey(power: Float32) -> NDArray[np.uint8]:
    """Return decibels as grey values."""
    decibels = 10 * np.log10(power)
    share = np.clip((decibels - DARK_DB) / (BRIGHT_DB - DARK_DB), 0, 1)
    return np.asarray(share * 255).astype(np.uint8)


def main() -> None:
    rng = np.random.default_rng(5)
    homogeneous = speckled(rng, np.full((LARGE, LARGE), BACKSCATTER))
    for name, apply in FILTERS.items():
        after = apply(homogeneous)
        looks = after.mean(dtype=np.float64) ** 2 / after.var(dtype=np.float64)
        bias = 10 * np.log10(after.mean(dtype=np.float64) / BACKSCATTER)
        print(f"{name:12} {looks:6.1f} looks, mean {bias:+.3f} dB")
    stack = speckled(rng, fields(rng))
    gap = np.full((SIDE, GAP), 255, np.uint8)
    parts = [part for name in SHOWN for part in (grey(FILTERS[name](stack)), gap)]
    Image.fromarray(np.hstack(parts[:-1])).save(Path(sys.argv[1]), optimize=True)


if __name__ == "__main__":
    main()
