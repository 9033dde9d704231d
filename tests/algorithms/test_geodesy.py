"""Geodetic coordinates against PROJ, and there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from algorithms.geodesy import ecef_of_point, ecef_to_geodetic, geodetic_to_ecef

longitudes = st.floats(-np.pi, np.pi)
latitudes = st.floats(-np.pi / 2, np.pi / 2)
heights = st.floats(-500.0, 800_000.0)


@given(longitudes, latitudes, heights)
def test_ecef_positions_are_those_of_proj(longitude, latitude, height):
    proj = Transformer.from_crs(4979, 4978, always_xy=True)
    expected = proj.transform(longitude, latitude, height, radians=True)

    # A nanometre is the rounding of 7e6 m in doubles.
    np.testing.assert_allclose(geodetic_to_ecef(longitude, latitude, height), expected, atol=1e-8)
    assert ecef_of_point(longitude, latitude, height) == pytest.approx(expected, abs=1e-8)


@given(longitudes, latitudes, heights)
def test_there_and_back_is_the_same_point(longitude, latitude, height):
    position = geodetic_to_ecef(longitude, latitude, height)

    back = geodetic_to_ecef(*ecef_to_geodetic(position))

    np.testing.assert_allclose(back, position, atol=1e-8)
    assert ecef_to_geodetic(position)[2] == pytest.approx(height, abs=1e-8)


def test_the_poles_have_a_latitude_and_a_height():
    pole = np.array([[0.0, 0.0, 6_356_752.314245179 + 100.0], [0.0, 0.0, -6_356_752.314245179]])

    _, latitude, height = ecef_to_geodetic(pole)

    np.testing.assert_allclose(latitude, [np.pi / 2, -np.pi / 2])
    np.testing.assert_allclose(height, [100.0, 0.0], atol=1e-6)
