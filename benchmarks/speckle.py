"""The multitemporal speckle filter over full tiles, reading and writing included.

python -m benchmarks.speckle series FOLDER [DATES [SIDE [BANDS]]]
python -m benchmarks.speckle curves FOLDER
python -m benchmarks.speckle peer FOLDER MODULES

MODULES are CNES's modules of the Orfeo ToolBox, see `benchmarks.peers.multitemporal`. FOLDER takes
10 GB a band and is kept for further runs.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from benchmarks.measure import Cost, measure
from benchmarks.peers import multitemporal
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.chains.tiling_s1.series_filter import Output, Series, filter_series
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

SIDE = 10980
DATES = 15
LOOKS = 4.4
THREADS = 2
CURVE_SIDE, CURVE_DATES, CURVE_SIDES = 3072, (5, 10, 20, 40, 80), (1536, 6144, 10980)
PEER_SIDE = 5490
FORM = value_format("float32", "gamma0")
TRANSFORM = Affine(10, 0, 300000, 0, -10, 4900020)
DESCRIPTION = RasterDescription("float32", 32631, TRANSFORM, 0.0, {})
NAMES = ("VV", "VH")


def images(folder: Path, dates: int, side: int, bands: int = 1) -> list[Path]:
    """Write images of independent speckle; blocks are drawn from 64 of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    blocks = rng.gamma(LOOKS, 0.1 / LOOKS, (64, BLOCK, BLOCK)).astype(np.float32)
    paths = []
    for date in range(dates):
        path = folder / f"date_{side}_{bands}_{date:03}.tif"
        paths.append(path)
        if path.exists():
            continue
        description = replace(DESCRIPTION, bands=NAMES[:bands]) if bands > 1 else DESCRIPTION
        writer = CogWriter(
            path, width=side, height=side, description=description, mantissa_bits=FORM.mantissa_bits
        )
        rows, columns = writer.shape_in_blocks
        chosen = rng.integers(0, len(blocks), (bands, rows, columns))
        with ThreadPoolExecutor(THREADS) as pool:
            for band, row, column in np.ndindex(bands, rows, columns):
                block = _cut(blocks[chosen[band, row, column]], row, column, side)
                pool.submit(writer.put, row, column, block, band=band)
        writer.close()
    return paths


def _cut(block: np.ndarray, row: int, column: int, side: int) -> np.ndarray:
    """Return a block without what lies beyond the edges of the image."""
    cut = np.zeros_like(block)
    rows, columns = min(BLOCK, side - row * BLOCK), min(BLOCK, side - column * BLOCK)
    cut[:rows, :columns] = block[:rows, :columns]
    return cut


def full_run(folder: Path, paths: list[Path]) -> Cost:
    """Filter a whole series."""
    series = Series(tuple(paths), _outputs(folder, paths), folder / "sums.tif", FORM)
    return _measured(series)


def update(folder: Path, path: Path) -> Cost:
    """Add one image to the sums of the others and filter it."""
    series = Series(
        (path,), _outputs(folder, [path]), folder / "new_sums.tif", FORM, folder / "sums.tif"
    )
    return _measured(series)


def _outputs(folder: Path, paths: list[Path]) -> dict[Path, Output]:
    return {path: Output(folder / f"{path.stem}_filtered.tif") for path in paths}


def _measured(series: Series) -> Cost:
    def run(of: Series) -> None:
        filter_series(of, threads=THREADS, progress=lambda _: None)

    def warm_up() -> None:
        """Load the kernels, as a worker has them."""
        folder = series.sums.parent / "warm"
        paths = images(folder, 1, 600)
        run(Series(tuple(paths), _outputs(folder, paths), folder / "sums.tif", FORM))

    return measure(lambda: run(series), warm_up=warm_up)


def series_table(folder: Path, dates: int, side: int, bands: int) -> None:
    """Print what a series costs, and one more date."""
    paths = images(folder, dates + 1, side, bands)
    full = full_run(folder, paths[:dates])
    print(f"{dates} dates of {side}, bands: {bands}: {full}", flush=True)
    os.sync()  # what the series left to be written is not the cost of the next date
    one = update(folder, paths[dates])
    print(f"one more: {one}; {one.cpu_s / (full.cpu_s / dates):.2f} dates", flush=True)


def curves(folder: Path) -> None:
    """Print cost over dates at one size, and over size at some dates."""
    paths = images(folder, CURVE_DATES[-1], CURVE_SIDE)
    for dates in CURVE_DATES:
        print(f"{dates:3} dates of {CURVE_SIDE}: {full_run(folder, paths[:dates])}", flush=True)
    for side in CURVE_SIDES:
        paths = images(folder, CURVE_DATES[0], side)
        print(f"{len(paths):3} dates of {side}: {full_run(folder, paths)}", flush=True)


def peer(folder: Path, modules: Path) -> None:
    """Print what CNES's modules take of the same images, and how far the results differ."""
    paths = images(folder, DATES, PEER_SIDE)
    plain = [_uncompressed(path, folder / "plain") for path in paths]
    ours = full_run(folder, paths)
    print(f"ours: {ours}", flush=True)
    theirs = multitemporal.filter_images(modules, plain, threads=THREADS)
    print(f"theirs: {theirs}; {theirs.cpu_s / ours.cpu_s:.1f} times the CPU", flush=True)
    largest = 0.0
    for path in paths:
        name = f"{path.stem}_filtered.tif"
        with (
            rasterio.open(folder / name) as mine,
            rasterio.open(folder / "plain" / "filtered" / name) as other,
        ):
            difference = np.abs(mine.read(1) / other.read(1) - 1)
        largest = max(largest, float(difference.max()))
    print(f"largest relative difference {largest:.1e}, of which rounding to 10 bits 4.9e-04")


def _uncompressed(path: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    copy = folder / path.name
    if not copy.exists():
        with rasterio.open(path) as dataset:
            profile = {name: dataset.profile[name] for name in ("width", "height", "count")}
            profile |= {"crs": dataset.crs, "transform": dataset.transform, "dtype": "float32"}
            with rasterio.open(copy, "w", driver="GTiff", **profile) as out:
                out.write(dataset.read())
    return copy


def main() -> None:
    command, folder, *further = sys.argv[1:]
    if command == "series":
        dates, side, bands = (*map(int, further), *(DATES, SIDE, 1)[len(further) :])
        series_table(Path(folder), dates, side, bands)
    elif command == "curves":
        curves(Path(folder))
    else:
        peer(Path(folder), Path(further[0]))


if __name__ == "__main__":
    main()
