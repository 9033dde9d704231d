"""Pairs with exactly known displacement are measured as well as promised; at full size as a drill.

The bars are of 2048 x 2048 pixels at every 16th; a sample of 512 has too few changed windows and
nodes beside the fault to hold those of false answers and slip as closely.
"""

import os
import time

import numpy as np
import pytest
import rasterio

from algorithms.correlation import CorrelationSettings, correlate
from algorithms.correlation.images import Image
from simulator.optical import image_pair
from simulator.optical.image_pair import make_pair
from simulator.optical.score import Measured, score

IS_FULL = os.environ.get("PEPS_DRILLS") == "1"
SIZE, WINDOW = (2048 if IS_FULL else 512), 31

pytestmark = pytest.mark.drill


def measured(pair, search=4.0):
    settings = CorrelationSettings(window=WINDOW, step=16, max_displacement=search)
    images = Image(pair.reference), Image(pair.secondary)
    start = time.process_time()
    field = correlate(*images, settings)
    cpu_s = time.process_time() - start
    return Measured(field.rows, field.columns, field.dy, field.dx, field.sigma), cpu_s


@pytest.fixture(scope="module")
def fault():
    pair = make_pair(image_pair.quake(SIZE), SIZE, seed=1)
    measured(make_pair(image_pair.SHIFT, 96, changed=0.2))  # compiles
    field, cpu_s = measured(pair)
    return score(field, pair, WINDOW, fault=image_pair.quake_fault(SIZE)), cpu_s


def test_a_fault_is_measured_to_hundredths_of_a_pixel(fault):
    found, _ = fault
    assert found.answered >= 0.99
    assert max(found.nmad_x, found.nmad_y) <= 0.018
    assert found.outliers <= 0.001
    assert max(found.locking_x, found.locking_y) <= 0.006


def test_other_ground_is_not_answered(fault):
    assert fault[0].false <= 0.06


def test_the_slip_of_a_fault_is_whole_beyond_half_a_window(fault):
    assert abs(fault[0].slip) <= 0.05


def test_predicted_errors_are_those_made(fault):
    # Part of the errors is no noise: the window's mean of jitter and of changed ground.
    assert 0.7 <= fault[0].sigma_ratio <= 1.5


def test_a_pair_takes_seconds(fault):
    assert fault[1] <= 2.5


def test_a_glacier_of_strong_shear_is_measured():
    whole = image_pair.glacier(2048)
    corner = (0, 0) if IS_FULL else (700, 520)  # its western bank

    def part(row, column):
        return whole(row + corner[0], column + corner[1])

    pair = make_pair(part, SIZE, seed=2)
    found = score(measured(pair, 16.0)[0], pair, WINDOW)
    assert found.outliers <= 0.002
    assert max(found.rmse_x, found.rmse_y) <= 0.042


def test_real_texture_does_not_lock_to_pixels(reference_data):
    path = reference_data / "s2/l2a_T29RKH_20200219_cog/B04.tif"
    with rasterio.open(path) as dataset:
        source = dataset.read(1)
    assert (source > 0).all()
    size = min(SIZE, min(source.shape) - 32)
    pair = make_pair(image_pair.quake(size), size, seed=3, source=source.astype(np.uint16))
    found = score(measured(pair)[0], pair, WINDOW, fault=image_pair.quake_fault(size))
    assert max(found.locking_x, found.locking_y) <= 0.006
    assert max(found.nmad_x, found.nmad_y) <= 0.018
