"""Maps of cells against places computed pixel by pixel."""

import numpy as np
from affine import Affine
from pyproj import Transformer

from algorithms.geodesy import ecef_to_geodetic, geodetic_to_ecef
from algorithms.interferometry.cells import Looks, cell_grid
from algorithms.interferometry.displacement import (
    line_of_sight_displacement,
    vertical_displacement,
)
from algorithms.interferometry.geocoding import (
    MapBlock,
    nearest_on_map,
    phasors_on_map,
    radar_view,
    values_on_map,
)
from algorithms.interferometry.geometry import baseline_at, ground_at, place_of
from tests.algorithms.interferometry.scene import make_burst, secondary_of

BURST = make_burst()
GRID = cell_grid([BURST], Looks(4, 8))


def block_of(size=90, spacing=40.0, hole=None):
    """Return a map block over the middle of the burst, with relief."""
    longitude, latitude, _ = ecef_to_geodetic(ground_at(BURST, 200.0, 300.0, 300.0))
    epsg = 32600 + int((np.degrees(longitude) + 180.0) // 6) + 1
    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    east, north = to_map.transform(np.degrees(longitude), np.degrees(latitude))
    corner = east - 0.5 * size * spacing, north + 0.5 * size * spacing
    row, column = np.indices((size, size))
    height = (300.0 + 250.0 * np.sin(row / 9.0) * np.cos(column / 7.0)).astype(np.float32)
    if hole:
        height[hole] = np.nan
    transform = Affine(spacing, 0.0, corner[0], 0.0, -spacing, corner[1])
    easting, northing = transform.c + spacing * (column + 0.5), transform.f - spacing * (row + 0.5)
    place = np.radians(to_map.transform(easting, northing, direction="INVERSE"))
    return MapBlock(epsg, transform, height), geodetic_to_ecef(*place, height)


def test_every_pixel_has_the_place_and_look_of_its_own_solution():
    block, ground = block_of()
    secondary = secondary_of(BURST)

    view = radar_view(GRID.frame, block, secondary)

    place = place_of(GRID.frame, ground)
    # A thousandth of a pixel, far below a tenth of a cell.
    np.testing.assert_allclose(view.line, place.line, atol=1e-3)
    np.testing.assert_allclose(view.sample, place.sample, atol=1e-3)
    antenna = BURST.orbit_polynomial.position(BURST.time_of(place.line, 0.0))
    sight = antenna - ground
    longitude, latitude, height = ecef_to_geodetic(ground)
    up = geodetic_to_ecef(longitude, latitude, height + 1.0) - ground
    cosine = np.sum(sight * up, axis=-1) / np.linalg.norm(sight, axis=-1)
    np.testing.assert_allclose(view.incidence_angle, np.arccos(cosine), atol=1e-5)
    np.testing.assert_allclose(np.hypot(np.hypot(view.east, view.north), view.up), 1.0, atol=1e-5)
    # The antenna of a satellite on its way north that looks right is in the west.
    assert (view.east < 0.0).all()
    expected = baseline_at(GRID.frame, secondary, ground).perpendicular
    np.testing.assert_allclose(view.perpendicular_baseline, expected, atol=1e-3)


def test_cells_lie_where_the_ground_is():
    block, ground = block_of(hole=(slice(0, 3), slice(0, 5)))
    view = radar_view(GRID.frame, block)
    row, column = np.indices(GRID.shape, dtype=np.float32)
    # Smooth in the frame: linear interpolation is exact.
    values = (0.05 * row - 0.03 * column).astype(np.float32)

    found = values_on_map(values, GRID, view)

    place = place_of(GRID.frame, ground)
    expected = 0.05 * ((place.line + 0.5) / 4 - 0.5) - 0.03 * ((place.sample + 0.5) / 8 - 0.5)
    inside = (np.abs(place.line - 200) < 190) & (np.abs(place.sample - 300) < 285)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-3)
    assert np.isnan(found[:3, :5]).all()
    turned = phasors_on_map(np.exp(1j * values).astype(np.complex64), GRID, view)
    left = np.angle(turned[inside] * np.exp(-1j * expected[inside]))
    np.testing.assert_allclose(left, 0.0, atol=2e-3)
    number = (row * GRID.shape[1] + column + 1).astype(np.uint32)
    nearest = nearest_on_map(number, GRID, view)
    own = np.floor((place.line + 0.5) / 4) * GRID.shape[1] + np.floor((place.sample + 0.5) / 8) + 1
    assert np.mean(nearest[inside] == own[inside]) > 0.999
    outside = (place.line < -5) | (place.line > 405) | (place.sample < -9) | (place.sample > 609)
    assert outside.any()
    assert np.isnan(found[outside]).all()
    assert not turned[outside].any()
    assert not nearest[outside].any()


def test_bright_cells_do_not_decide_about_a_phase_that_stands_alone():
    block, _ = block_of()
    view = radar_view(GRID.frame, block)
    row, column = np.indices(GRID.shape, dtype=np.float32)
    phasors = np.exp(1j * (0.05 * row - 0.03 * column)).astype(np.complex64)
    bright = phasors * np.where((row + column) % 3 == 0, 100.0, 1.0).astype(np.float32)

    found = phasors_on_map(bright, GRID, view, is_unit=True)

    np.testing.assert_allclose(found, phasors_on_map(phasors, GRID, view), atol=1e-5)


def test_cells_without_a_value_do_not_spread():
    block, _ = block_of()
    view = radar_view(GRID.frame, block)
    values = np.ones(GRID.shape, np.float32)
    values[:, :30] = np.nan

    found = values_on_map(values, GRID, view)

    known = np.isfinite(found)
    assert 0.2 < known.mean() < 0.8
    np.testing.assert_allclose(found[known], 1.0, rtol=1e-6)


def test_a_block_without_heights_is_empty():
    block, _ = block_of(size=8)

    view = radar_view(GRID.frame, block._replace(height=np.full((8, 8), np.nan, np.float32)))

    assert np.isnan(view.line).all()
    assert not phasors_on_map(np.ones(GRID.shape, np.complex64), GRID, view).any()


def test_a_cycle_is_half_a_wavelength_away_from_the_sensor():
    wavelength = BURST.wavelength
    away = line_of_sight_displacement(np.array([2.0 * np.pi], np.float32), wavelength)

    np.testing.assert_allclose(away, -0.5 * wavelength, rtol=1e-6)
    angle = np.array([np.pi / 3.0], np.float32)
    np.testing.assert_allclose(vertical_displacement(away, angle), -wavelength, rtol=1e-5)
