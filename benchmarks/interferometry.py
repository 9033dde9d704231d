"""Interferometry of simulated TOPS pairs with known truth: accuracy and cost.

    python -m benchmarks.interferometry pair [--swaths IW1 IW2] [--bursts 3] [--samples 1500]
    python -m benchmarks.interferometry pair --mode EW [--swaths EW1 ...] [--samples N]
    python -m benchmarks.interferometry cost [--swath IW2]

`pair` makes products with an injected azimuth misregistration at two coherences, with relief and
displacement, and follows them from their pixels to a map of 40 m (EW: 80 m). The five swaths of EW
have their true width, unless samples are given. `cost` times the steps on one burst of full size.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry.cells import CellGrid, Looks, PairCells, cell_grid
from algorithms.interferometry.geocoding import (
    MapBlock,
    phasors_on_map,
    radar_view,
    values_on_map,
)
from algorithms.interferometry.geometry import ground_at
from algorithms.interferometry.goldstein import goldstein
from algorithms.interferometry.ground_coherence import coherence_window, ground_coherence
from algorithms.interferometry.merging import merge_cells, swath_columns
from algorithms.interferometry.model import Burst, RadarFrame
from algorithms.interferometry.pair import burst_cells, burst_pair, without_shift
from algorithms.interferometry.relief import burst_relief
from algorithms.interferometry.resampling import resample_secondary
from algorithms.interferometry.spectral_diversity import (
    BurstPair,
    Overlap,
    estimate_shift,
    overlap_of,
)
from algorithms.terrain.nodes import Terrain
from benchmarks.measure import measure
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import SlcProduct, open_slc
from simulator.terrain import ROLLING_HILLS
from simulator.terrain import Terrain as Relief
from simulator.tops.instrument import MODES
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene
from simulator.tops.truth import PairTruth

LOOKS = Looks(azimuth=4, range=20)
PLACE = 5.0, 45.0  # degrees
EPSG = 32631
# Coherence, injected misregistration in lines and how well it must be found.
CASES = ((0.85, 0.004, 0.0003), (0.6, -0.012, 0.001))
DEM_STEP = 1.0 / 3600.0  # degrees

Key = tuple[str, int]
Float64 = NDArray[np.float64]


class Extent(NamedTuple):
    """What a pair is of: mode, swaths, bursts of each, samples of each, None for all."""

    mode: str
    swaths: Sequence[str]
    bursts: int
    samples: int | None


# By mode, unless asked for otherwise; polarisation and metres of a map's pixel.
EXTENTS = {
    "IW": Extent("IW", ("IW1", "IW2"), 3, 1_500),
    "EW": Extent("EW", ("EW1", "EW2", "EW3", "EW4", "EW5"), 3, None),
}
POLARIZATIONS = {"IW": "VV", "EW": "HH"}
SPACINGS = {"IW": 40.0, "EW": 80.0}


class Products(NamedTuple):
    """A simulated pair, the heights around it and what is true of it."""

    reference: SlcProduct
    secondary: SlcProduct
    terrain: Terrain
    truth: PairTruth


@dataclass(frozen=True)
class Map:
    """A map over a pair: its block, and radians of its pixels."""

    block: MapBlock
    longitude: Float64
    latitude: Float64


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    pair = commands.add_parser("pair")
    pair.add_argument("--mode", choices=EXTENTS, default="IW")
    pair.add_argument("--swaths", nargs="+")
    pair.add_argument("--bursts", type=int)
    pair.add_argument("--samples", type=int)
    cost = commands.add_parser("cost")
    cost.add_argument("--swath", default="IW2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.command == "pair":
            wanted = {name: getattr(options, name) for name in ("swaths", "bursts", "samples")}
            given = {name: value for name, value in wanted.items() if value is not None}
            extent = EXTENTS[options.mode]._replace(**given)
            for number, case in enumerate(CASES):
                order = an_order(case[:2], extent)
                report_pair(simulate(Path(folder) / str(number), order), case)
        else:
            order = an_order((0.85, 0.0), Extent(options.swath[:2], [options.swath], 1, None))
            report_cost(simulate(Path(folder), order, is_noise=True), options.swath)


def an_order(case: tuple[float, float], extent: Extent) -> Order:
    """Return passes over hills that rise and sink by some centimetres."""
    relief = Relief.random(ROLLING_HILLS, *np.radians(PLACE), np.random.default_rng(3))
    coherence, shift = case
    secondary = Pass(
        days=12,
        across=85.0,
        radial=20.0,
        late=2.3e-3,
        coherence=coherence,
        uplift=1.0,
        misregistration=shift,
    )
    bowls = (Bowl(0.0, 0.0, 4_000.0, 0.06), Bowl(3_000.0, -4_000.0, 2_000.0, -0.05))
    return Order(
        Scene(relief, bowls=bowls),
        passes=(Pass(), secondary),
        mode=MODES[extent.mode],
        swaths=tuple(extent.swaths),
        bursts=extent.bursts,
        samples=extent.samples,
        polarizations=(POLARIZATIONS[extent.mode],),
    )


def simulate(folder: Path, order: Order, *, is_noise: bool = False) -> Products:
    """Write and open the products of an order."""
    paths = write_passes(folder, order, Options(dem=False, is_noise=is_noise))
    reference, secondary = (open_slc(Safe.open(path), order.polarizations[0]) for path in paths)
    frame = cell_grid(list(reference.bursts.values()), LOOKS).frame
    return Products(
        reference, secondary, heights_around(frame, order.scene.terrain), PairTruth(order)
    )


def heights_around(frame: RadarFrame, relief: Relief) -> Terrain:
    """Sample the relief at one second of arc."""
    longitude, latitude = corners_of(frame)
    west, north = longitude.min() - 0.08, latitude.max() + 0.05
    x = west + DEM_STEP * (np.arange(int((np.ptp(longitude) + 0.16) / DEM_STEP)) + 0.5)
    y = north - DEM_STEP * (np.arange(int((np.ptp(latitude) + 0.1) / DEM_STEP)) + 0.5)
    heights = relief.height(*np.meshgrid(np.radians(x), np.radians(y)))
    transform = Affine(DEM_STEP, 0.0, west, 0.0, -DEM_STEP, north)
    return Terrain(heights.astype(np.float32), transform)


def corners_of(frame: RadarFrame) -> tuple[Float64, Float64]:
    """Return longitudes and latitudes (degrees) of the corners of a frame."""
    line, sample = np.array([[0.0], [frame.lines]]), np.array([0.0, frame.samples])
    longitude, latitude, _ = ecef_to_geodetic(ground_at(frame, line, sample, 500.0))
    return np.degrees(longitude), np.degrees(latitude)


def report_pair(products: Products, case: tuple[float, float, float]) -> None:
    """Follow a pair to the map, and print how far each figure lies from the truth."""
    coherence, injected, bar = case
    bursts = products.reference.bursts
    grid = cell_grid(list(bursts.values()), LOOKS)
    clock = time.process_time()
    pairs, cells = all_cells(products, grid)
    clock = time.process_time() - clock
    pixels = sum(burst.lines * burst.samples for burst in bursts.values()) / 1e6
    by_swath = all_overlaps(bursts, pairs, cells, grid)
    overlaps = list(chain(*by_swath.values()))
    shift = estimate_shift(overlaps)
    if shift is None:
        raise RuntimeError("the simulated pair is not coherent")
    mended = {
        key: without_shift(part, pairs[key], grid, shift.lines) for key, part in cells.items()
    }
    left = all_overlaps(bursts, pairs, mended, grid)
    whole = merge_cells(
        grid, list(bursts.values()), ((bursts[key], part) for key, part in mended.items())
    )
    print(f"coherence {coherence}, {injected:+.4f} lines injected, {pixels:.1f} Mpx")
    print(f"  found {shift.lines:+.6f} lines, error {shift.lines - injected:+.1e} (bar {bar})")
    before = largest_jump(overlaps)
    after = largest_jump(list(chain(*left.values())))
    print(f"  largest jump at a border {before:.3f} rad, corrected {after:.4f} (bar 0.03)")
    for swath in by_swath:
        own = {key: part for key, part in mended.items() if key[0] == swath}
        alone = estimate_shift(by_swath[swath])
        error = "" if alone is None else f"alone off by {alone.lines - injected:+.1e} lines, "
        found = mean_coherence(bursts, own, grid)
        print(f"    {swath}: {error}jump {largest_jump(left[swath]):.4f}, coherence {found:.4f}")
    print(f"  pixels to cells {clock / pixels:.3f} CPU s/Mpx")
    report_map(products, grid, whole)


def all_cells(
    products: Products, grid: CellGrid
) -> tuple[dict[Key, BurstPair], dict[Key, PairCells]]:
    """Compute the cells of every burst."""
    pairs, cells = {}, {}
    for key, burst in products.reference.bursts.items():
        pairs[key] = burst_pair(
            burst, products.secondary.bursts[key], products.terrain.height_range or (0.0, 1.0)
        )
        pixels = (
            products.reference.swaths[key[0]].read(key[1]),
            products.secondary.swaths[key[0]].read(key[1]),
        )
        cells[key] = burst_cells(pixels, pairs[key], products.terrain, grid)
    return pairs, cells


def all_overlaps(
    bursts: Mapping[Key, Burst],
    pairs: Mapping[Key, BurstPair],
    cells: Mapping[Key, PairCells],
    grid: CellGrid,
) -> dict[str, list[Overlap]]:
    """Compare all consecutive bursts of each swath."""
    keys = sorted(bursts, key=lambda key: (key[0], bursts[key].azimuth_time))
    found: dict[str, list[Overlap]] = {swath: [] for swath, _ in keys}
    for a, b in pairwise(keys):
        if a[0] != b[0]:
            continue
        overlap = overlap_of((pairs[a], pairs[b]), (cells[a], cells[b]), grid)
        if overlap is not None:
            found[a[0]].append(overlap)
    return found


def largest_jump(overlaps: Sequence[Overlap]) -> float:
    """Return the largest mean difference of phase between two bursts, radians."""
    means = [np.sum(overlap.weight * overlap.difference) for overlap in overlaps]
    return float(np.abs(np.angle(means)).max())


def mean_coherence(
    bursts: Mapping[Key, Burst], cells: Mapping[Key, PairCells], grid: CellGrid
) -> float:
    """Return the mean coherence of the ground in some bursts."""
    found = []
    for key, part in cells.items():
        columns = slice(0, part.interferogram.shape[1])
        window = coherence_window(bursts[key], grid.looks)
        found.append(ground_coherence(part, [(columns, window)]))
    return float(np.nanmean(np.concatenate([part.ravel() for part in found])))


def report_map(products: Products, grid: CellGrid, whole: PairCells) -> None:
    """Bring cells to the map and compare them there."""
    bursts = products.reference.bursts
    order = products.truth.order
    place = a_map(grid.frame, order.scene.terrain, SPACINGS[order.mode.name])
    clock = time.process_time()
    view = radar_view(grid.frame, place.block)
    interferogram = phasors_on_map(whole.interferogram, grid, view)
    clock = time.process_time() - clock
    swaths = {burst.swath: burst for burst in bursts.values()}
    windows = [
        (slice(*columns), coherence_window(swaths[swath], grid.looks))
        for swath, columns in swath_columns(grid, list(bursts.values())).items()
    ]
    coherence = values_on_map(ground_coherence(whole, windows), grid, view)
    held = interferogram != 0.0
    where = place.longitude[held], place.latitude[held]
    truth = products.truth
    left = interferogram[held] * np.exp(-1j * truth.displacement_phase(*where))
    mean = np.mean(left / np.abs(left))
    seen = truth.seen(*where)
    epoch = (truth.passes[0].epoch - products.reference.epoch).total_seconds()
    frame = grid.frame
    line = frame.line_of(np.asarray(seen.time) + epoch, seen.slant_range) - view.line[held]
    sample = frame.sample_of(seen.slant_range) - view.sample[held]
    off = max(np.abs(line).max() / LOOKS.azimuth, np.abs(sample).max() / LOOKS.range)
    print(
        f"  on the map, {held.sum()} pixels: concentration {np.abs(mean):.4f} (bar 0.98), ", end=""
    )
    print(f"bias {np.angle(mean):+.4f} rad")
    expected = truth.coherence(*where).mean()
    print(f"  coherence {np.nanmean(coherence):.4f}, truth {expected:.4f} (bar 0.01)")
    print(f"  geolocation off by {off:.1e} cells at most (bar 0.1)")
    print(f"  geocoding {clock / interferogram.size * 1e6:.2f} CPU s/Mpx of the map")


def a_map(frame: RadarFrame, relief: Relief, spacing: float) -> Map:
    """Return a map over a frame."""
    to_map = Transformer.from_crs(4326, EPSG, always_xy=True)
    east, north = to_map.transform(*(part.ravel() for part in corners_of(frame)))
    rows, columns = int(np.ptp(north) / spacing) + 1, int(np.ptp(east) / spacing) + 1
    transform = Affine(spacing, 0.0, east.min(), 0.0, -spacing, north.max())
    row, column = np.indices((rows, columns)) + 0.5
    longitude, latitude = to_map.transform(
        east.min() + spacing * column, north.max() - spacing * row, direction="INVERSE"
    )
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    height = relief.height(longitude, latitude).astype(np.float32)
    return Map(MapBlock(EPSG, transform, height), longitude, latitude)


def report_cost(products: Products, swath: str) -> None:
    """Time the steps on a burst of full size, in one process and one thread."""
    (key, burst), *_ = products.reference.bursts.items()
    grid = cell_grid([burst], LOOKS)
    terrain = products.terrain
    pair = burst_pair(burst, products.secondary.bursts[key], terrain.height_range or (0.0, 1.0))
    pixels = (
        products.reference.swaths[swath].read(key[1]),
        products.secondary.swaths[swath].read(key[1]),
    )
    bursts = burst, pair.secondary
    part = burst_relief(burst, terrain, slice(600, 608))
    middle = partial(resample_secondary, pixels[1], bursts, pair.offsets)
    size = burst.lines * burst.samples / 1e6
    print(f"{swath}, a burst of {burst.lines} x {burst.samples} = {size:.1f} Mpx")
    lines = slice(*burst.valid_lines)
    relief = burst_relief(burst, terrain, lines)
    everything = partial(burst_cells, pixels, pair, terrain, grid)
    cells = everything()
    coherence = np.nan_to_num(cells.coherence)
    steps = {
        "reading both": partial(read_both, products, key),
        "heights in radar geometry": partial(burst_relief, burst, terrain, lines),
        "deramp, resample, reramp, flatten": partial(
            middle, relief.heights, first_line=lines.start
        ),
        "all from pixels to cells": everything,
        "Goldstein of the cells": partial(goldstein, cells.interferogram, coherence),
    }
    for name, step in steps.items():
        spent = measure(step, warm_up=partial(middle, part.heights, first_line=600))
        print(f"  {name:36} {spent}  {spent.cpu_s / size:.4f} CPU s/Mpx")


def read_both(products: Products, key: Key) -> None:
    """Read the pixels of a burst of both products."""
    for product in products[:2]:
        product.swaths[key[0]].read(key[1])


if __name__ == "__main__":
    main()
