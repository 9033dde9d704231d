"""Maps of pairs inverted block by block: the simulated stack's own displacement comes out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from algorithms.block import Block
from algorithms.time_series.network import network
from peps_wps.chains.time_series_s1.corrections import (
    fitted_correction,
    no_correction,
    offset_of,
    reference_of,
)
from peps_wps.chains.time_series_s1.inversion import Geometry, MappedPair, StackSolver
from peps_wps.chains.time_series_s1.order import Order
from simulator.stack import INCIDENCE_ANGLE, SLANT_RANGE, WAVELENGTH, Disturbances, make_stack

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
SIZE = 80


def write(path: Path, values: np.ndarray) -> Path:
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": 32631}
    transform = Affine(80.0, 0.0, 5e5, 0.0, -80.0, 5e6)
    rows, columns = values.shape
    with rasterio.open(
        path, "w", height=rows, width=columns, transform=transform, **profile
    ) as dataset:
        dataset.write(values.astype(np.float32), 1)
    return path


@pytest.fixture(scope="module")
def simulated():
    """Ten dates with gaps, errors of the heights and clean air."""
    return make_stack(
        size=SIZE,
        dates=10,
        pairs=24,
        disturbances=Disturbances(gaps=0.1, wrong_pairs=0.0, delay=0.0),
    )


def test_blocks_give_what_the_ground_did(simulated, tmp_path: Path) -> None:
    phases = [write(tmp_path / f"{k}.tif", one) for k, one in enumerate(simulated.phases)]
    coherences = [write(tmp_path / f"{k}c.tif", one) for k, one in enumerate(simulated.coherence)]
    full = np.ones((SIZE, SIZE), np.float32)
    geometry = Geometry(
        WAVELENGTH,
        20.0,
        write(tmp_path / "incidence.tif", np.degrees(INCIDENCE_ANGLE) * full),
        write(tmp_path / "range.tif", SLANT_RANGE * full),
        write(tmp_path / "height.tif", simulated.elevation),
    )
    dates = tuple(FIRST + timedelta(days=float(day)) for day in simulated.days)
    # A pair's baseline in interferometry's sense, as pairs are recorded.
    across = [-(simulated.baselines[j] - simulated.baselines[i]) for i, j in simulated.pairs]
    pairs = tuple(
        MappedPair(phase, coherence, (int(i), int(j)), 0.0, float(baseline))
        for phase, coherence, (i, j), baseline in zip(
            phases, coherences, simulated.pairs, across, strict=True
        )
    )
    solver = StackSolver(dates, pairs, geometry, no_correction((SIZE, SIZE), len(pairs)), Order())
    solved = solver.solve(Block(0, 0, SIZE, SIZE))

    known = np.isfinite(solved.velocity)
    truth = simulated.displacement
    error = (solved.displacement - truth)[:, known]
    assert known.mean() > 0.99
    assert np.sqrt(np.mean(error**2)) < 3.5e-3  # m, the bar of a stack of 30 dates
    slope = np.polyfit(simulated.dem_error[known], solved.dem_error[known], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.1)


def test_parts_of_a_block_are_those_of_the_whole(simulated, tmp_path: Path) -> None:
    """A trend is one of the whole map, wherever a block lies in it."""
    rows, columns = np.indices((SIZE, SIZE), np.float32)
    height = 10.0 * rows
    ramp = {(0, 1): 3.0, (1, 2): -1.0, (0, 2): 2.0}
    phases = [
        write(tmp_path / f"{k}.tif", 0.5 + slope * columns / SIZE + 1e-3 * slope * height)
        for k, slope in enumerate(ramp.values())
    ]
    elevation = write(tmp_path / "height.tif", height)
    net = network([0, 12, 24], np.array(list(ramp)))
    found = fitted_correction(phases, elevation, net, planes=True, by_elevation=False)
    whole = found.of(Block(0, 0, SIZE, SIZE), height)
    part = found.of(Block(30, 20, 10, 40), height[30:40, 20:60])

    np.testing.assert_allclose(part, whole[:, 30:40, 20:60], atol=1e-5)
    for trend, slope in zip(whole, ramp.values(), strict=True):
        assert np.ptp(trend[0]) == pytest.approx(abs(slope) * (SIZE - 1) / SIZE, rel=1e-3)
    # Triangles close as they did.
    np.testing.assert_allclose(whole[0] + whole[1], whole[2], atol=1e-4)


def test_the_reference_is_where_the_worst_pair_is_best(tmp_path: Path) -> None:
    good, mixed = np.full((20, 30), 0.9), np.full((20, 30), 0.3)
    mixed[10:15, 4:9] = 0.8
    phase = np.full((20, 30), 2.5)
    phase[0] = np.nan
    paths = [write(tmp_path / f"{k}.tif", one) for k, one in enumerate((good, mixed, phase))]
    block = reference_of(paths[:2], [paths[2]] * 2)

    assert (block.row, block.column) == (12, 6)
    assert offset_of(paths[2], block) == pytest.approx(2.5)
