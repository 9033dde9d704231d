"""Correlation of image pairs with known displacement: accuracy and cost, beside other engines.

    python -m benchmarks.correlation pairs [--size 2048] [--real B04.tif] [--peers PYTHON]
    python -m benchmarks.correlation tile FOLDER
    python -m benchmarks.correlation curve [--size 2048]

`pairs` renders fault, glacier, shift and ramp, and the fault on a real image; every engine measures
the same nodes of the same files. PYTHON has opencv-python-headless and scikit-image, and autoRIFT's
core where built; Orfeo ToolBox runs when installed. `tile` renders a full tile into FOLDER first
when it is not there (a quarter, mirrored). `curve` shows cost against nodes.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from algorithms.correlation import CorrelationSettings, correlate
from algorithms.correlation.coarse import axis_of_nodes
from algorithms.correlation.field import WarpModel
from algorithms.correlation.images import Image
from benchmarks.measure import measure
from simulator.optical import image_pair
from simulator.optical.displacement import Fault
from simulator.optical.image_pair import ImagePair, make_pair
from simulator.optical.score import Accuracy, Measured, score

PEERS = Path(__file__).parent / "peers" / "correlators.py"
METHODS = ("match_template", "lucas_kanade", "phase_correlation", "autorift")
OTB, OTB_SEARCH = "otbcli_FineRegistration", 8.0
MODELS = get_args(WarpModel)
WINDOW, STEP, SEARCH = 31, 16, 4.0
TILE, TILE_STEP = 10_980, 10


@dataclass(frozen=True)
class Case:
    """A pair, what moved in it, and how far is searched."""

    name: str
    pair: ImagePair
    search: float
    fault: Fault | None = None


# A field and CPU seconds, or why there are none.
Answer = tuple[Measured, float] | str
Engine = Callable[[Path, Case], Answer]


def cases(size: int, real: Path | None) -> Iterator[Case]:
    """Render the pairs one after the other."""
    fault = image_pair.quake_fault(size)
    yield Case("fault", make_pair(image_pair.quake(size), size, seed=1), SEARCH, fault)
    yield Case("glacier", make_pair(image_pair.glacier(size), size, seed=2), 16.0)
    yield Case("shift", make_pair(image_pair.SHIFT, size, seed=3), SEARCH)
    yield Case("ramp", make_pair(image_pair.RAMP, size, seed=4), SEARCH)
    if real is not None:
        source = read_source(real)
        size = min(source.shape) - 32
        pair = make_pair(image_pair.quake(size), size, seed=3, source=source)
        yield Case("fault, real texture", pair, SEARCH, image_pair.quake_fault(size))


def read_source(path: Path) -> NDArray[np.uint16]:
    """Return a real image without its border of no data."""
    with rasterio.open(path) as dataset:
        image = dataset.read(1)
    rows, columns = (np.flatnonzero((image > 0).mean(axis=axis) > 0.99) for axis in (1, 0))
    return np.asarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.uint16)


def ours(
    case: Case, *, step: int = STEP, window: int = WINDOW, model: WarpModel = "auto"
) -> tuple[Measured, float]:
    """Correlate on one thread; return the field and CPU seconds."""
    settings = CorrelationSettings(
        window=window, step=step, max_displacement=case.search, model=model
    )
    images = Image(case.pair.reference), Image(case.pair.secondary)
    start = time.process_time()
    field = correlate(*images, settings)
    seconds = time.process_time() - start
    return Measured(field.rows, field.columns, field.dy, field.dx, field.sigma), seconds


def warm_up() -> None:
    """Compile everything on a small pair."""
    pair = make_pair(image_pair.SHIFT, 160, changed=0.2)
    for search in (SEARCH, 16.0):
        for model in MODELS:
            ours(Case("small", pair, search), model=model)


def peer(python: Path, method: str, folder: Path, case: Case) -> Answer:
    """Run another engine in its own environment; a text when it cannot."""
    given, answer = folder / "pair.npz", folder / "answer.npz"
    rows, columns = (axis_of_nodes(side, STEP) for side in case.pair.reference.shape)
    np.savez(
        given,
        reference=case.pair.reference,
        secondary=case.pair.secondary,
        rows=rows,
        columns=columns,
    )
    command = [str(python), str(PEERS), method, str(given), str(answer)]
    command += [str(WINDOW), str(case.search)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
    if done.returncode:
        return done.stderr.strip().rsplit("\n", 1)[-1]
    with np.load(answer) as found:
        return Measured(rows, columns, found["dy"], found["dx"]), float(found["cpu_s"])


def otb(folder: Path, case: Case) -> Answer:
    """Run Orfeo ToolBox's FineRegistration by correlation; a text when it cannot."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    command = shutil.which(OTB)
    if command is None:
        return "not installed"
    if case.search > OTB_SEARCH:
        return f"left out: a search of {case.search:g} pixels takes minutes"
    for name in ("reference", "secondary"):
        image = getattr(case.pair, name)
        height, width = image.shape
        with rasterio.open(
            folder / f"{name}.tif", "w", "GTiff", width, height, 1, dtype="uint16"
        ) as target:
            target.write(image, 1)
    arguments = {
        "ref": folder / "reference.tif",
        "sec": folder / "secondary.tif",
        "out": folder / "field.tif",
        "m": "CC",
        "spa": 0.02,
    }
    for axis in "xy":
        own = {"er": int(case.search), "mr": WINDOW // 2, "ssr": STEP}
        arguments |= {name + axis: value for name, value in own.items()}
    words = [str(word) for name, value in arguments.items() for word in (f"-{name}", value)]
    usage = folder / "usage.json"
    timing = ["/usr/bin/env", "time", "-f", '{"cpu": [%U, %S]}', "-o", str(usage), command, *words]
    done = subprocess.run(timing, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().rsplit("\n", 1)[-1]
    with rasterio.open(folder / "field.tif") as dataset:
        dx, dy = dataset.read([1, 2])
    rows, columns = (STEP * np.arange(side, dtype=np.int32) for side in dx.shape)
    return Measured(rows, columns, dy, dx), sum(json.loads(usage.read_text())["cpu"])


HEADER = (
    f"{'engine':18} {'CPU s':>7} {'us/node':>8} {'answered':>8} {'NMAD x':>7} {'y':>7} "
    f"{'RMSE x':>7} {'y':>7} {'> 0.5 px':>8} {'false':>7} "
    f"{'lock x':>7} {'y':>7} {'slip':>7} {'sigma':>6}"
)


def line(name: str, cpu_s: float, found: Accuracy, nodes: int) -> str:
    """Return one row of the table."""
    return (
        f"{name:18} {cpu_s:7.2f} {1e6 * cpu_s / nodes:8.1f} {found.answered:8.2%} "
        f"{found.nmad_x:7.4f} {found.nmad_y:7.4f} {found.rmse_x:7.4f} {found.rmse_y:7.4f} "
        f"{found.outliers:8.3%} {found.false:7.2%} {found.locking_x:7.4f} {found.locking_y:7.4f} "
        f"{found.slip:7.4f} {found.sigma_ratio:6.2f}"
    )


def compare(size: int, real: Path | None, python: Path | None) -> None:
    """Print a table for each pair."""
    warm_up()
    for case in cases(size, real):
        print(f"\n{case.name}, {case.pair.reference.shape[0]} pixels square\n{HEADER}")
        engines: dict[str, Engine] = {
            f"PEPS, {model}": lambda _, case, model=model: ours(case, model=model)
            for model in MODELS
        }
        if python is not None:
            engines |= {method: partial(peer, python, method) for method in METHODS}
            engines["OTB"] = otb
        for name, run in engines.items():
            with tempfile.TemporaryDirectory() as folder:
                answer = run(Path(folder), case)
            if isinstance(answer, str):
                print(f"{name:18} {answer}")
            else:
                found = score(answer[0], case.pair, WINDOW, fault=case.fault)
                print(line(name, answer[1], found, answer[0].dy.size), flush=True)


def curve(size: int) -> None:
    """Print cost against nodes and against windows."""
    warm_up()
    case = next(cases(size, None))
    print(f"{'step':>5} {'window':>6} {'nodes':>8} {'CPU s':>7} {'us/node':>8}")
    runs = [(step, WINDOW) for step in (32, 16, 10, 8, 5, 4)]
    runs += [(STEP, window) for window in (15, 21, 41, 63)]
    for step, window in runs:
        measured, cpu_s = ours(case, step=step, window=window)
        nodes = measured.dy.size
        print(f"{step:5} {window:6} {nodes:8} {cpu_s:7.2f} {1e6 * cpu_s / nodes:8.1f}", flush=True)


def render_tile(folder: Path) -> None:
    """Write two bands of a full tile: a quarter and its mirror images."""
    folder.mkdir(parents=True, exist_ok=True)
    half = TILE // 2
    pair = make_pair(image_pair.quake(half), half, seed=4, changed=0.03)
    for name in ("reference", "secondary"):
        quarter = getattr(pair, name)
        upper = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
        np.save(folder / f"{name}.npy", np.concatenate([upper, upper[::-1]]))


def tile(folder: Path, threads: int) -> None:
    """Time a full tile in a fresh process."""
    if not (folder / "secondary.npy").exists():
        render_tile(folder)
    reference, secondary = (np.load(folder / f"{name}.npy") for name in ("reference", "secondary"))
    settings = CorrelationSettings(window=WINDOW, step=TILE_STEP, max_displacement=SEARCH)

    def work() -> None:
        field = correlate(Image(reference), Image(secondary), settings, threads=threads)
        print(f"{field.dx.size} nodes, {field.is_answered.mean():.2%} answered", flush=True)

    print(f"full tile, step {TILE_STEP}, {threads} threads: {measure(work, warm_up=warm_up)}")


def add_pairs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command that compares with peers on pairs whose truth is known."""
    pairs = commands.add_parser("pairs")
    pairs.add_argument("--size", type=int, default=2048)
    pairs.add_argument("--real", type=Path)
    pairs.add_argument("--peers", type=Path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    add_pairs(commands)
    costs = commands.add_parser("curve")
    costs.add_argument("--size", type=int, default=2048)
    full = commands.add_parser("tile")
    full.add_argument("folder", type=Path)
    full.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "pairs":
        compare(arguments.size, arguments.real, arguments.peers)
    elif arguments.command == "curve":
        curve(arguments.size)
    else:
        tile(arguments.folder, arguments.threads)


if __name__ == "__main__":
    main()
