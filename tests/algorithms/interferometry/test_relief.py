"""The ground that pixels show, against relief that is a formula."""

import numpy as np
import pytest
from affine import Affine

from algorithms.geodesy import ecef_to_geodetic
from algorithms.interferometry.geometry import ground_at
from algorithms.interferometry.relief import burst_relief
from algorithms.interferometry.resampling import node_count
from algorithms.interferometry.resampling_kernels import NODE_SAMPLES
from algorithms.radar.shadow import LAYOVER
from algorithms.terrain.nodes import Terrain
from tests.algorithms.interferometry.scene import make_burst

BURST = make_burst()
STEP = 1.0 / 3600.0  # degrees


def terrain(height):
    """Sample a function of longitude and latitude (degrees) around the burst."""
    corners = ground_at(BURST, np.array([[0.0], [400.0]]), np.array([0.0, 600.0]), 500.0)
    longitude, latitude, _ = ecef_to_geodetic(corners)
    west, south = np.degrees(longitude.min()) - 0.06, np.degrees(latitude.min()) - 0.02
    columns, rows = (
        int((np.degrees(np.ptp(angle)) + 2 * room) / STEP)
        for angle, room in ((longitude, 0.06), (latitude, 0.02))
    )
    north = south + rows * STEP
    x = west + STEP * (np.arange(columns) + 0.5)
    y = north - STEP * (np.arange(rows) + 0.5)[:, None]
    return Terrain(
        np.broadcast_to(height(x, y), (rows, columns)).astype(np.float32),
        Affine(STEP, 0.0, west, 0.0, -STEP, north),
    )


def hills(x, y):
    return 500.0 + 150.0 * np.sin(300.0 * x) * np.cos(200.0 * y)


def test_heights_are_those_of_the_ground_that_pixels_show():
    relief = burst_relief(BURST, terrain(hills), slice(150, 214))

    nodes = NODE_SAMPLES * np.arange(node_count(BURST.samples))
    line = np.arange(150, 214)[:, None]
    longitude, latitude, _ = ecef_to_geodetic(ground_at(BURST, line, nodes, relief.heights))
    error = relief.heights - hills(np.degrees(longitude), np.degrees(latitude))
    # Cubic convolution of waves of 2.3 km at 30 m leaves a centimetre, columns of 10 m another.
    assert np.abs(error).max() < 0.1
    assert not relief.flags.any()


def test_a_slope_that_folds_is_in_layover():
    def ridge(x, _):
        return 300.0 + 700.0 * np.exp(-(((x - x.mean()) / 0.004) ** 2))

    relief = burst_relief(BURST, terrain(ridge), slice(200, 208))

    share = np.mean(relief.flags & LAYOVER > 0)
    assert 0.02 < share < 0.6
    assert np.isfinite(relief.heights).all()


@pytest.mark.parametrize("height", [np.nan, 400.0])
def test_unknown_heights_stay_unknown(height):
    ground = terrain(lambda x, y: np.full(np.broadcast(x, y).shape, height))

    relief = burst_relief(BURST, ground, slice(0, 4))

    if np.isnan(height):
        assert np.isnan(relief.heights).all()
    else:
        np.testing.assert_allclose(relief.heights, height, atol=0.02)
