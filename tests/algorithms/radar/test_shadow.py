"""Layover and shadow against rays cast from the antenna."""

import numpy as np
import pytest

from algorithms.radar.shadow import LAYOVER, SHADOW, _flag, layover_shadow, profile_flags
from algorithms.terrain.nodes import Terrain
from algorithms.terrain.profiles import dem_margin, trace_profiles
from tests.algorithms.terrain.scene import CircularOrbit, Scene, waves


@pytest.fixture(scope="module")
def scene():
    """Far range, cliffs: a third of the ground in layover, a quarter in shadow."""
    rng = np.random.default_rng(1)
    relief = waves((400, 170, 90, 40), (2700, 1500, 1000, 700), rng)
    return Scene(relief, 150, 400, CircularOrbit(near_look=np.radians(39.0)))


@pytest.fixture(scope="module")
def profiles(scene):
    margin = dem_margin(2 * scene.span, np.radians(44.0))
    profiles = trace_profiles(scene.geometry, scene.window, Terrain(*scene.dem(margin)))
    assert profiles is not None
    return profiles


def test_flags_agree_with_rays(scene, profiles):
    ground = scene.ground(10.0)
    flags = layover_shadow(profiles, ground.line, ground.sample, ground.height)
    whole = np.rint(ground.line)
    chosen = (np.abs(ground.line - whole) < 0.1) & (whole % 10 == 5) & (whole < scene.lines)
    chosen &= (whole > 0) & (np.abs(ground.sample - scene.first_sample - 200.0) < 198.0)
    points, flags = ground.where(chosen), flags[chosen]

    shadow, layover = scene.shadow(points), scene.layover(points)

    assert shadow.mean() > 0.15
    assert layover.mean() > 0.2
    assert np.mean(shadow == (flags & SHADOW > 0)) >= 0.98
    assert np.mean(layover == (flags & LAYOVER > 0)) >= 0.98


def test_gentle_hills_have_neither(rng):
    scene = Scene(waves((60.0,), (2000.0,), rng), 32, 128)
    profiles = trace_profiles(scene.geometry, scene.window, Terrain(*scene.dem(2000.0)))
    assert profiles is not None

    assert not profile_flags(profiles).any()


def test_pixels_outside_the_image_have_no_flag(profiles):
    line = np.array([[np.nan, -50.0, 1e6, 40.0]])
    sample = np.array([[450.0, 450.0, 450.0, 1e6]])

    flags = layover_shadow(profiles, line, sample, np.full((1, 4), 500.0))

    assert flags.dtype == np.uint8
    assert not flags.any()


def test_the_margin_of_a_height_range_is_displacement_and_shade():
    # 1000 m at 45 degrees move by 1000 m and shade 1000 m.
    assert dem_margin(1000.0, np.radians(45.0)) == pytest.approx(2000.0)


def flags_in_numpy(slant_range, look_tangent):
    """Flags of one profile without unknown heights, by running extremes."""
    before = np.concatenate([[-np.inf], np.maximum.accumulate(look_tangent)[:-1]])
    shadow = look_tangent <= before
    seen_near = np.where(shadow, -np.inf, slant_range)
    farthest = np.concatenate([[-np.inf], np.maximum.accumulate(seen_near)[:-1]])
    seen_far = np.where(shadow, np.inf, slant_range)[::-1]
    nearest = np.concatenate([[np.inf], np.minimum.accumulate(seen_far)[:-1]])[::-1]
    layover = (slant_range <= farthest) | (slant_range >= nearest)
    return LAYOVER * layover + SHADOW * shadow


def test_the_flag_kernel_equals_its_numpy_twin(rng):
    slant_range = np.cumsum(rng.normal(2.0, 6.0, (5, 200)), axis=1)
    look_tangent = np.cumsum(rng.normal(1.0, 3.0, (5, 200)), axis=1)
    flags = np.zeros((5, 200), np.uint8)

    _flag(slant_range, look_tangent, flags)

    twin = [flags_in_numpy(r, t) for r, t in zip(slant_range, look_tangent, strict=True)]
    np.testing.assert_array_equal(flags, np.array(twin))
