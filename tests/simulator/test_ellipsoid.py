import numpy as np
import pytest
from pyproj import Transformer

from simulator.ellipsoid import cartesian, geodetic, metres_per_radian

TO_CARTESIAN = Transformer.from_crs(4979, 4978, always_xy=True)


def test_cartesian_agrees_with_proj(rng):
    longitude = rng.uniform(-180, 180, 200)
    latitude = rng.uniform(-89.9, 89.9, 200)
    height = rng.uniform(-400, 800_000, 200)

    ours = cartesian(np.radians(longitude), np.radians(latitude), height)

    # Double precision at 7,000 km is a nanometre; PROJ and we round differently.
    np.testing.assert_allclose(
        ours.T, TO_CARTESIAN.transform(longitude, latitude, height), rtol=0, atol=1e-8
    )


def test_geodetic_inverts_cartesian_from_the_ground_to_the_satellite(rng):
    longitude = rng.uniform(-np.pi, np.pi, 200)
    latitude = np.radians(rng.uniform(-89.9, 89.9, 200))
    height = rng.uniform(-400, 800_000, 200)

    back = np.array([geodetic(*point) for point in cartesian(longitude, latitude, height)])

    assert np.abs(back[:, 0] - longitude).max() < 1e-14
    assert np.abs(back[:, 1] - latitude).max() * 6.4e6 < 1e-6  # metres
    assert np.abs(back[:, 2] - height).max() < 1e-6


@pytest.mark.parametrize("latitude_deg", [-70.0, 0.0, 45.0])
def test_a_radian_is_as_long_as_a_small_step_on_the_ellipsoid(latitude_deg):
    latitude, step = np.radians(latitude_deg), 1e-6
    places = cartesian(
        np.array([0.0, step, 0.0]), np.array([latitude, latitude, latitude + step]), np.zeros(3)
    )
    lengths = np.linalg.norm(places[1:] - places[0], axis=1) / step

    np.testing.assert_allclose(metres_per_radian(latitude), lengths, rtol=1e-6)
