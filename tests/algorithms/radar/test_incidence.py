"""Incidence angles against exact look directions and analytic slopes."""

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod, Proj, Transformer

from algorithms.geodesy import geodetic_to_ecef
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.incidence import STEP, incidence_angles
from algorithms.terrain.directions import look_vectors

EPSG = 32631
TRANSFORM = Affine(10, 0, 480_000, 0, -10, 5_040_000)


@pytest.fixture(scope="module")
def geometry(massif_central):
    return RadarGeometry.from_annotations([massif_central])


def hills(rows, columns, tall=1.0):
    row, column = np.mgrid[0:rows, 0:columns]
    waves = 40 * np.sin(column / 17) + 30 * np.cos(row / 13 + column / 40)
    return (700 + tall * waves).astype(np.float32)


def exact_angles(geometry, height, epsg, transform):
    """Angles from exact look directions and from normals that span neighbours in true axes."""
    column, row = np.meshgrid(np.arange(height.shape[1]) + 0.5, np.arange(height.shape[0]) + 0.5)
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)

    def degrees_at(column, row):
        return to_degrees.transform(*(transform @ (column, row)))

    point = (*np.radians(degrees_at(column, row)), height.astype(float))
    antenna = geometry.antenna_position(geometry.locate(*point).azimuth_time)
    look = look_vectors(geodetic_to_ecef(*point), antenna)
    down, across = np.gradient(height.astype(float))
    sides = []
    for rise, step in ((across, (1, 0)), (-down, (0, -1))):
        start, end = degrees_at(column, row), degrees_at(column + step[0], row + step[1])
        azimuth, _, length = Geod(ellps="WGS84").inv(*start, *end)
        azimuth = np.radians(azimuth)
        sides.append(np.stack([length * np.sin(azimuth), length * np.cos(azimuth), rise], -1))
    normal = np.cross(*sides)
    cosine = np.einsum("...i,...i", normal, look) / np.linalg.norm(normal, axis=-1)
    return np.arccos(look[..., 2]), np.arccos(cosine)


@pytest.mark.parametrize("epsg", [32631, 32633])
def test_angles_equal_exact_look_directions_at_every_pixel(geometry, epsg):
    """Relief of 3.5 km, also where grid north leans by 8 degrees from true north."""
    height = hills(150, 170, tall=25.0)
    easting, northing = Transformer.from_crs(32631, epsg, always_xy=True).transform(
        TRANSFORM.c, TRANSFORM.f
    )
    transform = Affine(10, 0, easting, 0, -10, northing)

    angles = incidence_angles(geometry, height, epsg=epsg, transform=transform)

    ellipsoid, terrain = exact_angles(geometry, height, epsg, transform)
    inner = slice(1, -1), slice(1, -1)
    np.testing.assert_allclose(angles.ellipsoid, ellipsoid, atol=1e-5)
    # Slopes of 70 degrees, and normals that lean over a pixel's width.
    np.testing.assert_allclose(angles.terrain[inner], terrain[inner], atol=3e-5)


def test_the_tilt_of_a_plane_is_taken_off_the_incidence(geometry):
    """Level ground, and planes that face an antenna in the west and turn away from it."""
    column = np.arange(9) * 10.0
    angles = []
    for tilt in (0.0, 20.0, -70.0):
        height = np.tile(500.0 + np.tan(np.radians(tilt)) * column, (9, 1)).astype(np.float32)
        found = incidence_angles(geometry, height, epsg=EPSG, transform=TRANSFORM)
        angles.append(np.degrees(found.terrain[4, 4]))

    level, towards, away = angles
    # The look leans 11 degrees from the west: the tilt counts in full towards it, nearly.
    assert level - towards == pytest.approx(20.0, abs=1.0)
    assert away > 90.0


def test_the_annotation_states_the_same_angle_on_the_ellipsoid(geometry, massif_central):
    grid = massif_central.grid
    utm = Proj(EPSG)
    for index in ((2, 3), (5, 17)):
        longitude, latitude = grid.longitude[index], grid.latitude[index]
        easting, northing = utm(np.degrees(longitude), np.degrees(latitude))
        level = np.full((5, 5), grid.height[index], np.float32)
        transform = Affine(10, 0, easting - 25, 0, -10, northing + 25)

        angles = incidence_angles(geometry, level, epsg=EPSG, transform=transform)

        # The annotation measures from the Earth's radius, 3.3 mrad from the normal in the meridian
        # and a fifth of that in the plane of the look.
        assert angles.ellipsoid[2, 2] == pytest.approx(grid.incidence_angle[index], abs=7e-4)
        assert angles.terrain[2, 2] == pytest.approx(angles.ellipsoid[2, 2], abs=1e-5)


def test_blocks_with_a_pixel_more_on_each_side_leave_no_seam(geometry):
    """Two blocks of different heights: a cliff of 3 km lies in one of them."""
    height = hills(2 * STEP, 2 * STEP)
    height[:, 10:20] += 3000
    cut = STEP + 7

    whole = incidence_angles(geometry, height, epsg=EPSG, transform=TRANSFORM)
    left = incidence_angles(geometry, height[:, : cut + 1], epsg=EPSG, transform=TRANSFORM)
    right = incidence_angles(
        geometry,
        height[:, cut - 1 :],
        epsg=EPSG,
        transform=TRANSFORM @ Affine.translation(cut - 1, 0),
    )

    for joined, together in (
        (np.concatenate([one[:, :-1], other[:, 1:]], axis=1), both)
        for one, other, both in zip(left, right, whole, strict=True)
    ):
        np.testing.assert_allclose(joined, together, atol=2e-6)


def test_unknown_heights_have_no_angle(geometry):
    height = hills(20, 20)
    height[8, 9] = np.nan

    angles = incidence_angles(geometry, height, epsg=EPSG, transform=TRANSFORM)

    assert np.isnan(angles.ellipsoid).sum() == 1
    assert np.isnan(angles.terrain[8, 9])
    assert np.isnan(angles.terrain[8, 10])
    assert np.isnan(angles.terrain).sum() == 5
    nothing = incidence_angles(
        geometry, np.full((4, 4), np.nan, np.float32), epsg=EPSG, transform=TRANSFORM
    )
    assert np.isnan(nothing.terrain).all()


def test_a_block_of_two_rows_is_refused(geometry):
    with pytest.raises(ValueError, match=r"shape \(2, 9\)"):
        incidence_angles(geometry, hills(2, 9), epsg=EPSG, transform=TRANSFORM)
