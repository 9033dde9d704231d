"""Profiles against analytic heights, their own formulas and independent interpolation."""

import numpy as np
import pytest
from affine import Affine
from scipy.interpolate import CubicSpline

from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.ortho import Window
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import Terrain, solve_nodes
from algorithms.terrain.profiles import _cubic_height, trace_profiles
from tests.algorithms.terrain.scene import Scene, waves


@pytest.fixture
def scene(rng):
    return Scene(waves((180.0, 60.0, 20.0), (4000.0, 2200.0, 1300.0), rng), 70, 200)


def test_the_rays_of_a_profile_reach_the_analytic_ground(scene):
    profiles = trace_profiles(scene.geometry, scene.window, Terrain(*scene.dem(3000.0)))
    assert profiles is not None

    for line in (0, 33, 69):
        angles, hits = scene.rays(line, step=5.0)
        look = np.arctan(profiles.look_tangent[line])
        assert (np.diff(look) > 0).all()  # nothing is hidden on these slopes
        inside = (angles > look[0]) & (angles < look[-1])
        traced = np.interp(angles[inside], look, profiles.slant_range[line])
        # Cubic convolution of 31 m cells: a decimetre on a wave of 1300 m by 20 m; then 10 m
        # chords of the ground, and 2 cm where rays stop short.
        np.testing.assert_allclose(traced, hits[inside], atol=0.35)
        assert np.sqrt(np.mean((traced - hits[inside]) ** 2)) < 0.06


def test_nodes_lie_on_the_raised_ellipsoid_at_zero_doppler(massif_central):
    geometry = RadarGeometry.from_annotations([massif_central])
    imaging = GrdImaging(geometry)
    # Everywhere within degrees of zero, so that column and row read as coordinates.
    globe = Terrain(np.zeros((180, 360), np.float32), Affine(1, 0, -180, 0, -1, 90))
    lines, ranges = np.array([10.0, 8000.0]), np.array([802_000.0, 880_000.0, 950_000.0])

    nodes = solve_nodes(imaging, globe, lines, ranges, 1500.0)

    longitude, latitude = np.radians(nodes.column - 179.5), np.radians(89.5 - nodes.row)
    for rise in (0.0, 700.0):
        located = geometry.locate(
            longitude + np.radians(rise * nodes.column_rate),
            latitude - np.radians(rise * nodes.row_rate),
            1500.0 + rise,
        )
        down, right = nodes.down + rise * nodes.down_rate, nodes.right + rise * nodes.right_rate
        np.testing.assert_allclose(np.hypot(down, right), located.slant_range, atol=0.02)
        line = np.broadcast_to(lines[:, None], located.line.shape)
        # The bistatic term follows the range as terrain rises: 0.0003 lines for 700 m.
        np.testing.assert_allclose(located.line, line, atol=0.002)


def test_frames_and_ranges_beyond_the_image_keep_the_sample_table_growing(two_frames):
    geometry = RadarGeometry.from_annotations(two_frames)
    imaging = GrdImaging(geometry)
    seam = two_frames[0].lines
    window = Window(seam - 5, seam + 5, 12_000, 12_400)

    near, far = imaging.slant_limits(window)
    table = imaging.sample_table(window, near, far)

    assert (np.diff(table.samples, axis=1) > 0).all()
    assert (table.samples[:, 0] <= window.first_sample).all()
    assert (table.samples[:, -1] >= window.last_sample - 1).all()
    line = np.arange(seam - 5.0, seam + 5.0)
    position, _ = imaging.antenna_state(line, np.full(10, near))
    steps = np.linalg.norm(np.diff(position, axis=0), axis=1)
    # The antenna goes on across the seam; each frame has its own azimuth offset, 0.1 lines here.
    np.testing.assert_allclose(steps, steps[0], rtol=0.2)


def keys_in_numpy(heights, column, row):
    """Cubic convolution as cubic Hermite splines with central slopes, along rows then columns."""
    left, top = int(column), int(row)

    def hermite(values, fraction):
        slopes = (values[2:] - values[:-2]) / 2.0
        ends = ((1, slopes[0]), (1, slopes[1]))
        return float(CubicSpline([0.0, 1.0], values[1:3], bc_type=ends)(fraction))

    near = heights[top - 1 : top + 3, left - 1 : left + 3]
    return hermite(np.array([hermite(values, column - left) for values in near]), row - top)


def test_the_height_kernel_equals_its_numpy_twin(rng):
    heights = rng.uniform(0.0, 100.0, (12, 14)).astype(np.float32)
    for column, row in rng.uniform(1.0, 10.0, (50, 2)):
        expected = keys_in_numpy(heights.astype(float), column, row)
        assert _cubic_height(heights, column, row) == pytest.approx(expected, abs=1e-4)
    assert np.isnan(_cubic_height(heights, 0.99, 5.0))
    assert np.isnan(_cubic_height(heights, 5.0, 10.0))
    assert _cubic_height(heights, 11.0, 9.0) == pytest.approx(heights[9, 11])


def test_heights_are_found_across_the_antimeridian():
    transform = Affine(0.01, 0, 179.0, 0, -0.01, 1.0)
    terrain = Terrain(np.zeros((200, 200), np.float32), transform)

    column, row = terrain.position(np.radians([-179.5, 180.5, 179.5]), np.radians([0.0, 0.0, 0.0]))

    np.testing.assert_allclose(column, [149.5, 149.5, 49.5], atol=1e-9)
    np.testing.assert_allclose(row, 99.5, atol=1e-9)
