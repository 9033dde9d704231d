"""Convergence, scale and look directions on maps and ground whose answers are known."""

import numpy as np
import pytest
from pyproj import Geod, Transformer

from algorithms.terrain.directions import local_axes, look_vectors, map_distortion
from tests.algorithms.terrain.scene import to_ecef


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


def test_a_look_has_the_incidence_and_the_side_of_the_antenna():
    ground = to_ecef(np.radians(3.0), np.radians(44.0), 200.0)
    east, _, up = local_axes(np.radians(3.0), np.radians(44.0))
    incidence = np.radians(39.0)
    antenna = ground + 850_000.0 * (np.cos(incidence) * up - np.sin(incidence) * east)

    look = look_vectors(ground, antenna)

    expected = [-np.sin(incidence), 0.0, np.cos(incidence)]
    np.testing.assert_allclose(look, expected, atol=1e-6)
