"""S1_TILING: how well its dates lie on each other, how much speckle is left, what a date costs.

    python -m benchmarks.tiling FOLDER [--part registration looks cost] [--tile 31TEL]

`registration` simulates dates of one orbit over hills and of several orbits over flat ground, each
with its own speckle, publishes them and correlates the images. `looks` publishes 15 dates of an
orbit, filtered, and applies the formula of Quegan and Yu to the unfiltered ones in plain NumPy; it
compares numbers of looks and means. `cost` computes one date of a tile
of the product of `benchmarks.s1_ortho` (FOLDER/full, simulated when it does not exist) as S1_TILING
and as S1_ORTHO do, in turns, each in the fork of a warm process.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from algorithms.correlation import correlate
from algorithms.speckle import equivalent_looks
from algorithms.warm import warm
from benchmarks.measure import measure
from benchmarks.s1_ortho import Case, simulate
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import PlanContext, Task, TaskInputs
from peps_wps.chains.tiling_s1.chain import TilingS1
from peps_wps.config import Config
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.resto.query import RestoSearch
from simulator.acquisition import Order, plan
from simulator.dem import write_dem
from simulator.instrument import MODES, Processor
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import ROLLING_HILLS, Terrain, waves_of

PLACE = (np.radians(1.44), np.radians(43.6))
TILE = "31TCJ"
FIRST = datetime(2021, 8, 9, 17, 39, 53, 153776, UTC)
LINES, SAMPLES = 1400, 1800
WINDOW, STEP, LARGEST = 63, 32, 3.0
DATES, RADIUS, MIDDLE = 15, 2, 300


@dataclass(frozen=True)
class Dates:
    """Products with their DEM: the catalogue and the inputs of an order."""

    config: Config
    paths: dict[str, Path]
    products: tuple[Product, ...]

    @classmethod
    def of(cls, folder: Path, paths: Sequence[Path]) -> "Dates":
        products = []
        for path in paths:
            metadata = read_metadata(path)
            values = {k: v for k, v in vars(metadata).items() if k in Product.__dataclass_fields__}
            known = {"published": metadata.start, "updated": metadata.start, "size_bytes": 1}
            products.append(Product(**values, **known))
        environ = {
            "PEPS_DEM_PATH": str(folder / "dem"),
            "PEPS_ORBITS_PATH": str(folder / "orbits"),
        }
        config = Config.load(var=folder / "var-tiling", environ=environ)
        by_uid = {product.uid: path for product, path in zip(products, paths, strict=True)}
        return cls(config, by_uid, tuple(products))

    def product(self, identifier: str) -> Product | None:
        return next((p for p in self.products if identifier in (p.uid, p.title)), None)

    def search(self, asked: RestoSearch, most: int) -> Sequence[Product]:
        """Return all: only what an order is for is there."""
        del asked
        return self.products[:most]

    def tasks(self, tile: str, speckle_filter: str = "none") -> list[Task]:
        given = {"tiles": [tile], "start": ["2014-01-01"], "end": ["2100-01-01"]}
        given |= {"min_coverage": ["0.1"], "min_images": ["1"], "filter": [speckle_filter]}
        chain = TilingS1()
        return list(chain.plan(chain.parse(given), PlanContext(self, self.config)).tasks)

    def run(self, task: Task) -> None:
        """Compute and publish a date, in place of the one that is there."""
        shutil.rmtree(self.config.datalake.path, ignore_errors=True)
        self.publish(task)

    def publish(self, task: Task) -> None:
        scratch = self.config.var / "scratch" / task.name
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        TilingS1().run(task, TaskInputs(self.paths, self.config, scratch), lambda *_: None)


def simulated(folder: Path, terrain: Terrain, orders: Sequence[Order]) -> Dates:
    """Simulate passes over one scenery, each with its own speckle."""
    shutil.rmtree(folder, ignore_errors=True)
    seen = [footprint_bounds(plan(order, terrain).frames, terrain) for order in orders]
    west, south, east, north = zip(*seen, strict=True)
    write_dem(folder / "dem", terrain, (min(west), min(south), max(east), max(north)))
    paths = []
    for number, order in enumerate(orders):
        paths += write_pass(folder, order, terrain, Options(speckle_seed=100 + number))
    return Dates.of(folder, paths)


def order_of(days: int, *, range_position: float = 0.5, ascending: bool = True) -> Order:
    return Order(
        MODES["IW"],
        Processor.of("3.31"),
        *PLACE,
        start=FIRST + timedelta(days=days),
        lines=LINES,
        samples=SAMPLES,
        range_position=range_position,
        ascending=ascending,
    )


def images(dates: Dates) -> dict[str, NDArray[np.float32]]:
    """Publish every date; return the amplitude of VV, NaN for no data, by orbit and date."""
    shutil.rmtree(dates.config.datalake.path, ignore_errors=True)
    for task in dates.tasks(TILE):
        if task.products:
            dates.publish(task)
    found = {}
    for path in sorted(dates.config.datalake.path.rglob("*.tif")):
        with rasterio.open(path) as dataset:
            power = dataset.read(1)
        found["_".join(path.stem.split("_")[4:])] = np.sqrt(np.where(power > 0, power, np.nan))
    return found


def registration(folder: Path) -> None:
    """Print how far dates lie beside the first of them, pixels."""
    rng = np.random.default_rng(5)
    hills = Terrain(*PLACE, 400.0, waves_of(ROLLING_HILLS, rng, scale=1.0))
    flat = Terrain(*PLACE, 400.0, np.empty((0, 4)))
    one_orbit = [order_of(days) for days in (0, 12, 24)]
    several = [
        order_of(0, range_position=0.2),
        order_of(7, range_position=0.8),
        order_of(3, ascending=False),
    ]
    for name, terrain, orders in (
        ("one orbit, hills", hills, one_orbit),
        ("several orbits, flat", flat, several),
    ):
        found = images(simulated(folder / name.replace(", ", "-"), terrain, orders))
        (first, reference), *others = found.items()
        for other, secondary in others:
            print(f"{name}: {first} to {other}: {displacement(reference, secondary)}")


def displacement(reference: NDArray[np.float32], secondary: NDArray[np.float32]) -> str:
    """Say the median displacement of the common ground and its standard error."""
    common = np.isfinite(reference) & np.isfinite(secondary)
    rows, columns = np.flatnonzero(common.any(axis=1)), np.flatnonzero(common.any(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    field = correlate(
        np.nan_to_num(reference[part]),
        np.nan_to_num(secondary[part]),
        window=WINDOW,
        step=STEP,
        max_displacement=LARGEST,
        mask=common[part],
        threads=2,
    )
    told = []
    for axis, values in (("columns", field.dx), ("rows", field.dy)):
        known = values[(field.flags == 0) & np.isfinite(values)]
        spread = 1.4826 * np.median(np.abs(known - np.median(known)))
        error = 1.2533 * spread / np.sqrt(max(known.size * (STEP / WINDOW) ** 2, 1))
        told.append(f"{axis} {np.median(known):+.3f} px (+-{error:.3f}, {known.size} nodes)")
    return ", ".join(told)


def looks(folder: Path) -> None:
    """Print the looks of 15 dates before and after the filter, and by the plain formula."""
    hills = Terrain(*PLACE, 400.0, waves_of(ROLLING_HILLS, np.random.default_rng(5), scale=1.0))
    orders = [order_of(12 * number) for number in range(DATES)]
    dates = simulated(folder / "looks", hills, orders)
    shutil.rmtree(dates.config.datalake.path, ignore_errors=True)
    for task in dates.tasks(TILE, "quegan"):
        dates.publish(task)
    named = sorted(dates.config.datalake.path.rglob("*_filtered.tif"))
    after = np.array([middle_of(path) for path in named])
    before = np.array(
        [middle_of(path.with_name(path.name.replace("_filtered", ""))) for path in named]
    )
    formula = quegan_by_formula(before)
    inner = np.s_[RADIUS:-RADIUS, RADIUS:-RADIUS]
    for number, path in enumerate(named):
        images = (before[number][inner], after[number][inner], formula[number][inner])
        told = [f"{equivalent_looks(image.astype(np.float32)):.2f}" for image in images]
        change_db = 10 * np.log10(images[1].mean(dtype=np.float64) / images[0].mean())
        date = path.stem.removesuffix("_filtered").rpartition("_")[2]
        print(
            f"looks of {date}: before, after, formula {', '.join(told)}; mean {change_db:+.4f} dB"
        )


def middle_of(path: Path) -> NDArray[np.float64]:
    """Return the middle of what VV of an image covers."""
    with rasterio.open(path) as dataset:
        power = dataset.read(1)
    rows, columns = np.flatnonzero(power.any(axis=1)), np.flatnonzero(power.any(axis=0))
    row, column = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    middle = power[row - MIDDLE : row + MIDDLE, column - MIDDLE : column + MIDDLE]
    return middle.astype(np.float64)


def quegan_by_formula(stack: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter images that hold data everywhere, term by term."""
    side = 2 * RADIUS + 1
    means = np.array([uniform_filter(image, side, mode="nearest") for image in stack])
    return means * np.mean(stack / means, axis=0)


def cost(folder: Path, tile: str, runs: int) -> None:
    """Print what a date of a tile costs beside the tile of S1_ORTHO."""
    full = folder / "full"
    if not full.exists():
        simulate(full, None)
    case = Case.of(full)
    dates = Dates.of(full, [case.path])
    (ortho,) = case.tasks(tiles=[tile])
    date = dates.tasks(tile)[0]
    for run in range(runs):
        print(f"S1_ORTHO  {tile}, run {run}: {measure(lambda: case.run(ortho), warm_up=warm)}")
        print(f"S1_TILING {tile}, run {run}: {measure(lambda: dates.run(date), warm_up=warm)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", nargs="+", default=["registration", "looks", "cost"])
    parser.add_argument("--tile", default="31TEL")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if "registration" in arguments.part:
        registration(arguments.folder)
    if "looks" in arguments.part:
        looks(arguments.folder)
    if "cost" in arguments.part:
        cost(arguments.folder, arguments.tile, arguments.runs)


if __name__ == "__main__":
    main()
