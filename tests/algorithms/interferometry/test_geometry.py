"""Geometry of bursts: both ways, and against real annotations and another processor."""

import numpy as np
import pytest

from algorithms.geodesy import ecef_to_geodetic, geodetic_to_ecef
from algorithms.interferometry.displacement import height_of_ambiguity
from algorithms.interferometry.geometry import (
    baseline_at,
    ground_at,
    pair_offsets,
    place_of,
)
from tests.algorithms.interferometry.scene import make_burst, secondary_of


def test_ground_of_a_pixel_lies_in_the_pixel():
    burst = make_burst(bistatic_time=5.851e-3)
    line = np.array([[0.0], [150.5], [399.0]])
    sample = np.array([0.0, 300.25, 599.0])
    height = np.array([[-100.0, 500.0, 3_000.0]] * 3)

    ground = ground_at(burst, line, sample, height)
    place = place_of(burst, ground)

    # 1e-6 lines are 14 um on the ground.
    np.testing.assert_allclose(place.line, np.broadcast_to(line, (3, 3)), atol=1e-6)
    np.testing.assert_allclose(place.sample, np.broadcast_to(sample, (3, 3)), atol=1e-6)
    # Raised ellipsoids are parallel within f**2 * height.
    np.testing.assert_allclose(ecef_to_geodetic(ground)[2], height, atol=0.02)


@pytest.mark.parametrize("swath", ["IW1", "IW2", "IW3"])
def test_the_geolocation_grid_of_a_real_product_is_where_it_says(real_products, real_bursts, swath):
    grid = real_products[0].swaths[swath].grid
    bursts = real_bursts[0][swath]
    burst = bursts[4]
    number = np.minimum(grid.line.ravel() // burst.lines, len(bursts) - 1).astype(int)
    start = np.array([one.azimuth_time for one in bursts])[number]
    time = start + (grid.line.ravel() - number * burst.lines) * burst.azimuth_time_interval
    ground = geodetic_to_ecef(grid.longitude, grid.latitude, grid.height).reshape(-1, 3)

    place = place_of(burst, ground)

    # Half of the lines before and after: as far as the orbit was fitted. The grid's times are
    # given to a microsecond, 5e-4 lines, and lag by another.
    near = np.abs(place.line) < 5_000
    line = (time - burst.azimuth_time) / burst.azimuth_time_interval
    assert near.sum() > 100
    assert np.abs(place.line - line)[near].max() < 2e-3
    assert np.abs(place.sample - grid.sample.ravel())[near].max() < 1e-5


def test_the_baseline_of_a_real_pair_is_that_of_another_processor(real_bursts):
    # topsProc.xml of ISCE 2 for this pair: Bperp at mid range of the first common burst.
    expected = {"IW1": -129.02564735771583, "IW2": -121.75556328218755, "IW3": -115.07647495287986}
    for swath, length in expected.items():
        reference, secondary = (product[swath][0] for product in real_bursts)
        ground = ground_at(reference, reference.lines / 2, reference.samples / 2, 0.0)

        baseline = baseline_at(reference, secondary, ground)

        # At another line and height: the baseline changes by 1 mm a line.
        assert float(baseline.perpendicular) == pytest.approx(length, abs=0.05)


def test_offsets_of_a_real_pair_are_smooth_to_micrometres(real_bursts):
    reference, secondary = (product["IW1"][4] for product in real_bursts)

    offsets = pair_offsets(reference, secondary, (-400.0, 8_800.0))

    # 1e-6 samples are 2.3 um of range, 5e-4 rad of phase; lines matter a thousand times less.
    assert offsets.residual[0] < 5e-6
    assert offsets.residual[1] < 2e-6


def test_higher_ground_has_a_larger_phase_where_the_baseline_is_positive():
    reference = make_burst()
    secondary = secondary_of(reference)
    ground = ground_at(reference, 200.0, 300.0, np.array([0.0, 10.0]))

    near, far = (place_of(burst, ground) for burst in (reference, secondary))
    apart = secondary.range_of(far.sample) - reference.range_of(near.sample)
    turns = 2.0 * float(np.diff(apart)[0]) / reference.wavelength

    baseline = float(baseline_at(reference, secondary, ground[0]).perpendicular)
    longitude, latitude, _ = ecef_to_geodetic(ground[0])
    up = geodetic_to_ecef(longitude, latitude, 1.0) - geodetic_to_ecef(longitude, latitude, 0.0)
    orbit = reference.orbit_polynomial
    sight = orbit.position(reference.time_of(200.0, 0.0)) - ground[0]
    slant_range = float(np.linalg.norm(sight))
    incidence = float(np.arccos(np.dot(up, sight) / slant_range))
    ambiguity = height_of_ambiguity(reference.wavelength, slant_range, incidence, baseline)
    assert abs(baseline) > 30.0
    # Ten metres of two hundred: curvature is below a thousandth.
    assert turns == pytest.approx(10.0 / ambiguity, rel=2e-3)
