"""Simulated pairs of IW and EW from their pixels to the map, against what is true of them."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from affine import Affine

from algorithms.geodesy import ecef_to_geodetic, geodetic_to_ecef
from algorithms.interferometry.cells import CellGrid, Looks, PairCells, cell_grid
from algorithms.interferometry.geometry import ground_at, place_of
from algorithms.interferometry.ground_coherence import coherence_window, ground_coherence
from algorithms.interferometry.merging import merge_cells, swath_columns
from algorithms.interferometry.model import Burst
from algorithms.interferometry.pair import burst_cells, burst_pair, without_shift
from algorithms.interferometry.spectral_diversity import (
    AzimuthShift,
    estimate_shift,
    overlap_of,
)
from algorithms.terrain.nodes import Terrain
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc
from simulator.terrain import ROLLING_HILLS
from simulator.terrain import Terrain as Relief
from simulator.tops.instrument import EW
from simulator.tops.plan import Order, Pass
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, Scene
from simulator.tops.truth import PairTruth

SHIFT, COHERENCE = 0.01, 0.9
STEP = 1.0 / 3600.0  # degrees
# EW1 has the largest part of its band that another antenna does not see, and both few looks.
MODES = {
    "IW": {"samples": 700},
    "EW": {
        "mode": EW,
        "swaths": ("EW1", "EW2"),
        "samples": 400,
        "swath_overlap": 40,
        "polarizations": ("HH",),
    },
}


class Chain(NamedTuple):
    """What the steps gave, and what is true."""

    truth: PairTruth
    bursts: list[Burst]
    grid: CellGrid
    shift: AzimuthShift
    before: list[float]
    after: list[float]
    whole: PairCells


@pytest.fixture(scope="module", params=MODES)
def chain(request, tmp_path_factory):
    relief = Relief.random(
        ROLLING_HILLS, np.radians(5.0), np.radians(45.0), np.random.default_rng(3)
    )
    secondary = Pass(
        days=12,
        across=85.0,
        radial=20.0,
        late=2.3e-3,
        coherence=COHERENCE,
        uplift=1.0,
        misregistration=SHIFT,
    )
    order = Order(
        Scene(relief, bowls=(Bowl(0.0, 0.0, 1_500.0, 0.03),)),
        passes=(Pass(), secondary),
        bursts=2,
        lines=300,
        overlap=100,
        **MODES[request.param],
    )
    folder = tmp_path_factory.mktemp("pair")
    paths = write_passes(folder, order, Options(dem=False, threads=1))
    products = [open_slc(Safe.open(path), order.polarizations[0]) for path in paths]
    return follow(products, PairTruth(order))


def follow(products, truth):
    """Run the steps of a chain on all bursts of a pair."""
    bursts = list(products[0].bursts.values())
    grid = cell_grid(bursts, Looks(4, 20))
    terrain = heights_around(grid.frame, truth.order.scene.terrain)
    pairs, cells = [], []
    for key, burst in products[0].bursts.items():
        pair = burst_pair(burst, products[1].bursts[key], terrain.height_range)
        pixels = tuple(product.swaths[key[0]].read(key[1]) for product in products)
        pairs.append(pair)
        cells.append(burst_cells(pixels, pair, terrain, grid))
    shift = estimate_shift(overlaps(pairs, cells, grid))
    mended = [
        without_shift(part, pair, grid, shift.lines)
        for part, pair in zip(cells, pairs, strict=True)
    ]
    jumps = [
        [jump(overlap) for overlap in overlaps(pairs, found, grid)] for found in (cells, mended)
    ]
    whole = merge_cells(grid, bursts, zip(bursts, mended, strict=True))
    return Chain(truth, bursts, grid, shift, *jumps, whole)


def overlaps(pairs, cells, grid):
    """Compare the bursts that follow each other in a swath."""
    return [
        overlap_of((first, second), parts, grid)
        for (first, second), parts in zip(pairwise(pairs), pairwise(cells), strict=True)
        if first.reference.swath == second.reference.swath
    ]


def jump(overlap):
    return float(np.angle(np.sum(overlap.weight * overlap.difference)))


def heights_around(frame, relief):
    """Sample the relief as a model of heights of one second of arc."""
    corners = ground_at(
        frame, np.array([[0.0], [frame.lines]]), np.array([0.0, frame.samples]), 500
    )
    longitude, latitude, _ = (np.degrees(part) for part in ecef_to_geodetic(corners))
    west, north = longitude.min() - 0.05, latitude.max() + 0.02
    x = west + STEP * (np.arange(int((np.ptp(longitude) + 0.1) / STEP)) + 0.5)
    y = north - STEP * (np.arange(int((np.ptp(latitude) + 0.04) / STEP)) + 0.5)
    heights = relief.height(*np.meshgrid(np.radians(x), np.radians(y)))
    return Terrain(heights.astype(np.float32), Affine(STEP, 0.0, west, 0.0, -STEP, north))


def true_phase(chain):
    """Return the phase that relief and Earth leave, at the ground of every cell."""
    rows, columns = chain.grid.shape
    line = 4.0 * np.arange(rows)[:, None] + 1.5
    sample = 20.0 * np.arange(columns) + 9.5
    height = np.full((rows, columns), 500.0)
    for _ in range(6):
        ground = ground_at(chain.grid.frame, line, sample, height)
        longitude, latitude, _ = ecef_to_geodetic(ground)
        height = chain.truth.order.scene.terrain.height(longitude, latitude)
    return longitude, latitude, chain.truth.displacement_phase(longitude, latitude)


def test_the_misregistration_is_found_and_no_jump_is_left(chain):
    assert abs(chain.shift.lines - SHIFT) < 3e-4
    assert np.abs(chain.before).min() > 0.05
    assert np.abs(chain.after).max() < 0.03


def test_the_phase_is_that_of_the_displacement(chain):
    _, _, phase = true_phase(chain)
    held = chain.whole.reference_power > 0.0

    left = chain.whole.interferogram[held] * np.exp(-1j * phase[held])

    assert held.mean() > 0.5
    assert np.ptp(phase[held]) > 1.5
    concentration = np.mean(left / np.abs(left))
    assert np.abs(concentration) > 0.98
    assert abs(np.angle(concentration)) < 0.02


def test_the_coherence_is_that_of_the_ground(chain):
    swaths = {burst.swath: burst for burst in chain.bursts}
    windows = [
        (slice(*columns), coherence_window(swaths[name], chain.grid.looks))
        for name, columns in swath_columns(chain.grid, chain.bursts).items()
    ]

    found = ground_coherence(chain.whole, windows)

    # Bursts 2.3 ms apart cost 0.2 to 0.4 % of the spectrum.
    assert np.nanmean(found) == pytest.approx(COHERENCE, abs=0.01)


def test_the_ground_is_where_the_truth_sees_it(chain):
    longitude, latitude, _ = true_phase(chain)
    height = chain.truth.order.scene.terrain.height(longitude, latitude)
    place = place_of(chain.grid.frame, geodetic_to_ecef(longitude, latitude, height))

    seen = chain.truth.seen(longitude, latitude)

    sample = chain.grid.frame.sample_of(seen.slant_range)
    np.testing.assert_allclose(place.sample, sample, atol=1e-3)
