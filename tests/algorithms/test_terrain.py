"""Normals, slope, aspect and incidence of surfaces whose answers are known."""

import numpy as np
import pytest
from pyproj import Geod, Transformer

from algorithms.terrain import (
    local_axes,
    local_incidence_angle,
    look_vectors,
    map_distortion,
    slope_aspect,
    surface_normals,
)
from tests.algorithms.terrain_scene import to_ecef


def plane(slope, aspect, spacing=10.0, size=9):
    """Heights of a plane that falls towards `aspect` (grid azimuth)."""
    row, column = np.mgrid[0:size, 0:size] * spacing
    downhill = column * np.sin(aspect) - row * np.cos(aspect)
    return (-np.tan(slope) * downhill).astype(np.float32)


@pytest.mark.parametrize("aspect_deg", [0.0, 45.0, 135.0, 200.0, 315.0])
def test_a_plane_has_its_own_slope_and_aspect(aspect_deg):
    height = plane(np.radians(25.0), np.radians(aspect_deg))

    surface = slope_aspect(surface_normals(height, 10.0))

    np.testing.assert_allclose(np.degrees(surface.slope), 25.0, atol=1e-3)
    turn = (np.degrees(surface.aspect) - aspect_deg + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose(turn, 0.0, atol=1e-2)


def test_convergence_turns_the_aspect_and_scale_the_slope():
    height = plane(np.radians(25.0), np.radians(90.0))

    normals = surface_normals(height, 10.0, convergence=np.radians(2.0), scale=0.9996)

    surface = slope_aspect(normals)
    np.testing.assert_allclose(np.degrees(surface.aspect), 92.0, atol=1e-2)
    np.testing.assert_allclose(np.tan(surface.slope), np.tan(np.radians(25.0)) * 0.9996, rtol=1e-5)


@pytest.mark.parametrize("epsg", [32631, 32731])
def test_convergence_and_scale_are_those_of_short_steps_on_the_ellipsoid(epsg):
    easting, northing = np.array([350_000.0, 650_000.0]), np.array([4_900_000.0, 5_000_000.0])

    distortion = map_distortion(epsg, easting, northing)

    to_geographic = Transformer.from_crs(epsg, 4326, always_xy=True)
    start = to_geographic.transform(easting, northing)
    end = to_geographic.transform(easting, northing + 100.0)
    azimuth, _, length = Geod(ellps="WGS84").inv(*start, *end)
    np.testing.assert_allclose(np.degrees(distortion.convergence), azimuth, atol=1e-4)
    np.testing.assert_allclose(distortion.scale, 100.0 / length, rtol=1e-7)


def test_the_tilt_of_a_plane_towards_the_antenna_is_taken_off_the_incidence():
    ground = to_ecef(np.radians(3.0), np.radians(44.0), 200.0)
    east, _, up = local_axes(np.radians(3.0), np.radians(44.0))
    incidence = np.radians(39.0)
    antenna = ground + 850_000.0 * (np.cos(incidence) * up - np.sin(incidence) * east)

    look = look_vectors(ground, antenna)
    westward = surface_normals(plane(np.radians(20.0), np.radians(270.0)), 10.0)
    eastward = surface_normals(plane(np.radians(60.0), np.radians(90.0)), 10.0)

    angles = np.degrees(local_incidence_angle(westward, look))
    np.testing.assert_allclose(angles, 19.0, atol=2e-3)
    assert np.degrees(local_incidence_angle(eastward, look)).min() > 90.0


def test_unknown_heights_have_no_normal_and_a_single_pixel_is_refused():
    height = plane(0.3, 1.0)
    height[4, 4] = np.nan

    normals = surface_normals(height, 10.0)

    lost = np.isnan(normals).all(axis=-1)
    assert lost[3, 4]
    assert lost[4, 3]
    assert not lost[3, 3]
    with pytest.raises(ValueError, match=r"shape \(1, 9\)"):
        surface_normals(height[:1], 10.0)
