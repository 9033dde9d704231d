"""Outlines between corners against the image itself, and at the places where longitudes end."""

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer
from shapely.geometry import Polygon

from algorithms import mgrs
from algorithms.radar.geometry import RadarGeometry
from catalog_db.catalogue.footprints import placed
from peps_wps.readers.footprint import TOLERANCE_M, outline
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.readers.sentinel1_grd import read_grd

ELLIPSOID = Geod(ellps="WGS84")
POLAR = Transformer.from_crs(4326, 3413, always_xy=True)  # stereographic, north


def cap(longitude, latitude, size_m, turn_deg=30.0):
    """Corners of a square around a place, by geodesics."""
    azimuths = turn_deg + np.array([45.0, 135.0, 225.0, 315.0])
    return [ELLIPSOID.fwd(longitude, latitude, a, size_m / 2**0.5)[:2] for a in azimuths]


@pytest.mark.parametrize("part", ["_BB15", "_6FF8", "_4B8B", "_ECC8"])
def test_real_products_cover_tiles_as_their_geometry_does(reference_data, part):
    """EW at 77 to 82 N, IW and SM: shares of tiles by a footprint, and of pixels in the image."""
    (path,) = (reference_data / "s1" / "safe").glob(f"*{part}.zip")
    annotation = next(iter(read_grd(path).images.values())).annotation
    geometry = RadarGeometry.from_annotations([annotation])
    footprint, _ = placed(read_metadata(path).footprint)
    height = annotation.grid.height.mean()

    for name, share in mgrs.tiles_over(footprint).items():
        tile = mgrs.tile(name)
        step = mgrs.TILE_M / 60
        column, row = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
        place = Transformer.from_crs(tile.epsg, 4326, always_xy=True).transform(
            tile.transform.c + step * column, tile.transform.f - step * row
        )
        found = geometry.locate(*np.radians(place), height)
        assert share == pytest.approx(np.isfinite(found.line).mean(), abs=0.01)


def test_edges_are_geodesics():
    corners = cap(20.0, 80.0, 400e3)

    ring = shapely.get_coordinates(outline(corners))

    assert {tuple(corner) for corner in corners} <= {tuple(vertex) for vertex in ring}
    # The distance from the pole of a stereographic map is that of the ellipsoid, edges of geodesics
    # bend by a few hundred metres on it.
    projected = Polygon(np.column_stack(POLAR.transform(*ring.T)))
    straight = Polygon(np.column_stack(POLAR.transform(*np.array(corners).T)))
    assert projected.symmetric_difference(straight).area < 0.01 * straight.area


def test_few_vertices_are_enough_where_straight_is_straight():
    assert len(outline(cap(5.0, 0.0, 200e3, turn_deg=45.0)).exterior.coords) <= 9
    assert len(outline(cap(5.0, 45.0, 200e3)).exterior.coords) <= 24


@pytest.mark.parametrize("longitude", [179.0, -179.5, 180.0])
def test_longitudes_run_on_past_the_antimeridian(longitude):
    footprint = outline(cap(longitude, 70.0, 250e3))

    west, _, east, _ = footprint.bounds
    assert east - west < 15
    assert footprint.is_valid
    assert sum(mgrs.tiles_over(placed(footprint)[0]).values()) > 4


@pytest.mark.parametrize("sign", [1, -1])
def test_a_product_may_hold_a_pole(sign):
    corners = [(x, sign * y) for x, y in cap(40.0, 89.0, 2_200e3)]

    footprint = outline(corners)
    in_catalogue, _ = placed(footprint)

    assert footprint.is_valid
    for longitude in range(-180, 180, 15):
        assert in_catalogue.covers(shapely.Point(longitude, sign * 85))
    shares = mgrs.tiles_over(in_catalogue)
    assert shares == pytest.approx(mgrs.tiles_over(footprint), abs=1e-6)
    assert {name[:2] for name in shares} >= {"01", "20", "31", "45", "60"}
    assert max(shares.values()) == pytest.approx(1.0)


def test_the_tolerance_is_small_against_a_tile():
    assert TOLERANCE_M < 0.001 * mgrs.TILE_M
