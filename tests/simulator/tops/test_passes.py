"""Passes of an order: their phases, identifiers, truth and scores."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import from_origin

from peps_wps.readers.integrity import check_readable, check_stated_files
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc
from simulator.landscape import WATER
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.tops.doppler import WAVELENGTH
from simulator.tops.focus import focus_swath
from simulator.tops.instrument import EW, IW, TopsMode
from simulator.tops.plan import Order, Pass, plan
from simulator.tops.product import Options, write_passes
from simulator.tops.scene import Bowl, PointTarget, Scene
from simulator.tops.score import (
    score_coherence,
    score_displacement,
    score_phase,
    score_targets,
)
from simulator.tops.truth import PairTruth, describe, order_of
from tests.simulator.tops.radar import abeam, earth_fixed

Float64 = NDArray[np.float64]

TERRAIN = Terrain.random(
    ROLLING_HILLS, np.radians(1.83), np.radians(43.6), np.random.default_rng(3), scale=0.7
)
FLAT = Scene(Terrain(np.radians(1.5), np.radians(-33.5), 200.0, np.empty((0, 4))))
# Wide enough for its phase to be straight over some pixels.
BOWL = Bowl(50.0, 100.0, 1_800.0, 0.05)
PAIR = Order(
    Scene(TERRAIN, bowls=(BOWL,)),
    (Pass(), Pass(days=12, across=85.0, radial=20.0, coherence=0.9, uplift=1.0)),
    swaths=("IW2",),
    lines=240,
    samples=320,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two passes on orbits 87 m apart, over hills that have moved."""
    folder = tmp_path_factory.mktemp("pair")
    write_passes(folder, PAIR, Options(dem=False))
    return folder


def test_phases_are_those_of_the_ranges_of_both_orbits(folder: Path) -> None:
    first, second = (open_slc(Safe.open(path)) for path in sorted(folder.glob("*.SAFE")))
    truth = PairTruth(PAIR)
    lines, samples = np.arange(30.0, 215, 30), np.arange(50.0, 290, 40)
    for number, (burst, other) in enumerate(
        zip(first.bursts.values(), second.bursts.values(), strict=True)
    ):
        image, moved = (
            product.swaths["IW2"].read(one.burst_id)
            for product, one in ((first, burst), (second, other))
        )
        nodes = truth.nodes(0, number, lines, samples)
        uplift = PAIR.scene.uplift(*TERRAIN.plane(nodes.longitude, nodes.latitude))
        errors = []
        for row, column in np.ndindex(nodes.height.shape):
            degrees = np.degrees((nodes.longitude[row, column], nodes.latitude[row, column]))
            height = nodes.height[row, column]
            before = abeam(burst.orbit, earth_fixed(*degrees, height), burst.mid_time)
            after = abeam(
                other.orbit, earth_fixed(*degrees, height + uplift[row, column]), other.mid_time
            )
            # The node lies where the annotation says; its grid is rounded to 1e-6 s.
            assert burst.line_of(before.time, before.slant_range) == pytest.approx(
                lines[row], abs=2e-3
            )
            assert burst.sample_of(before.slant_range) == pytest.approx(samples[column], abs=1e-4)
            y, x = round(lines[row]), round(samples[column])
            shift = round(float(other.sample_of(after.slant_range))) - x
            one = image[y - 8 : y + 9, x - 8 : x + 9]
            two = moved[y - 8 : y + 9, x + shift - 8 : x + shift + 9]
            expected = 4 * np.pi / burst.wavelength * (after.slant_range - before.slant_range)
            errors.append(np.angle(np.vdot(two, one) * np.exp(-1j * expected)))
        # 289 pixels hold about 110 looks of coherence 0.87, less what half a pixel of misalignment
        # takes: 0.045 rad each, 0.007 the mean of 42.
        assert np.std(errors) < 0.08
        assert abs(np.mean(errors)) < 0.02


def test_displacement_is_towards_the_antenna_and_its_phase_falls() -> None:
    truth = PairTruth(PAIR)
    place = TERRAIN.geographic(np.array([BOWL.east]), np.array([BOWL.north]))
    towards = truth.displacement(*place)
    # The ground has risen towards an antenna that is seen 35 to 40 degrees off the vertical.
    np.testing.assert_allclose(towards, BOWL.height * np.cos(truth.incidence(*place)), atol=1e-5)
    assert 0.7 * BOWL.height < towards[0] < 0.9 * BOWL.height
    phase = truth.displacement_phase(*place)
    np.testing.assert_allclose(phase, -4 * np.pi / WAVELENGTH * towards)


def test_saved_fields_are_those_of_the_pair(folder: Path) -> None:
    (path,) = folder.glob("*.truth.npz")
    truth = PairTruth.read(path.with_suffix(".json"))
    with np.load(path) as fields:
        place = np.radians((fields["IW2_2_longitude"], fields["IW2_2_latitude"]))
        np.testing.assert_allclose(
            fields["IW2_2_topographic_phase"], truth.topographic_phase(*place), atol=1e-4
        )
        frame = truth.passes[1].swaths[0]
        sample = fields["IW2_2_sample"] + fields["IW2_2_far"] / frame.range_spacing
        seen = truth.seen(*place, which=1)
        np.testing.assert_allclose(
            sample, (seen.slant_range - frame.near_range) / frame.range_spacing, atol=1e-5
        )


def test_products_are_those_that_the_archive_takes(folder: Path) -> None:
    first, second = sorted(folder.glob("*.SAFE"))
    for path in (first, second):
        check_stated_files(Safe.open(path))
        check_readable(Safe.open(path))
    known, other = read_metadata(first), read_metadata(second)
    assert (known.product_type, known.sensor_mode, known.swath) == ("SLC", "IW", "IW2")
    assert known.polarization == "VV"
    # What makes two products a pair is in the catalogue.
    assert known.relative_orbit == other.relative_orbit
    assert other.orbit_number is not None
    assert other.orbit_number - 175 == known.orbit_number
    assert known.footprint.intersection(other.footprint).area > 0.95 * known.footprint.area


def test_an_order_is_rebuilt_from_its_truth() -> None:
    document = json.loads(json.dumps(describe(PAIR)))
    assert describe(order_of(document)) == describe(PAIR)
    assert plan(order_of(document))[1].swaths == plan(PAIR)[1].swaths


def test_images_do_not_depend_on_the_number_of_threads() -> None:
    passes = plan(replace(PAIR, lines=90, samples=60))
    one, two = (focus_swath(passes, 0, "VV", threads=threads) for threads in (1, 2))
    for bursts, others in zip(one, two, strict=True):
        np.testing.assert_array_equal(bursts, others)


def test_channels_have_speckle_of_their_own() -> None:
    passes = plan(replace(PAIR, lines=90, samples=60, passes=(Pass(),)))
    co, cross = (next(focus_swath(passes, 0, name))[0] for name in ("VV", "VH"))
    power = [float(np.sum(np.abs(image) ** 2)) for image in (co, cross)]
    # 5,000 pixels, some 2,000 looks: 0.02.
    assert abs(np.vdot(co, cross)) / np.sqrt(power[0] * power[1]) < 0.1
    assert power[1] < 0.5 * power[0]


def test_water_is_never_coherent() -> None:
    scene = Scene(TERRAIN, noise=0.001, is_flat=False)
    power = np.array([WATER[0], 0.1], np.float32)
    water, field = scene.coherence(power, 0.8)
    assert water == 0
    assert field == pytest.approx(0.8 * 0.1 / 0.101)
    east, north = np.meshgrid(np.arange(-9e3, 9e3, 150), np.arange(-9e3, 9e3, 150))
    share = np.mean(scene.coherence(scene.backscatter(east, north), 0.8) == 0)
    assert 0.001 < share < 0.2


@pytest.mark.parametrize(("mode", "satellite"), [(IW, "S1A"), (IW, "S1B"), (EW, "S1A")])
def test_identifiers_of_old_processors_can_be_computed(
    tmp_path: Path, mode: TopsMode, satellite: str
) -> None:
    swaths = tuple(swath.name for swath in mode.swaths)
    order = Order(FLAT, PAIR.passes, mode, swaths, bursts=3, samples=24, satellite=satellite)
    order = replace(order, processor="2.36", ascending=False)
    order = replace(order, start=datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC))
    paths = write_passes(tmp_path, order, Options(is_noise=True, dem=False))
    for path, flown in zip(paths, plan(order), strict=True):
        product = open_slc(Safe.open(path))
        expected = {
            (frame.swath.name, burst.relative_id)
            for frame in flown.swaths
            for burst in frame.bursts
        }
        assert product.bursts.keys() == expected


def test_short_bursts_need_a_processor_that_numbers_them() -> None:
    with pytest.raises(ValueError, match=r"processor 3\.31 writes none"):
        plan(replace(PAIR, processor="3.31"))


def test_lines_and_samples_of_all_swaths_lie_on_one_lattice() -> None:
    order = Order(FLAT, swaths=("IW1", "IW2", "IW3"), bursts=3)
    for flown in plan(order):
        first = flown.swaths[0]
        for frame in flown.swaths:
            samples = (frame.slant_range_time - first.slant_range_time) * frame.sampling_rate
            assert samples == pytest.approx(round(samples), abs=1e-6)
            for burst in frame.bursts:
                late = burst.azimuth_time - first.bursts[0].azimuth_time
                lines = late / frame.line_interval
                assert lines == pytest.approx(round(lines), abs=1e-3)  # dated to 1e-6 s


def write_map(path: Path, values: Float64, corner: tuple[float, float]) -> Path:
    """Write a raster of 20 m in UTM 31."""
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": values.shape[1],
        "height": values.shape[0], "crs": "EPSG:32631", "nodata": np.nan,
        "transform": from_origin(*corner, 20.0, 20.0),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values.astype(np.float32), 1)
    return path


def test_scores_find_the_errors_that_a_map_was_given(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    truth = PairTruth(PAIR)
    to_map = Transformer.from_crs(4326, 32631, always_xy=True)
    east, north = to_map.transform(*np.degrees((TERRAIN.longitude, TERRAIN.latitude)))
    corner = float(east) - 800.0, float(north) + 2_600.0
    columns, rows = np.meshgrid(np.arange(80), np.arange(260))
    place = to_map.transform(
        corner[0] + 20 * (columns + 0.5), corner[1] - 20 * (rows + 0.5), direction="INVERSE"
    )
    longitude, latitude = np.radians(place)
    phase = truth.displacement_phase(longitude, latitude)
    coherence = truth.coherence(longitude, latitude)
    exact = score_phase(truth, write_map(tmp_path / "exact.tif", phase, corner))
    assert exact.concentration > 1 - 1e-6
    assert exact.border_jump < 1e-3
    noisy = phase + 0.5 + rng.normal(0, 0.3, phase.shape)
    frame = truth.passes[0].swaths[0]
    border = frame.bursts[1].azimuth_time + 0.5 * (
        frame.bursts[0].azimuth_time - frame.bursts[1].azimuth_time
        + sum(frame.valid_lines) * frame.line_interval
    )  # fmt: skip
    noisy += 0.2 * (truth.seen(longitude, latitude).time > border)
    found = score_phase(truth, write_map(tmp_path / "noisy.tif", noisy, corner))
    # Of noise and jump: exp(-0.3**2 / 2) cos(0.1) where half of the map lies on either side.
    assert found.concentration == pytest.approx(np.exp(-0.045) * np.cos(0.1), abs=0.01)
    assert found.border_jump == pytest.approx(0.2, abs=0.05)
    path = write_map(tmp_path / "coherence.tif", coherence - 0.02, corner)
    assert score_coherence(truth, path) == pytest.approx(-0.02, abs=1e-4)
    moved = truth.displacement(longitude, latitude) + 0.003
    mean, spread = score_displacement(truth, write_map(tmp_path / "moved.tif", moved, corner))
    assert mean == pytest.approx(0.003, abs=1e-5)
    assert spread < 1e-5


def test_the_dem_of_a_pass_across_the_antimeridian_has_the_tiles_of_its_ground(
    tmp_path: Path,
) -> None:
    ground = Terrain(np.radians(179.99), np.radians(-17.5), 200.0, np.empty((0, 4)))
    order = replace(PAIR, scene=Scene(ground), bursts=1, lines=60, samples=400)
    write_passes(tmp_path, order, Options())
    names = sorted(path.name for path in (tmp_path / "dem").iterdir())
    assert names == [f"Simulated_DEM_S18_00_{column}_00.tif" for column in ("E179", "W180")]


def test_a_target_that_is_off_is_found_off(tmp_path: Path) -> None:
    scene = replace(PAIR.scene, targets=(PointTarget(200.0, 100.0, 1e4),))
    truth = PairTruth(replace(PAIR, scene=scene))
    (target,) = truth.targets()
    to_map = Transformer.from_crs(4979, 32631, always_xy=True)
    east, north = to_map.transform(target["longitude"], target["latitude"])
    corner = float(east) - 600.0 - 7.0, float(north) + 500.0 + 4.0
    column = (east + 6.0 - corner[0]) / 20 - 0.5
    row = (corner[1] - north + 2.0) / 20 - 0.5
    columns, rows = np.meshgrid(np.arange(60.0), np.arange(50.0))
    bump = 100 - (columns - column) ** 2 - (rows - row) ** 2
    ((x, y),) = score_targets(truth, write_map(tmp_path / "bump.tif", bump, corner))
    assert (x, y) == pytest.approx((6.0 / 20, 2.0 / 20), abs=1e-3)
