"""S1_TIME_SERIES as a user has it: a simulated stack from products to velocity, against truth.

    python -m benchmarks.series_chain FOLDER [--dates 10] [--neighbours 3]

FOLDER holds the stack and its DEM in `dem`; when it does not exist, the stack is simulated: four
bursts of 750 lines and 6,000 samples a date over hills, one bowl that sinks by 12 cm a year and one
that rises by 5, orbits within 90 m, images up to 0.02 lines off, coherence 0.72 between dates. All
tasks of the order are done one after the other, on all cores.
"""

import argparse
import os
import resource
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.warm import warm
from benchmarks.interferogram_chain import Case
from peps_wps.chains.contract import FinishedTask, Json, Outputs, PlanContext, Task, TaskInputs
from peps_wps.chains.time_series_s1.chain import TimeSeriesS1
from peps_wps.chains.time_series_s1.tasks import KIND
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene
from simulator.tops.truth import PairTruth

Float64 = NDArray[np.float64]

REPEAT, YEAR = 12, 365.25  # days
COHERENCE = 0.85  # of each date with the ground: of two dates its square
SINKS, RISES = -0.12, 0.05  # m a year, upwards
CHAIN = TimeSeriesS1()


def simulate(folder: Path, dates: int) -> None:
    """Write the stack."""
    rng = np.random.default_rng(8)
    relief = Terrain.random(
        ROLLING_HILLS, np.radians(1.5), np.radians(43.6), rng, base=300.0, scale=0.7
    )
    scene = Scene(relief, bowls=(Bowl(-4e3, 0.0, 1_500.0, SINKS), Bowl(6e3, 1e3, 2_500.0, RISES)))
    passes = tuple(
        Pass(
            days=REPEAT * number,
            across=float(rng.uniform(-90.0, 90.0)) if number else 0.0,
            radial=float(rng.uniform(-30.0, 30.0)) if number else 0.0,
            late=float(rng.uniform(-2e-3, 2e-3)) if number else 0.0,
            misregistration=float(rng.uniform(-0.02, 0.02)) if number else 0.0,
            coherence=COHERENCE if number else 1.0,
            uplift=REPEAT * number / YEAR,
        )
        for number in range(dates)
    )
    order = Order(scene, passes=passes, bursts=4, lines=750, samples=6_000, overlap=150)
    write_passes(folder, order, Options())


@dataclass
class Spent:
    """Seconds of wall clock and of CPU."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    tasks: int = 0


@dataclass
class Stack:
    """The order's way through the chain.

    Parameters
    ----------
    case
        Products and configuration.
    finished, spent
        What tasks gave, and what they cost by kind.
    """

    case: Case
    finished: dict[str, FinishedTask] = field(default_factory=dict)
    spent: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))

    def run(self, task: Task) -> None:
        """Do a task."""
        scratch = self.case.folder / "scratch" / task.name.replace(" ", "-")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        paths = {p.uid: path for p, path in zip(self.case.products, self.case.paths, strict=True)}
        earlier = tuple(self.finished[name] for name in task.after)
        inputs = TaskInputs(paths, self.case.config, scratch, earlier)
        wall, cpu = time.perf_counter(), time.process_time()
        result = CHAIN.run(task, inputs, lambda *_: None)
        self.finished[task.name] = FinishedTask(task, result, scratch)
        spent = self.spent[str(task.body[KIND])]
        spent.wall_s += time.perf_counter() - wall
        spent.cpu_s += time.process_time() - cpu
        spent.tasks += 1

    def order(self, inputs: dict[str, list[str]]) -> tuple[Outputs, Path]:
        """Do all of an order; its outputs are in the folder that is returned."""
        order = CHAIN.parse(inputs)
        for task in CHAIN.plan(order, PlanContext(self.case, self.case.config)).tasks:
            self.run(task)
        folder = self.case.folder / "outputs"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        finished = list(self.finished.values())
        return CHAIN.gather(order, finished, folder, lambda *_: None), folder


def errors(report: Json, folder: Path, truth: Order) -> list[tuple[str, Float64, str]]:
    """Return what velocity and displacements differ from the truth, NaN without an answer."""
    files = report["files"]
    with rasterio.open(folder / files["velocity"]) as dataset:
        velocity = dataset.read(1)
        rows, columns = np.indices(dataset.shape) + 0.5
        east, north = dataset.transform @ (columns, rows)
        to_degrees = Transformer.from_crs(dataset.crs, 4326, always_xy=True)
    with rasterio.open(folder / files["displacement"]) as dataset:
        displacement = dataset.read()
    place = tuple(np.radians(axis) for axis in to_degrees.transform(east, north))
    mark = report["reference"]
    block = tuple(slice(mark[axis] - 2, mark[axis] + 3) for axis in ("row", "column"))
    moved = [np.zeros(velocity.shape)]
    moved += [
        PairTruth(truth, secondary=k).displacement(*place) for k in range(1, len(displacement))
    ]
    told = [field - field[block].mean() for field in moved]
    years = REPEAT * (len(told) - 1) / YEAR
    return [
        ("velocity", 1e3 * (velocity - told[-1] / years), "mm/year"),
        ("displacement", 1e3 * (displacement - np.array(told)), "mm"),
    ]


def told(stack: Stack, report: Json, folder: Path) -> None:
    """Say what the order cost and how far from the truth it is."""
    for kind, spent in stack.spent.items():
        print(f"{kind:8} {spent.tasks:3} tasks {spent.wall_s:7.1f} s wall {spent.cpu_s:7.1f} s CPU")
    wall, cpu = (sum(getattr(one, name) for one in stack.spent.values()) for name in _SECONDS)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"in all {wall:.1f} s wall, {cpu:.1f} s CPU, {memory:.2f} GB, load {os.getloadavg()[0]:.1f}"
    )
    print(f"answered {report['answered_percent']} of {report['seen_percent']} percent seen")
    truth = PairTruth.read(next(stack.case.folder.glob("*.truth.json"))).order
    for name, error, unit in errors(report, folder, truth):
        known = error[np.isfinite(error)]
        rms, largest = np.sqrt(np.mean(known**2)), np.abs(known).max()
        print(f"{name}: rms {rms:.2f} {unit}, largest {largest:.1f}, {known.size} values")
    print(f"pictures in {folder}")


_SECONDS = ("wall_s", "cpu_s")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dates", type=int, default=10)
    parser.add_argument("--neighbours", default="3")
    parser.add_argument("--looks", default="20x4")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    if not folder.exists():
        simulate(folder, arguments.dates)
    for name in ("var", "scratch"):
        shutil.rmtree(folder / name, ignore_errors=True)
    warm()
    stack = Stack(Case.of(folder))
    inputs = {
        "products": [product.title for product in stack.case.products],
        "looks": [arguments.looks],
        "neighbours": [arguments.neighbours],
    }
    outputs, found = stack.order(inputs)
    told(stack, outputs.report, found)


if __name__ == "__main__":
    main()
