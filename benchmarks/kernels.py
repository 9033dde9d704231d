"""What each step of a tile costs a pixel, on one core: the profile of S1_ORTHO.

    python -m benchmarks.kernels [FOLDER]

FOLDER as for `benchmarks.s1_ortho`; without one a small scene is simulated. Least of several runs.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import zstandard

from algorithms import mgrs
from algorithms.block import Block
from algorithms.radar import ortho, resampling
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.incidence import incidence_angles
from algorithms.radar.shadow import layover_shadow
from algorithms.terrain.flattening import flattening_factor
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import Terrain
from algorithms.terrain.profiles import trace_profiles
from benchmarks.s1_ortho import Case
from peps_wps.chains.ortho_s1.heights import configured_dem, tile_bounds
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import CalibratedImage, read_scene
from peps_wps.chains.ortho_s1.values import encode, value_format
from peps_wps.readers.dem import DemWindow
from peps_wps.writers import cog
from simulator import demonstration

T = TypeVar("T")
RUNS = 7


def timed(name: str, work: Callable[[], T], pixels: float) -> T:
    """Print the least CPU time of a piece of work a pixel."""
    result, least = work(), np.inf
    for _ in range(RUNS):
        start = time.thread_time()
        result = work()
        least = min(least, time.thread_time() - start)
    print(f"{name:34} {1e3 * least:8.2f} ms {1e9 * least / pixels:7.2f} ns/px")
    return result


def fullest_block(nodes: ortho.TileNodes, heights: DemWindow) -> ortho.BlockPositions:
    """Return the positions of the block with the most pixels in the image."""
    side = cog.BLOCK
    blocks = [
        Block(row, column, side, side)
        for row in range(0, 10240, 4 * side)
        for column in range(0, 10240, 4 * side)
    ]
    found = [ortho.block_positions(nodes, b, heights.height, heights.transform) for b in blocks]
    return max(found, key=lambda p: np.count_nonzero(np.isfinite(p.line)))


def main() -> None:
    if len(sys.argv) > 1:
        profile(Case.of(Path(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        demonstration.write(Path(folder))
        profile(Case.of(Path(folder)))


def profile(case: Case) -> None:
    """Time every step on one block of 512 x 512 pixels."""
    order = Order((case.known.title,))
    task = max(case.tasks(), key=lambda task: task.weight)
    tile = mgrs.tile(task.name)
    scene = read_scene([case.path], ["VV"], order, case.config.orbits.path)
    heights = configured_dem(case.config).heights(tile_bounds(tile))
    low, high = float(heights.height.min()), float(heights.height.max())
    grid = {"epsg": tile.epsg, "transform": tile.transform, "shape": tile.shape}
    nodes = timed(
        "nodes of a tile",
        lambda: ortho.prepare_tile(scene.geometry, **grid, height_range=(low, high)),
        10980**2,
    )
    positions = fullest_block(nodes, heights)
    pixels = positions.line.size
    timed(
        "positions",
        lambda: ortho.block_positions(nodes, positions.block, heights.height, heights.transform),
        pixels,
    )
    window = ortho.source_window(scene.geometry, positions, 3)
    assert window is not None
    image = CalibratedImage(scene, "VV", order)
    source = timed("read, calibrate, denoise", lambda: image.backscatter(window), pixels)
    place = positions.relative_to(window)
    for method in resampling.RADIUS:
        timed(
            f"interpolate, {method}",
            lambda method=method: resampling.resample(source, *place, method=method),
            pixels,
        )
    power = resampling.resample(source, *place, method="bilinear")
    values = timed("encode", lambda: encode(power, value_format("float32", "gamma0")), pixels)
    rounded = timed("round to 10 bits", lambda: cog.round_mantissa(values, 10), pixels)
    timed("halve for the overviews", lambda: cog.halve(rounded, "mean", 0.0), pixels)
    predicted = timed("predictor", lambda: cog._PREDICTED["float32"](rounded), pixels)
    compressor = zstandard.ZstdCompressor(level=1)
    timed("ZSTD level 1", lambda: compressor.compress(predicted), pixels)
    profile_relief(scene.geometry, tile, heights, positions, window)


def profile_relief(
    geometry: RadarGeometry,
    tile: mgrs.Tile,
    heights: DemWindow,
    positions: ortho.BlockPositions,
    window: ortho.Window,
) -> None:
    """Time what takes the relief of the ground into account, on the same block."""
    pixels = positions.line.size
    terrain = Terrain(heights.height, heights.transform)
    imaging = GrdImaging(geometry)
    profiles = timed("terrain profiles", lambda: trace_profiles(imaging, window, terrain), pixels)
    assert profiles is not None
    timed("flattening factor", lambda: flattening_factor(profiles), pixels)
    line, sample = positions.absolute()
    timed(
        "layover and shadow",
        lambda: layover_shadow(profiles, line, sample, positions.height),
        pixels,
    )
    timed(
        "incidence angles",
        lambda: incidence_angles(
            geometry, positions.height, epsg=tile.epsg, transform=tile.transform
        ),
        pixels,
    )


if __name__ == "__main__":
    main()
