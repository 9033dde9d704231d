"""Registration of image pairs with known displacement: accuracy and cost, beside AROSICS.

    python -m benchmarks.registration pairs [--size 2048] [--real B04.tif] [--peers PYTHON]
    python -m benchmarks.registration tile

`pairs` renders a shift and a ramp, and both on a real image; every engine gets the same files.
PYTHON has AROSICS: `benchmarks/peers/registrars.py` says how it is installed. `tile` registers a
full tile, a sixteenth of it rendered and repeated, and resamples one band.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.block import Block
from algorithms.correlation.images import Image
from algorithms.registration import register
from algorithms.registration.engine import default_settings
from algorithms.registration.resampling import on_block
from algorithms.registration.similarity import similarity
from benchmarks.correlation import TILE, add_pairs, read_source
from benchmarks.measure import measure
from simulator.optical import image_pair
from simulator.optical.image_pair import ImagePair, make_pair

PEERS = Path(__file__).parent / "peers" / "registrars.py"
SEARCH = 10.0  # pixels
PEER_STEPS = (64, 32)
STEPS = (None, 64, 32)  # None for the default
REPEATED, STRIP_ROWS = 4, 1024  # of the full tile
JUDGED = 16  # every so many pixels the model is compared with the truth
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """Tie points kept, how many were found, CPU seconds, and the model at the judged pixels."""

    name: str
    row: Float64
    column: Float64
    dy: Float64
    dx: Float64
    found: int
    cpu_s: float
    model_dy: Float64
    model_dx: Float64
    kind: str


def cases(size: int, real: Path | None) -> Iterator[tuple[str, ImagePair]]:
    """Render the pairs one after the other."""
    moves = {"shift": image_pair.SHIFT, "ramp": image_pair.RAMP}
    for number, (name, displacement) in enumerate(moves.items()):
        yield name, make_pair(displacement, size, seed=3 + number)
    if real is not None:
        source = read_source(real)
        side = min(source.shape) - 32
        for number, (name, displacement) in enumerate(moves.items()):
            pair = make_pair(displacement, side, seed=3 + number, source=source)
            yield f"{name} on real texture", pair


def judged(pair: ImagePair) -> tuple[Float64, Float64]:
    """Return the pixels at which models are compared with the truth."""
    rows, columns = (np.arange(0, side, JUDGED, dtype=np.float64) for side in pair.dy.shape)
    row, column = np.meshgrid(rows, columns, indexing="ij")
    return row, column


def ours(pair: ImagePair, step: int | None) -> Answer:
    """Register on one thread."""
    changed: dict[str, Any] = {} if step is None else {"step": step}
    settings = default_settings(pair.reference.shape, **changed)
    start = time.process_time()
    found = register(pair.reference, pair.secondary, settings=settings)
    cpu_s = time.process_time() - start
    points = found.tie_points
    used = points.is_used
    return Answer(
        f"PEPS, step {settings.step}",
        points.row[used],
        points.column[used],
        points.dy[used],
        points.dx[used],
        len(points),
        cpu_s,
        *found.model.at(*judged(pair)),
        found.model.kind,
    )


def peer(python: Path, method: str, step: int, pair: ImagePair) -> Answer | str:
    """Run AROSICS in its own environment; an affine model by least squares is laid through it."""
    name = f"AROSICS {method}" + (f", step {step}" if method == "local" else "")
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "pair.npz", Path(folder) / "answer.npz"
        np.savez(given, reference=pair.reference, target=pair.secondary)
        command = [str(python), str(PEERS), method, str(given), str(answer), str(step), str(SEARCH)]
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
        if done.returncode:
            return f"{name}: {done.stderr.strip().rsplit(chr(10), 1)[-1]}"
        with np.load(answer) as file:
            found = {key: file[key] for key in file.files}
    places = found["row"], found["column"]
    count = 3 if found["row"].size > 3 else 1

    def terms(row: Float64, column: Float64) -> Float64:
        return np.stack([np.ones_like(row), row, column][:count], axis=-1)

    values = np.column_stack([found["dy"], found["dx"]])
    solution = np.linalg.lstsq(terms(*places), values, rcond=None)[0]
    modelled = terms(*judged(pair)) @ solution
    return Answer(
        name,
        *places,
        found["dy"],
        found["dx"],
        int(found["found"]),
        float(found["cpu_s"]),
        modelled[..., 0],
        modelled[..., 1],
        "affine" if count == 3 else "shift",
    )


HEADER = (
    f"{'engine':22} {'CPU s':>7} {'found':>6} {'used':>6} {'points/s':>9} {'point x':>8} {'y':>7} "
    f"{'model':>10} {'x':>7} {'y':>7} {'largest':>8}"
)


def line(answer: Answer, pair: ImagePair) -> str:
    """Return one row of the table: root mean square errors of points and model, pixels."""
    at = np.rint(answer.row).astype(int), np.rint(answer.column).astype(int)
    at = tuple(np.clip(place, 0, side - 1) for place, side in zip(at, pair.dy.shape, strict=True))
    point_y, point_x = _rms(answer.dy - pair.dy[at]), _rms(answer.dx - pair.dx[at])
    row, column = (place.astype(int) for place in judged(pair))
    error_y, error_x = (
        answer.model_dy - pair.dy[row, column],
        answer.model_dx - pair.dx[row, column],
    )
    largest = float(np.hypot(error_y, error_x).max())
    return (
        f"{answer.name:22} {answer.cpu_s:7.2f} {answer.found:6} {answer.row.size:6} "
        f"{answer.row.size / answer.cpu_s:9.0f} {point_x:8.4f} {point_y:7.4f} "
        f"{answer.kind:>10} {_rms(error_x):7.4f} {_rms(error_y):7.4f} {largest:8.4f}"
    )


def _rms(values: Float64) -> float:
    return float(np.sqrt(np.mean(values**2)))


def warm_up() -> None:
    """Compile everything on a small pair."""
    pair = make_pair(image_pair.SHIFT, 256, changed=0.2)
    found = register(pair.reference, pair.secondary)
    similarity(Image(pair.reference), Image(pair.secondary), found.model)


def compare(size: int, real: Path | None, python: Path | None) -> None:
    """Print a table for each pair."""
    warm_up()
    for name, pair in cases(size, real):
        print(f"\n{name}, {pair.reference.shape[0]} pixels square\n{HEADER}")
        for step in STEPS:
            print(line(ours(pair, step), pair), flush=True)
        if python is None:
            continue
        runs = [("global", 0), *(("local", step) for step in PEER_STEPS)]
        for method, step in runs:
            answer = peer(python, method, step, pair)
            print(answer if isinstance(answer, str) else line(answer, pair), flush=True)


def tile(threads: int) -> None:
    """Time a full tile in a fresh process: tie points, model, similarity, one band resampled."""
    pair = make_pair(image_pair.SHIFT, TILE // REPEATED, seed=3)
    reference, target = (
        Image(np.tile(image, (REPEATED, REPEATED))) for image in (pair.reference, pair.secondary)
    )

    def work() -> None:
        start = time.perf_counter()
        found = register(reference, target, threads=threads)
        told = time.perf_counter()
        alike = similarity(reference, target, found.model)
        compared = time.perf_counter()
        for row in range(0, reference.shape[0], STRIP_ROWS):
            rows = min(STRIP_ROWS, reference.shape[0] - row)
            on_block(target, found.model, Block(row, 0, rows, reference.shape[1]))
        done = time.perf_counter()
        print(
            f"{found.tie_points.used} of {found.places.all} places, {found.shift}, {alike}\n"
            f"register {told - start:.1f} s, compare {compared - told:.1f} s, "
            f"resample on one thread {done - compared:.1f} s",
            flush=True,
        )

    print(f"full tile, {threads} threads: {measure(work, warm_up=warm_up)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    add_pairs(commands)
    full = commands.add_parser("tile")
    full.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.command == "pairs":
        compare(arguments.size, arguments.real, arguments.peers)
    else:
        tile(arguments.threads)


if __name__ == "__main__":
    main()
