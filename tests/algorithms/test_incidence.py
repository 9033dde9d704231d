"""Incidence angles against exact look directions and analytic slopes."""

import numpy as np
import pytest
from affine import Affine
from pyproj import Proj, Transformer

from algorithms.geodesy import geodetic_to_ecef
from algorithms.incidence import STEP, incidence_angles
from algorithms.radar_geometry import RadarGeometry
from algorithms.terrain import local_incidence_angle, look_vectors, map_distortion, surface_normals

EPSG = 32631
TRANSFORM = Affine(10, 0, 480_000, 0, -10, 5_040_000)


@pytest.fixture(scope="module")
def geometry(massif_central):
    return RadarGeometry.from_annotations([massif_central])


def hills(rows, columns):
    row, column = np.mgrid[0:rows, 0:columns]
    waves = 40 * np.sin(column / 17) + 30 * np.cos(row / 13 + column / 40)
    return (700 + waves).astype(np.float32)


def test_angles_equal_exact_look_directions_at_every_pixel(geometry):
    height = hills(150, 170)

    angles = incidence_angles(geometry, height, epsg=EPSG, transform=TRANSFORM)

    column, row = np.meshgrid(np.arange(170) + 0.5, np.arange(150) + 0.5)
    easting, northing = TRANSFORM @ (column, row)
    place = Transformer.from_crs(EPSG, 4326, always_xy=True).transform(easting, northing)
    point = (*np.radians(place), height.astype(float))
    antenna = geometry.antenna_position(geometry.locate(*point).azimuth_time)
    look = look_vectors(geodetic_to_ecef(*point), antenna)
    distortion = map_distortion(EPSG, easting, northing)
    normals = surface_normals(
        height, 10.0, convergence=distortion.convergence, scale=distortion.scale
    )
    # 70 m above or below the mean height turn the look by 70 m / 850 km.
    np.testing.assert_allclose(angles.ellipsoid, np.arccos(look[..., 2]), atol=1.5e-4)
    expected = local_incidence_angle(normals, look)
    np.testing.assert_allclose(angles.terrain, expected, atol=2e-4)


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


def test_blocks_leave_no_seam(geometry):
    height = hills(2 * STEP, 2 * STEP)

    whole = incidence_angles(geometry, height, epsg=EPSG, transform=TRANSFORM)
    left = incidence_angles(geometry, height[:, :STEP], epsg=EPSG, transform=TRANSFORM)
    right = incidence_angles(
        geometry, height[:, STEP:], epsg=EPSG, transform=TRANSFORM @ Affine.translation(STEP, 0)
    )

    joined = np.concatenate([left.terrain, right.terrain], axis=1)
    # One-sided differences of the second order err by h''' * 10 m**2 / 3: 0.3 mrad on these waves.
    np.testing.assert_allclose(joined, whole.terrain, atol=1e-3)


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
