"""Terrain flattening against rays cast on analytic relief and against real annotations."""

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import map_coordinates

from algorithms.geodesy import geodetic_to_ecef
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.ortho import Window
from algorithms.radar.shadow import layover_shadow
from algorithms.terrain.flattening import _accumulate, flattening_factor
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import SampleTable, Terrain
from algorithms.terrain.profiles import trace_profiles
from tests.algorithms.terrain.scene import LINE_TIME, CircularOrbit, Scene, waves

PRODUCTS = (
    "20210809T173953",  # ascending, IPF 3.31
    "20210119T031653",  # southern hemisphere
    "20150222T170725",  # IPF 2.36
    "EW_GRDM",  # 40 m pixels
    "S4_GRDH",  # stripmap
)


@pytest.fixture(scope="module")
def steep():
    """Slopes to 45 degrees, a sixth of the ground in layover."""
    rng = np.random.default_rng(1)
    scene = Scene(waves((250, 130, 60, 30), (3000, 1900, 1100, 700), rng), lines=110, samples=400)
    return scene, scene.beta0(step=2.0)


def profiles_of(scene, margin=4000.0):
    terrain = Terrain(*scene.dem(margin))
    profiles = trace_profiles(scene.geometry, scene.window, terrain)
    assert profiles is not None
    return profiles


def test_flat_ground_takes_the_rays_to_gamma_one():
    scene = Scene(np.array([[1e-9, 0.0, 0.0, 0.0]]), lines=4, samples=200)

    gamma0 = flattening_factor(profiles_of(scene)) * scene.beta0(step=0.2)

    # A pixel holds 40 rays; one more or less is 2.5 percent, 0.004 dB of the mean over 800 pixels.
    assert 10 * np.log10(gamma0.mean()) == pytest.approx(0.0, abs=0.01)


def test_the_factor_of_flat_ground_has_no_texture():
    scene = Scene(np.array([[1e-9, 0.0, 0.0, 0.0]]), lines=64, samples=256)

    factor = flattening_factor(profiles_of(scene))

    sample = np.arange(256.0)
    smooth = np.polynomial.Polynomial.fit(sample, factor.mean(axis=0), 2)(sample)
    assert np.std(10 * np.log10(factor / smooth)) < 0.001


def test_slopes_of_every_steepness_and_aspect_are_as_bright_as_flat_ground(steep):
    scene, beta0 = steep
    profiles = profiles_of(scene)
    gamma0 = flattening_factor(profiles) * beta0
    ground = scene.ground(10.0)
    on_map = map_coordinates(
        gamma0, [ground.line, ground.sample - scene.first_sample], order=1, cval=np.nan
    )
    flags = layover_shadow(profiles, ground.line, ground.sample, ground.height)
    usable = np.isfinite(on_map) & (flags == 0)
    slope, aspect = np.degrees(ground.slope) // 5, np.degrees(ground.aspect) // 45

    bins = [usable & (slope == i) & (aspect == j) for i in range(9) for j in range(8)]
    means = np.array([on_map[chosen].mean() for chosen in bins if chosen.sum() >= 500])

    assert means.size >= 20
    # Rays 2 m apart leave 0.5 rms in a pixel, 0.1 dB of a mean over 500.
    np.testing.assert_array_less(np.abs(10 * np.log10(means)), 0.15)


def test_layover_and_all_the_power_is_accounted_for(steep):
    scene, beta0 = steep

    gamma0 = flattening_factor(profiles_of(scene)) * beta0

    # 44,000 pixels of 0.5 rms.
    assert np.nanmean(gamma0) == pytest.approx(1.0, abs=0.01)


def test_a_window_is_flattened_as_a_part_of_a_larger_one(steep):
    scene, _ = steep
    terrain = Terrain(*scene.dem(4000.0))
    part = Window(40, 70, scene.first_sample + 100, scene.first_sample + 200)

    profiles = trace_profiles(scene.geometry, part, terrain)
    assert profiles is not None
    factor = flattening_factor(profiles)
    whole = flattening_factor(profiles_of(scene))[40:70, 100:200]

    # Columns fall elsewhere on the ground: folds of a few metres are cut differently.
    difference = 10 * np.abs(np.log10(factor / whole))
    assert np.nanmedian(difference) < 0.02
    assert np.nanpercentile(difference, 98) < 0.3


def test_a_wide_line_sees_the_mean_area_of_the_narrow_lines_within_it(rng):
    relief = waves((150.0, 40.0), (2500.0, 900.0), rng)
    narrow = Scene(relief, lines=42, samples=200)
    wide_geometry = CircularOrbit(line_time=4 * LINE_TIME)
    terrain = Terrain(*narrow.dem(4000.0))

    wide = trace_profiles(wide_geometry, Window(1, 10, 400, 600), terrain)
    assert wide is not None
    area = 1.0 / flattening_factor(profiles_of(narrow))
    # Narrow line 4 k lies in the middle of wide line k, half of 4 k - 2 and of 4 k + 2 outside.
    centre = 4 * np.arange(1, 10)
    mean = sum(w * area[centre + k] for k, w in zip(range(-2, 3), (0.5, 1, 1, 1, 0.5), strict=True))

    assert wide.profiles_per_line == 3
    difference = 10 * np.log10(flattening_factor(wide) * mean / 4)
    # Two sums of the same curve over 40 m of a relief that bends over hundreds.
    assert np.abs(difference).max() < 0.05


def test_unknown_heights_leave_no_factor_and_spoil_no_other(steep):
    scene, _ = steep
    heights, transform = scene.dem(4000.0)
    middle = heights.shape[0] // 2, heights.shape[1] // 2
    holed = heights.copy()
    holed[middle[0] - 2 : middle[0] + 2, middle[1] - 2 : middle[1] + 2] = np.nan

    whole = flattening_factor(profiles_of(scene))
    profiles = trace_profiles(scene.geometry, scene.window, Terrain(holed, transform))
    assert profiles is not None
    factor = flattening_factor(profiles)

    lost = np.isnan(factor) & ~np.isnan(whole)
    # 4 by 4 cells of 31 m by 22 m and two more around them, in pixels of 10 m.
    assert 50 < lost.sum() < 1500
    line = 40
    assert not lost[line:, :].all(axis=1).any()
    kept = ~np.isnan(factor) & ~np.isnan(whole)
    changed = np.abs(np.log10(factor[kept] / whole[kept])) > 0.001
    assert changed.mean() < 0.01


def test_no_known_height_gives_no_profiles(steep):
    scene, _ = steep
    heights, transform = scene.dem(100.0)
    nothing = Terrain(np.full_like(heights, np.nan), transform)
    elsewhere = Terrain(heights, transform @ Affine.translation(0, 20 * heights.shape[0]))

    assert trace_profiles(scene.geometry, scene.window, nothing) is None
    assert trace_profiles(scene.geometry, scene.window, elsewhere) is None


@pytest.mark.parametrize("name", PRODUCTS)
def test_level_ground_gives_the_tangent_of_the_annotated_incidence_angle(annotation_of, name):
    annotation, _ = annotation_of(name)
    geometry = RadarGeometry.from_annotations([annotation])
    grid = annotation.grid
    location = geometry.locate(grid.longitude, grid.latitude, grid.height)
    for index in ((1, 1), (3, 8), (5, 15), (7, 19)):
        line, sample = int(location.line[index]), int(location.sample[index])
        window = Window(line - 4, line + 5, sample - 9, sample + 10)
        longitude, latitude = np.degrees(grid.longitude[index]), np.degrees(grid.latitude[index])
        transform = Affine(0.005, 0, longitude - 0.5, 0, -0.001, latitude + 0.05)
        level = Terrain(np.full((100, 200), grid.height[index], np.float32), transform)

        profiles = trace_profiles(GrdImaging(geometry), window, level)
        assert profiles is not None
        factor = float(flattening_factor(profiles)[4, 9])

        # The annotation measures from the Earth's radius, not the ellipsoid's normal: 0.006 dB in
        # mid-latitudes, and 0.01 dB where the path runs more to the west.
        expected = np.tan(grid.incidence_angle[index])
        assert 10 * np.log10(factor / expected) == pytest.approx(0.0, abs=0.012)


def test_profiles_lie_where_the_model_locates_their_ground(massif_central):
    geometry = RadarGeometry.from_annotations([massif_central])
    imaging = GrdImaging(geometry)
    grid = geometry.frames[0].annotation.grid
    points = geometry.locate(grid.longitude[3:6], grid.latitude[3:6], grid.height[3:6])

    position, velocity = imaging.antenna_state(points.line, points.slant_range)

    ground = geodetic_to_ecef(grid.longitude[3:6], grid.latitude[3:6], grid.height[3:6])
    doppler = np.einsum("...i,...i->...", ground - position, velocity)
    np.testing.assert_allclose(doppler / 7500.0, 0.0, atol=1e-6)  # metres along the path
    distance = np.linalg.norm(ground - position, axis=-1)
    np.testing.assert_allclose(distance, points.slant_range, atol=1e-6)


def spread_in_numpy(slant_range, look_tangent, table, first_sample, size):
    """The lit length of one profile, facet after facet, by overlaps with every pixel."""
    ranges = table.first_range + table.range_step * np.arange(table.samples.shape[1])
    edges = np.arange(size + 1.0)
    area = np.zeros(size)
    for k in range(1, slant_range.size):
        horizon = look_tangent[:k].max()
        if look_tangent[k] <= horizon:
            continue
        fraction = (horizon - look_tangent[k - 1]) / (look_tangent[k] - look_tangent[k - 1])
        start = slant_range[k - 1] + fraction * (slant_range[k] - slant_range[k - 1])
        angle = np.arctan(look_tangent[k]) - np.arctan(horizon)
        length = 0.5 * (start + slant_range[k]) * angle
        ends = np.interp([start, slant_range[k]], ranges, table.samples[0]) - first_sample + 0.5
        low, high = ends.min(), ends.max()
        overlap = np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0, None)
        area += length * overlap / (high - low)
    return area


def test_the_area_kernel_equals_its_numpy_twin(rng):
    slant_range = 850_000.0 + np.cumsum(rng.uniform(-2.0, 8.0, 60))
    look_tangent = 0.7 + np.cumsum(rng.uniform(-0.5e-5, 1.5e-5, 60))
    table = SampleTable(849_990.0, 40.0, 6.6 * np.arange(12.0)[None])
    area = np.zeros((1, 30))

    _accumulate(slant_range[None], look_tangent[None], 1, table, 5, area)

    twin = spread_in_numpy(slant_range, look_tangent, table, 5, 30)
    assert twin.sum() > 0
    np.testing.assert_allclose(area[0], twin, rtol=1e-4, atol=1e-6)
