"""A simulated stack of four dates whose ground rises evenly, and the way of orders through it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import FinishedTask, Json, Outputs, PlanContext, Task, TaskInputs
from peps_wps.chains.time_series_s1.chain import TimeSeriesS1
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.resto.query import RestoSearch
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene
from simulator.tops.truth import PairTruth
from tests.chains.simulated_pass import configuration, product_of
from tests.chains.tiling_s1.simulated_series import meets

UPLIFT = 0.045  # m, upwards, over the whole time
REPEAT = 12  # days
# Lines by which the images of each date lie late.
SHIFTS = (0.0, 0.012, -0.009, 0.018)
PLACES = ((0.0, 0.0, 0.0), (85.0, 20.0, 2.3e-3), (-60.0, 10.0, -1e-3), (30.0, -30.0, 4e-4))
LONGITUDE, LATITUDE = 1.44, 43.6

CHAIN = TimeSeriesS1()


@dataclass
class Run:
    """What an order became."""

    tasks: list[Task]
    finished: dict[str, FinishedTask] = field(default_factory=dict)
    outputs: Outputs | None = None
    folder: Path = Path()

    @property
    def report(self) -> Json:
        assert self.outputs is not None
        return self.outputs.report

    def values(self, kind: str) -> NDArray[np.float32]:
        """All bands of an output."""
        with rasterio.open(self.path(kind)) as dataset:
            found: NDArray[np.float32] = dataset.read()
        return found if len(found) > 1 else found[0]

    def path(self, kind: str) -> Path:
        return self.folder / self.report["files"][kind]

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude of the pixels, radians."""
        with rasterio.open(self.path("velocity")) as dataset:
            rows, columns = np.indices(dataset.shape) + 0.5
            place = dataset.transform @ (columns, rows)
            epsg = dataset.crs.to_epsg()
        longitude, latitude = Transformer.from_crs(epsg, 4326, always_xy=True).transform(*place)
        return np.radians(longitude), np.radians(latitude)


@dataclass(frozen=True)
class SimulatedStack:
    """Products of a track, and a service that has them; the catalogue of a plan."""

    folder: Path
    paths: dict[str, Path]
    products: tuple[Product, ...]
    config: Config
    flown: Order
    made: dict[str, Run] = field(default_factory=dict)

    def product(self, identifier: str) -> Product | None:
        found = [one for one in self.products if identifier in (one.title, one.uid)]
        return found[0] if found else None

    def search(self, asked: RestoSearch, most: int) -> Sequence[Product]:
        return [product for product in self.products if meets(product, asked.query)]

    @property
    def lake(self) -> Lake:
        return Lake(self.config.datalake.path)

    @cached_property
    def titles(self) -> str:
        return " ".join(product.title for product in self.products)

    def truth(self, secondary: int) -> PairTruth:
        return PairTruth(self.flown, secondary=secondary)

    def service(self, name: str, **environ: str) -> "SimulatedStack":
        """The same products under another configuration and an empty datalake."""
        return replace(self, config=configured(self.folder, f"var-{name}", **environ), made={})

    def changed(self, number: int, **fields: Any) -> "SimulatedStack":
        """The same stack, the catalogue saying something else of a product."""
        products = list(self.products)
        products[number] = replace(products[number], **fields)
        return replace(self, products=tuple(products))

    def plan(self, **inputs: str) -> Run:
        """Plan an order of all products, or of what is sought; values are parted by blanks."""
        given = {"looks": "8x2", "resolution": "30", **inputs}
        if "relative_orbit" not in given:
            given = {"products": self.titles, **given}
        listed = {
            name: [value] if name == "geometry" else value.split() for name, value in given.items()
        }
        order = CHAIN.order_from_json(CHAIN.order_to_json(CHAIN.parse(listed)))
        return Run(list(CHAIN.plan(order, PlanContext(self, self.config)).tasks))

    def do(self, task: Task, run: Run) -> FinishedTask:
        """Do a task after those before it."""
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.config.var))
        inputs = TaskInputs(
            {uid: self.paths[uid] for uid in task.products},
            self.config,
            scratch,
            tuple(run.finished[name] for name in task.after),
        )
        done = FinishedTask(task, CHAIN.run(task, inputs, lambda *_: None), scratch)
        run.finished[task.name] = done
        return done

    def order(self, **inputs: str) -> Run:
        """Do all of an order."""
        run = self.plan(**inputs)
        for task in run.tasks:
            self.do(task, run)
        return self.gather(run)

    def gather(self, run: Run) -> Run:
        run.folder = Path(tempfile.mkdtemp(prefix="outputs-", dir=self.config.var))
        order = CHAIN.order_from_json(run.tasks[-1].body["stack"]["order"])
        run.outputs = CHAIN.gather(order, list(run.finished.values()), run.folder, lambda *_: None)
        return run

    def once(self, name: str, **inputs: str) -> Run:
        """An order that several tests look at, done once; they share the pairs of one datalake."""
        if name not in self.made:
            self.made[name] = self.service("shared").order(**inputs)
        return self.made[name]


def simulate_stack(folder: Path) -> SimulatedStack:
    """Simulate four dates, each with its own orbit, time, noise and misregistration."""
    relief = Terrain.random(
        ROLLING_HILLS, np.radians(LONGITUDE), np.radians(LATITUDE), np.random.default_rng(3)
    )
    passes = tuple(
        Pass(
            days=REPEAT * number,
            across=across,
            radial=radial,
            late=late,
            coherence=0.95 if number else 1.0,
            uplift=number / (len(PLACES) - 1),
            misregistration=shift,
        )
        for number, ((across, radial, late), shift) in enumerate(zip(PLACES, SHIFTS, strict=True))
    )
    scene = Scene(relief, bowls=(Bowl(0.0, 0.0, 400.0, UPLIFT),))
    flown = Order(scene, passes=passes, bursts=2, lines=300, samples=400, overlap=110)
    paths = write_passes(folder, flown, Options(threads=1))
    products = tuple(product_of(path) for path in paths)
    return SimulatedStack(
        folder,
        {product.uid: path for product, path in zip(products, paths, strict=True)},
        products,
        configured(folder, "var"),
        flown,
    )


def configured(folder: Path, var: str, **environ: str) -> Config:
    """A service of one thread: rasterio's care for warnings is not for several."""
    return configuration(folder, var, PEPS_PROCESSING_THREADS="1", **environ)
