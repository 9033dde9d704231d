"""Cost of S1_ORTHO: one full tile, all tiles of a product, and the curve over pixels.

    python -m benchmarks.s1_ortho FOLDER [--tile 31TEL] [--part tile product curve] [--peer]

FOLDER holds a product (SAFE folder or zip), its truth.json and its DEM in `dem`; when it does not
exist, a full-size one is simulated (two minutes), into the metadata of the product given by
`--metadata` if any. `--peer` runs Orfeo ToolBox's chain beside ours (Debian packages otb-bin,
libotb-dev, libgdal-dev, g++).
"""

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from algorithms import mgrs
from algorithms.warm import warm
from benchmarks.measure import Cost, measure
from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import FinishedTask, PlanContext, Task, TaskInputs
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.config import Config
from peps_wps.readers.product_metadata import read_metadata
from simulator.score import score

PEER_SOURCE = Path(__file__).parent / "peers" / "otb_ortho.cpp"
PEER_APPLICATIONS = "/usr/lib/x86_64-linux-gnu/otb/applications"


@dataclass(frozen=True)
class Case:
    """One product in a folder, as the chain's catalogue and configuration."""

    folder: Path
    path: Path
    truth: Path
    config: Config
    known: Product

    @classmethod
    def of(cls, folder: Path) -> "Case":
        path = next(p for p in folder.iterdir() if ".SAFE" in p.name and p.name[0] != ".")
        metadata = read_metadata(path)
        values = {k: v for k, v in vars(metadata).items() if k in Product.__dataclass_fields__}
        product = Product(**values, published=metadata.start, updated=metadata.start, size_bytes=1)
        config = Config.load(
            var=folder / "var",
            environ={
                "PEPS_DEM_PATH": str(folder / "dem"),
                "PEPS_ORBITS_PATH": str(folder / "orbits"),
            },
        )
        return cls(folder, path, next(folder.glob("*.truth.json")), config, product)

    def product(self, identifier: str) -> Product | None:
        return self.known if identifier == self.known.title else None

    def tasks(self, **inputs: Sequence[str]) -> list[Task]:
        chain = OrthoS1()
        order = chain.parse({"product": [self.known.title], **inputs})
        return list(chain.plan(order, PlanContext(self, self.config)).tasks)

    def run(self, task: Task) -> FinishedTask:
        scratch = self.folder / "scratch" / task.name
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        inputs = TaskInputs({self.known.uid: self.path}, self.config, scratch)
        return FinishedTask(task, OrthoS1().run(task, inputs, lambda *_: None), scratch)


def simulate(folder: Path, metadata: Path | None) -> None:
    """Write a full-size product around tile 31TEL, its truth and its DEM."""
    command = ["peps", "simulate", str(folder), "--seed", "1"]
    if metadata is None:
        command += ["--longitude", "3.3", "--latitude", "45.4"]
    else:
        command += ["--from-metadata", str(metadata)]
    subprocess.run(command, check=True)


def tile(case: Case, name: str, runs: int) -> list[Cost]:
    """One tile, every polarisation, in the fork of a warm process and from a cold start."""
    (task,) = case.tasks(tiles=[name])
    costs = []
    for run in range(runs):
        costs.append(measure(lambda: case.run(task), warm_up=warm))
        print(f"tile {name}, warm, run {run}:  {costs[-1]}")
    start = time.perf_counter()
    code = (
        "import sys; from pathlib import Path; from benchmarks.s1_ortho import Case;"
        "case = Case.of(Path(sys.argv[1])); case.run(case.tasks(tiles=[sys.argv[2]])[0])"
    )
    subprocess.run(["python", "-c", code, str(case.folder), name], check=True)
    print(f"tile {name}, fresh interpreter, kernels cached: {time.perf_counter() - start:.2f} s")
    scratch = case.folder / "scratch" / name
    for image in sorted(scratch.glob("s1*_v[vh]_*.tif")):
        polarization = image.name.split("_")[2].upper()
        print(f"  {image.name}: {score(case.truth, image, polarization=polarization)}")
    return costs


def product(case: Case) -> None:
    """All tiles of the product one after the other in one warm process, then the archive."""
    tasks = case.tasks()
    order = OrthoS1().parse({"product": [case.known.title]})

    def work() -> None:
        finished = [case.run(task) for task in tasks]
        folder = case.folder / "output"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        OrthoS1().gather(order, finished, folder, lambda *_: None)

    print(f"product, {len(tasks)} tiles: {measure(work, warm_up=warm)}")


def curve(case: Case) -> None:
    """Cost against pixels: the tiles of the product by what it covers of them."""
    for one in sorted(case.tasks(min_coverage=["1"]), key=lambda task: task.weight):
        cost = measure(lambda one=one: case.run(one), warm_up=warm)
        pixels = one.weight * 10980**2 / 1e6
        print(f"  {one.name} {pixels:7.1f} Mpx {cost} {1e3 * cost.cpu_s / pixels:.1f} ns/px CPU")


def peer(case: Case, name: str, runs: int) -> list[Cost]:
    """Run the peer's chain for both polarisations, one after the other, in fresh processes."""
    binary = build_peer(case.folder)
    grid = mgrs.tile(name)
    zone, north = grid.epsg % 100, int(grid.epsg < 32700)
    environment = {
        **os.environ,
        "OTB_APPLICATION_PATH": PEER_APPLICATIONS,
        "OTB_LOGGER_LEVEL": "WARNING",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "2",
    }
    costs = []
    for run in range(runs):
        total = Cost(0.0, 0.0, 0.0)
        for measurement in sorted((case.path / "measurement").glob("*.tiff")):
            polarization = measurement.name.split("-")[3].upper()
            out = case.folder / "scratch" / f"peer_{name}_{polarization}.tif"
            command = [str(binary), str(measurement), str(out), f"{grid.transform.c}"]
            command += [f"{grid.transform.f}", str(zone), str(north), str(case.folder / "dem"), "-"]
            cost = run_timed(command, environment)
            print(f"peer {name} {polarization} run {run}: {cost}")
            total = Cost(
                total.wall_s + cost.wall_s,
                total.cpu_s + cost.cpu_s,
                max(total.peak_gb, cost.peak_gb),
            )
            if run == 0:
                print(f"  {score(case.truth, out, polarization=polarization)}")
        costs.append(total)
    return costs


def run_timed(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a command and return its cost by the system's accounting."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with status {status}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - start, cpu, usage.ru_maxrss / 1e6)


def build_peer(folder: Path) -> Path:
    """Compile the peer's program against Debian's libraries."""
    binary = folder / "otb_ortho"
    if not binary.exists():
        includes = ["/usr/include/gdal", "/usr/include/OTB-8.1", "/usr/include/ITK-4.13"]
        libraries = ["OTBApplicationEngine-8.1", "OTBCommon-8.1", "ITKCommon-4.13", "itksys-4.13"]
        command = ["g++", "-O2", "-std=c++14", "-w", str(PEER_SOURCE), "-o", str(binary)]
        command += [f"-I{path}" for path in includes] + [f"-l{name}" for name in libraries]
        subprocess.run(command, check=True)
    return binary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tile", default="31TEL")
    parser.add_argument("--part", nargs="+", default=["tile", "product"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--metadata", type=Path)
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        simulate(arguments.folder, arguments.metadata)
    case = Case.of(arguments.folder)
    (case.folder / "scratch").mkdir(exist_ok=True)
    if "tile" in arguments.part:
        ours = tile(case, arguments.tile, arguments.runs)
        if arguments.peer:
            theirs = peer(case, arguments.tile, arguments.runs)
            for name in ("wall_s", "cpu_s"):
                ratio = min(getattr(c, name) for c in theirs) / max(getattr(c, name) for c in ours)
                print(f"peer's best / our worst, {name}: {ratio:.1f}")
    if "product" in arguments.part:
        product(case)
    if "curve" in arguments.part:
        curve(case)


if __name__ == "__main__":
    main()
