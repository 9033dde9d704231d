"""A simulated series of one orbit on a corner of a tile, and the way of an order through it."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import shapely

from catalog_db.catalogue.products import Product
from catalog_db.catalogue.query import SearchQuery
from peps_wps.chains.contract import FinishedTask, Outputs, PlanContext, Task, TaskInputs
from peps_wps.chains.tiling_s1.chain import TilingS1
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.resto.query import RestoSearch
from tests.chains.simulated_pass import configuration, simulate_pass
from tests.chains.tiling_s1.small_tile import TILE

FIRST = datetime(2021, 8, 9, 17, 39, 53, 153776, UTC)
REPEAT = timedelta(days=12)
BEFORE, AFTER = "2021-08-01", "2021-12-31"


@dataclass(frozen=True)
class Archive:
    """Products and where they lie; the catalogue of a plan."""

    paths: dict[str, Path]
    products: tuple[Product, ...]

    def product(self, identifier: str) -> Product | None:
        found = [p for p in self.products if identifier in (p.title, p.uid)]
        return found[0] if found else None

    def search(self, asked: RestoSearch, most: int) -> Sequence[Product]:
        """What the catalogue would find: conditions of its own words, looked at one by one."""
        return [product for product in self.products if meets(product, asked.query)]


def meets(product: Product, query: SearchQuery) -> bool:
    assert query.region is not None
    assert query.start_from is not None
    assert query.start_to is not None
    return (
        product.collection in query.collections
        and shapely.intersects(product.footprint, query.region)
        and query.start_from <= product.start <= query.start_to
        and all(getattr(product, name) == text.value for name, text in query.texts.items())
        and all(getattr(product, name) in some.values for name, some in query.numbers.items())
    )


@dataclass
class Run:
    """A service whose tasks run here: its configuration, and what was told."""

    archive: Archive
    config: Config
    told: list[str] = field(default_factory=list)
    outputs: tuple[Outputs, Path] | None = None

    @property
    def lake(self) -> Lake:
        return Lake(self.config.datalake.path)

    def plan(self, **inputs: str) -> list[Task]:
        """Plan an order; several values are separated by blanks."""
        chain = TilingS1()
        given = {"tiles": TILE, "start": BEFORE, "end": AFTER, "min_coverage": "0.01", **inputs}
        listed = {name: value.split() for name, value in given.items()}
        return list(chain.plan(chain.parse(listed), PlanContext(self.archive, self.config)).tasks)

    def do(self, task: Task) -> FinishedTask:
        """Run a task."""
        self.told.append(task.name)
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.config.var))
        inputs = TaskInputs(self.archive.paths, self.config, scratch)
        return FinishedTask(task, TilingS1().run(task, inputs, lambda *_: None), scratch)

    def order(self, **inputs: str) -> tuple[Outputs, Path]:
        """Do all of an order; return its outputs and their folder."""
        tasks = self.plan(**inputs)
        finished = [self.do(task) for task in tasks]
        order = TilingS1().order_from_json(tasks[-1].body["order"])
        folder = self.config.var / f"outputs-{len(self.told)}"
        folder.mkdir()
        self.outputs = TilingS1().gather(order, finished, folder, lambda *_: None), folder
        return self.outputs

    def files(self) -> dict[str, bytes]:
        """What is published, hidden things left out."""
        root = self.config.datalake.path
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.parts)
        }

    def item(self, name: str) -> dict:
        (path,) = self.config.datalake.path.rglob(f"{name}.json")
        return json.loads(path.read_text())

    def image(self, name: str) -> Path:
        (path,) = self.config.datalake.path.rglob(f"{name}.tif")
        return path


@dataclass(frozen=True)
class SimulatedSeries:
    """Dates of one orbit over one scenery."""

    folder: Path
    archive: Archive
    computed: dict[str, Run] = field(default_factory=dict)

    def service(self, name: str, **environ: str) -> Run:
        """A service of its own on these products."""
        return Run(self.archive, configuration(self.folder, f"var-{name}", **environ))

    def once(self, name: str, make: Callable[[Run], object]) -> Run:
        """A service that several tests look at, made once."""
        if name not in self.computed:
            run = self.service(name)
            make(run)
            self.computed[name] = run
        return self.computed[name]

    def only(self, *numbers: int) -> "SimulatedSeries":
        """The series of some dates, by their numbers."""
        products = tuple(self.archive.products[number] for number in numbers)
        return replace(self, archive=replace(self.archive, products=products), computed={})


def simulate_series(folder: Path, dates: int = 4, **choices) -> SimulatedSeries:
    """Simulate dates of one orbit, each with its own speckle, with a DEM in common."""
    paths: dict[str, Path] = {}
    products = []
    for number in range(dates):
        given = {"lines": 500, "samples": 600, "range_position": 0.5, **choices}
        one = simulate_pass(
            folder, start=FIRST + number * REPEAT, speckle_seed=100 + number, **given
        )
        products += one.products
        paths |= {p.uid: path for p, path in zip(one.products, one.paths, strict=True)}
    return SimulatedSeries(folder, Archive(paths, tuple(products)))
