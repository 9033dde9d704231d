"""A simulated pair with its truth, and the way of an order through a chain without a service."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import Chain, FinishedTask, Outputs, PlanContext, Task, TaskInputs
from peps_wps.config import Config
from simulator.terrain import ROLLING_HILLS
from simulator.terrain import Terrain as Relief
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene
from simulator.tops.truth import PairTruth
from tests.chains.simulated_pass import configuration, product_of

COHERENCE, SHIFT = 0.9, 0.008
UPLIFT, BOWL_M = 0.05, 900.0  # m, radius of the bowl


@dataclass(frozen=True)
class Made:
    """What an order gave."""

    outputs: Outputs
    folder: Path
    finished: tuple[FinishedTask, ...]

    @property
    def last(self) -> FinishedTask:
        return self.finished[-1]

    def layer(self, name: str, task: FinishedTask | None = None) -> Path:
        """Return the only file of a layer."""
        (found,) = (task or self.last).folder.rglob(f"*_{name}.tif")
        return found


@dataclass(frozen=True)
class SimulatedPair:
    """Products of some passes of a track."""

    folder: Path
    paths: tuple[Path, ...]
    config: Config
    products: tuple[Product, ...]
    told: list[str] = field(default_factory=list)

    @property
    def truth(self) -> PairTruth:
        return self.truth_of(1)

    def truth_of(self, number: int) -> PairTruth:
        title = self.paths[number].name.removesuffix(".SAFE")
        return PairTruth.read(self.folder / f"{title}.truth.json")

    def product(self, identifier: str) -> Product | None:
        found = [one for one in self.products if identifier in (one.title, one.uid)]
        return found[0] if found else None

    def titles(self) -> dict[str, list[str]]:
        reference, secondary = (product.title for product in self.products[:2])
        return {"reference": [reference], "secondary": [secondary]}

    def at(self, name: str, paths: Sequence[Path]) -> "SimulatedPair":
        """The same order from other files, under a configuration of its own."""
        products = tuple(product_of(path) for path in paths)
        config = configuration(self.folder, f"var-{name}")
        return replace(self, paths=tuple(paths), products=products, config=config, told=[])

    def plan(self, chain: Chain[Any], inputs: dict[str, Sequence[str]]) -> tuple[Any, list[Task]]:
        order = chain.parse(inputs)
        order = chain.order_from_json(chain.order_to_json(order))
        return order, list(chain.plan(order, PlanContext(self, self.config)).tasks)

    def make(self, chain: Chain[Any], folder: Path, inputs: dict[str, Sequence[str]]) -> Made:
        """Run all tasks of an order and gather them."""
        order, tasks = self.plan(chain, inputs)
        paths = {p.uid: path for p, path in zip(self.products, self.paths, strict=True)}
        finished: dict[str, FinishedTask] = {}
        for number, task in enumerate(tasks):
            scratch = folder / f"task-{number}"
            scratch.mkdir(parents=True)
            earlier = tuple(finished[name] for name in task.after)
            given = TaskInputs({u: paths[u] for u in task.products}, self.config, scratch, earlier)
            result = chain.run(task, given, lambda message, _share: self.told.append(message))
            finished[task.name] = FinishedTask(task, result, scratch)
        done = tuple(finished.values())
        out = folder / "out"
        out.mkdir()
        return Made(chain.gather(order, done, out, lambda *_: None), out, done)


def simulate_pair(
    folder: Path,
    *,
    later: int = 1,
    coherence: float = COHERENCE,
    orbit_files: str | None = None,
    slices: tuple[range, ...] = (),
    **choices: Any,
) -> SimulatedPair:
    """Simulate passes over hills with a bowl that rises.

    Parameters
    ----------
    later
        How many passes after the first one.
    coherence
        Of them with the first one.
    orbit_files
        Kind of the orbit files beside.
    slices
        Bursts of each product of a pass.
    choices
        Fields of the simulator's order.
    """
    relief = Relief.random(
        ROLLING_HILLS, np.radians(1.44), np.radians(43.6), np.random.default_rng(3)
    )
    passes = tuple(
        Pass(
            days=12 * number,
            across=85.0,
            radial=20.0,
            late=2.3e-3,
            coherence=coherence,
            uplift=float(number),
            misregistration=SHIFT,
        )
        for number in range(1, later + 1)
    )
    ordered = {"bursts": 2, "lines": 300, "samples": 700, "overlap": 100, **choices}
    scene = Scene(relief, bowls=(Bowl(0.0, 0.0, BOWL_M, UPLIFT),))
    order = Order(scene, passes=(Pass(), *passes), **ordered)
    paths = write_passes(folder, order, Options(threads=1, orbit_files=orbit_files, slices=slices))
    products = tuple(product_of(path) for path in paths)
    return SimulatedPair(folder, tuple(paths), configuration(folder), products)
