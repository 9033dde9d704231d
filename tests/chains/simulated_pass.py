"""Simulated passes for the tests of the chains, and the way from a pass to a computed tile."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from algorithms import mgrs
from catalog_db.products import Product
from peps_wps.chains.contract import FinishedTask, PlanContext, Task, TaskInputs
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.config import Config
from peps_wps.readers.product_metadata import read_metadata
from simulator.acquisition import Order, plan
from simulator.dem import write_dem
from simulator.instrument import MODES, Processor
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import ROLLING_HILLS, Terrain, waves_of


@dataclass(frozen=True)
class SimulatedPass:
    """Products with their truth, in the order of time, and the configuration with their DEM."""

    folder: Path
    paths: tuple[Path, ...]
    config: Config
    products: tuple[Product, ...]

    def truth(self, frame: int = 0) -> Path:
        name = self.paths[frame].name.removesuffix(".zip").removesuffix(".SAFE")
        return self.folder / f"{name}.truth.json"

    def tiles(self, least: float) -> list[str]:
        """Tiles that the whole pass covers by `least` or more."""
        footprint = shapely.union_all([product.footprint for product in self.products])
        return [t for t, share in mgrs.tiles_over(footprint).items() if share >= least]

    def product(self, identifier: str) -> Product | None:
        found = [p for p in self.products if identifier in (p.title, p.uid)]
        return found[0] if found else None

    def order(self, **inputs: str) -> list[Task]:
        """Plan an order of all products; several values are separated by blanks."""
        chain = OrthoS1()
        given = {"product": [p.title for p in self.products]}
        given |= {name: value.split() for name, value in inputs.items()}
        return list(chain.plan(chain.parse(given), PlanContext(self, self.config)).tasks)

    def run(self, task: Task, scratch: Path) -> FinishedTask:
        """Compute one tile."""
        scratch.mkdir(parents=True)
        paths = {p.uid: path for p, path in zip(self.products, self.paths, strict=True)}
        inputs = TaskInputs(paths, self.config, scratch)
        return FinishedTask(task, OrthoS1().run(task, inputs, lambda *_: None), scratch)


def simulate_pass(
    folder: Path,
    *,
    longitude: float = 1.44,
    latitude: float = 43.6,
    mode: str = "IW",
    ipf: str = "3.31",
    satellite: str = "S1A",
    ascending: bool = True,
    lines: int = 1500,
    samples: int = 2000,
    range_position: float = 0.5,
    frames: int = 1,
    polarizations: tuple[str, ...] = ("VV", "VH"),
    base_height: float = 400.0,
    relief: float = 1.0,
    environ: dict[str, str] | None = None,
    **options,
) -> SimulatedPass:
    """Simulate a pass over rolling hills; heights in degrees, metres."""
    rng = np.random.default_rng(5)
    place = (np.radians(longitude), np.radians(latitude))
    terrain = Terrain(*place, base_height, waves_of(ROLLING_HILLS, rng, scale=relief))
    order = Order(
        MODES[mode],
        Processor.of(ipf),
        *place,
        satellite=satellite,
        ascending=ascending,
        lines=lines,
        samples=samples,
        range_position=range_position,
        frames=frames,
    )
    write_dem(folder / "dem", terrain, footprint_bounds(plan(order, terrain).frames, terrain))
    paths = write_pass(folder, order, terrain, Options(polarizations=polarizations, **options))
    config = Config.load(
        var=folder / "var",
        environ={
            "PEPS_DEM_PATH": str(folder / "dem"),
            "PEPS_ORBITS_PATH": str(folder / "orbits"),
            **(environ or {}),
        },
    )
    return SimulatedPass(folder, tuple(paths), config, tuple(_product(p) for p in paths))


def _product(path: Path) -> Product:
    values = vars(read_metadata(path))
    start = values["start"]
    known = {name: values[name] for name in values if name in Product.__dataclass_fields__}
    return Product(**known, published=start, updated=start, size_bytes=1)


def targets_of(truth: Path) -> list[dict]:
    return json.loads(truth.read_text())["targets"]
