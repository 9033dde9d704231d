"""One small simulated Sentinel-2 product, and the way from an order to its files."""

import itertools
import json
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import FinishedTask, PlanContext, TaskInputs
from peps_wps.config import Config
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import Sentinel2Scene, open_scene
from tests.chains.simulated_pass import product_of


@dataclass
class Shelf:
    """A catalogue of a few products, each with its file."""

    paths: dict[str, Path]
    products: list[Product]

    def product(self, identifier: str) -> Product | None:
        found = [p for p in self.products if identifier in (p.uid, p.title)]
        return found[0] if found else None

    def changed(self, **fields: Any) -> "Shelf":
        """The same product, as if the catalogue said something else of it."""
        return replace(self, products=[replace(self.products[0], **fields)])


@dataclass
class Done:
    """A finished order."""

    folder: Path
    outputs: dict[str, Path]
    report: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        (only,) = self.report["products"]
        return only

    def path(self, suffix: str) -> Path:
        """The only file of the archive that ends so."""
        (found,) = self.folder.glob(f"unpacked/*/*{suffix}")
        return found

    def read(self, suffix: str = ".tif") -> np.ndarray:
        """Physical values of a raster, NaN for no data, shape (band, row, column)."""
        with rasterio.open(self.path(suffix)) as dataset:
            values = dataset.read(masked=True).astype(np.float64).filled(np.nan)
            scale = np.array(dataset.scales)[:, None, None]
            return values * scale + np.array(dataset.offsets)[:, None, None]

    def item(self) -> dict[str, Any]:
        """The only STAC item."""
        return json.loads(self.path(".json").read_text())


@dataclass
class Bench:
    """Runs orders of a chain on a shelf of products."""

    shelf: Shelf
    config: Config
    folder: Path
    numbers: Any = field(default_factory=itertools.count)

    @property
    def title(self) -> str:
        return self.shelf.products[0].title

    @property
    def scene(self) -> Sentinel2Scene:
        return open_scene(Safe.open(self.shelf.paths[self.shelf.products[0].uid]))

    def plan(self, chain: Any, **inputs: Any) -> tuple[Any, Any]:
        given = {"products": [p.title for p in self.shelf.products], **inputs}
        listed = {k: [v] if isinstance(v, str) else list(v) for k, v in given.items()}
        row = json.dumps(chain.order_to_json(chain.parse(listed)))
        order = chain.order_from_json(json.loads(row))
        return order, chain.plan(order, PlanContext(self.shelf, self.config))

    def run(self, chain: Any, **inputs: Any) -> Done:
        order, plan = self.plan(chain, **inputs)
        folder = self.folder / f"order-{next(self.numbers)}"
        finished = []
        for number, task in enumerate(plan.tasks):
            scratch = folder / f"task-{number}"
            scratch.mkdir(parents=True)
            paths = {uid: self.shelf.paths[uid] for uid in task.products}
            result = chain.run(task, TaskInputs(paths, self.config, scratch), lambda *_: None)
            finished.append(FinishedTask(task, result, scratch))
        published = folder / "published"
        published.mkdir()
        gathered = chain.gather(order, finished, published, lambda *_: None)
        outputs = {o.identifier: published / o.path for o in gathered.outputs if o.path}
        if "archive" in outputs:
            with zipfile.ZipFile(outputs["archive"]) as archive:
                archive.extractall(folder / "unpacked")
        return Done(folder, outputs, gathered.report)


def bench_of(paths: list[Path], folder: Path) -> Bench:
    """A bench of products that lie in folders."""
    products = [product_of(path) for path in paths]
    shelf = Shelf({p.uid: path for p, path in zip(products, paths, strict=True)}, products)
    (folder / "var").mkdir(parents=True, exist_ok=True)
    return Bench(shelf, Config.load(var=folder / "var", environ={}), folder)
