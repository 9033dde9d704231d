"""Cost of S1_INTERFEROGRAM: a full swath of nine bursts, or a whole product.

    python -m benchmarks.interferogram_chain FOLDER [--swaths IW2] [--part cells last]
        [--looks 20x4] [--unwrap whirlwind]

FOLDER holds a full-size pair of some swaths and its DEM in `dem`; when it does not exist, the pair
is simulated: images of noise, three gigabytes a swath. `cells` measures the tasks of the bursts,
from files to cells; `last` the task that merges, filters, unwraps and maps them, noise being the
worst that can be unwrapped. A whole product, `--swaths IW1 IW2 IW3`, has 2.8 times the pixels of
swath IW2: swaths of 22612, 26395 and 25384 samples a line.
"""

import argparse
import os
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from algorithms.warm import warm
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import FinishedTask, PlanContext, Task, TaskInputs
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.config import Config
from peps_wps.readers.product_metadata import read_metadata
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Scene

SECONDARY = Pass(days=12, across=85.0, radial=20.0, late=2.3e-3)
# Lines and samples of a burst of IW1, IW2 and IW3: reference/insar_corr.md, section 2.2.
SIZES = {"IW1": (1502, 22612), "IW2": (1513, 26395), "IW3": (1518, 25384)}
BURSTS = 9


@dataclass(frozen=True)
class Case:
    """A pair in a folder, as the chain's catalogue and configuration."""

    folder: Path
    paths: tuple[Path, ...]
    config: Config
    products: tuple[Product, ...]

    @classmethod
    def of(cls, folder: Path) -> "Case":
        paths = tuple(sorted(path for path in folder.iterdir() if path.suffix == ".SAFE"))
        config = Config.load(
            var=folder / "var",
            environ={
                "PEPS_DEM_PATH": str(folder / "dem"),
                "PEPS_ORBITS_PATH": str(folder / "orbits"),
            },
        )
        return cls(folder, paths, config, tuple(_product(path) for path in paths))

    def product(self, identifier: str) -> Product | None:
        return next((one for one in self.products if one.title == identifier), None)

    @property
    def pixels(self) -> float:
        """Of an image, millions."""
        swaths = (self.products[0].swath or "").split()
        return sum(BURSTS * np.prod(SIZES[swath]) / 1e6 for swath in swaths)

    def tasks(self, looks: str, unwrap: str) -> list[Task]:
        chain = InterferogramS1()
        reference, secondary = (product.title for product in self.products)
        asked = {"reference": [reference], "secondary": [secondary], "looks": [looks]}
        asked["unwrap"] = [unwrap]
        order = chain.parse(asked)
        return list(chain.plan(order, PlanContext(self, self.config)).tasks)

    def run(self, task: Task, earlier: tuple[FinishedTask, ...] = ()) -> FinishedTask:
        scratch = self.folder / "scratch" / task.name.replace(" ", "-")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        paths = {one.uid: path for one, path in zip(self.products, self.paths, strict=True)}
        inputs = TaskInputs(paths, self.config, scratch, earlier)
        return FinishedTask(task, InterferogramS1().run(task, inputs, lambda *_: None), scratch)


def _product(path: Path) -> Product:
    metadata = read_metadata(path)
    values = {k: v for k, v in vars(metadata).items() if k in Product.__dataclass_fields__}
    return Product(**values, published=metadata.start, updated=metadata.start, size_bytes=1)


def simulate(folder: Path, swaths: tuple[str, ...]) -> None:
    """Write the pair."""
    rng = np.random.default_rng(1)
    relief = Terrain.random(
        ROLLING_HILLS, np.radians(1.5), np.radians(43.6), rng, base=480.0, scale=0.7
    )
    order = Order(Scene(relief), passes=(Pass(), SECONDARY), swaths=swaths, bursts=BURSTS)
    write_passes(folder, order, Options(is_noise=True))


def timed(what: str, work: Callable[[], object]) -> tuple[float, float]:
    """Run work, say and return its seconds of wall and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    load = os.getloadavg()[0]
    print(f"{what}: {wall:.1f} s wall, {cpu:.1f} s CPU, {memory:.2f} GB so far, load {load:.1f}")
    return wall, cpu


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", nargs="+", choices=("cells", "last"), default=("cells", "last"))
    parser.add_argument("--looks", default="20x4")
    parser.add_argument("--swaths", nargs="+", choices=SIZES, default=("IW2",))
    parser.add_argument("--unwrap", default="whirlwind")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        simulate(arguments.folder, tuple(arguments.swaths))
    warm()
    case = Case.of(arguments.folder)
    *bursts, last = case.tasks(arguments.looks, arguments.unwrap)
    finished: list[FinishedTask] = []

    def compute() -> None:
        finished.extend(case.run(task) for task in bursts)

    pixels = case.pixels
    whole = sum(BURSTS * np.prod(size) for size in SIZES.values()) / 1e6
    total = np.zeros(2)
    cost = timed(f"cells of {len(bursts)} tasks, {pixels:.0f} Mpx", compute)
    print(f"  {cost[1] / pixels:.3f} CPU s for a million pixels, reading and all")
    total += np.array(cost)
    if "last" in arguments.part:
        total += timed("merging, filter, unwrapping, map", lambda: case.run(last, tuple(finished)))
    scale = whole / pixels
    print(f"three swaths: {scale * total[0]:.0f} s wall, {scale * total[1]:.0f} s CPU")
    shutil.rmtree(case.folder / "scratch")


if __name__ == "__main__":
    main()
