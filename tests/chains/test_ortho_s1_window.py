"""The heights of a tile reach as far as its pixels need them, anywhere on Earth."""

from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer

from algorithms import mgrs
from peps_wps.chains.ortho_s1.heights import tile_bounds, tile_heights
from peps_wps.chains.ortho_s1.order import Order
from tests.chains.simulated_pass import configuration

PLAIN, MASKS = Order(("a",)), Order(("a",), masks=True)
STEP = 1 / 240  # degrees: 15 seconds


def scene_of(west, south, east, north, incidence=30.0):
    """What is looked at of a pass over an area: its grid, longitudes as annotations have them."""
    longitude, latitude = np.meshgrid(np.linspace(west, east, 21), np.linspace(south, north, 10))
    grid = SimpleNamespace(
        longitude=np.radians((longitude + 180) % 360 - 180),
        latitude=np.radians(latitude),
        incidence_angle=np.radians(np.linspace(incidence, 46, 21) + 0 * longitude),
    )
    image = SimpleNamespace(annotation=SimpleNamespace(grid=grid))
    return SimpleNamespace(frames=(SimpleNamespace(images={"VV": image}),))


@pytest.fixture
def dem(tmp_path):
    """Writer of a DEM whose height is given by longitude and latitude, and its configuration."""

    def write(west, south, east, north, height):
        (tmp_path / "dem").mkdir(exist_ok=True)
        shape = (round((north - south) / STEP), round((east - west) / STEP))
        columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
        values = height(west + columns * STEP, north - rows * STEP).astype(np.float32)
        profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1}
        profile |= {"crs": "EPSG:4979", "dtype": "float32"}
        profile["transform"] = Affine(STEP, 0, west, 0, -STEP, north)
        with rasterio.open(tmp_path / "dem" / f"part{west}.tif", "w", **profile) as dataset:
            dataset.write(values, 1)
        return configuration(tmp_path)

    return write


def places_in(tile, area):
    """Longitude and latitude of pixels of a tile in an area, in its longitudes."""
    grid = np.meshgrid(*[np.linspace(0, 10980, 61)] * 2)
    to_degrees = Transformer.from_crs(tile.epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(*(tile.transform @ tuple(grid)))
    centre = (area[0] + area[2]) / 2
    longitude = centre + (longitude - centre + 180) % 360 - 180
    inside = (longitude > area[0]) & (longitude < area[2])
    inside &= (latitude > area[1]) & (latitude < area[3])
    return longitude[inside], latitude[inside]


def assert_heights(window, longitude, latitude, expected):
    assert longitude.size > 100
    column, row = ~window.transform @ (longitude, latitude)
    column, row = np.floor(column).astype(int), np.floor(row).astype(int)
    assert column.min() >= 2
    assert row.min() >= 2
    assert column.max() < window.height.shape[1] - 2
    assert row.max() < window.height.shape[0] - 2
    # A posting is half a step away at most.
    np.testing.assert_allclose(window.height[row, column], expected, atol=3 * STEP)


@pytest.mark.parametrize("order", [PLAIN, MASKS])
@pytest.mark.parametrize("area", [(178.8, 60.2, 181.4, 61.8), (-181.3, 60.2, -178.9, 61.8)])
def test_a_tile_at_the_antimeridian_has_the_heights_of_both_sides(dem, area, order):
    dem(176, 58, 180, 64, lambda longitude, latitude: longitude + latitude)
    config = dem(-180, 58, -176, 64, lambda longitude, latitude: 360 + longitude + latitude)
    scene = scene_of(*area)
    tiles = mgrs.tiles_over(shapely.box(178.8, 60.2, 181.4, 61.8))
    for name in [name for name, share in tiles.items() if share > 0.3]:
        window = tile_heights(config, mgrs.tile(name), scene, order)
        longitude, latitude = places_in(mgrs.tile(name), area)
        turn = 360 * np.round((window.transform.c - longitude.mean()) / 360)
        expected = longitude % 360 + latitude
        assert_heights(window, longitude + turn, latitude, expected)
        assert window.height.shape[1] * STEP < 8


@pytest.mark.parametrize("order", [PLAIN, MASKS])
def test_a_tile_at_83_degrees_north_has_its_heights(dem, order):
    area = (11.0, 82.7, 19.0, 83.4)
    config = dem(0, 80, 30, 85, lambda longitude, latitude: longitude + latitude)
    tiles = mgrs.tiles_over(shapely.box(*area))
    for name in [name for name, share in tiles.items() if share > 0.3]:
        window = tile_heights(config, mgrs.tile(name), scene_of(*area), order)
        longitude, latitude = places_in(mgrs.tile(name), area)
        assert_heights(window, longitude, latitude, longitude + latitude)


def test_only_the_heights_under_the_pass_are_read(dem):
    config = dem(0, 42, 4, 46, lambda longitude, latitude: 0 * longitude)
    tile = mgrs.tile("31TCJ")
    whole = tile_heights(config, tile, scene_of(-1, 42, 4, 46), PLAIN)
    part = tile_heights(config, tile, scene_of(-1, 42, 0.8, 46), PLAIN)
    assert part.height.shape[1] < 0.5 * whole.height.shape[1]


def test_the_steeper_a_pass_looks_the_more_terrain_is_read(dem):
    hills = np.radians(36_000)  # a degree is 100 waves
    config = dem(0, 42, 4, 46, lambda longitude, latitude: 500 + 500 * np.sin(hills * longitude))
    tile = mgrs.tile("31TCJ")
    rows = [
        tile_heights(config, tile, scene_of(-1, 42, 4, 46, incidence), MASKS).height.shape[0]
        for incidence in (30, 20)
    ]
    plain = tile_heights(config, tile, scene_of(-1, 42, 4, 46), PLAIN).height.shape[0]
    # 1000 m, and 500 m for what may be beside: tan + 1 / tan of the angle on either side.
    for found, tangent in zip(rows, np.tan(np.radians([30, 20])), strict=True):
        expected = 2 * 1500 * (tangent + 1 / tangent) / 111_195 / STEP
        assert found - plain == pytest.approx(expected, abs=2)


def test_mountains_beside_a_plain_are_read(dem):
    # 1800 m over 3.3 km, a kilometre south of the tile.
    tile = mgrs.tile("31TCJ")
    foot = tile_bounds(tile)[1] - 0.01

    def height(longitude, latitude):
        return np.clip((foot - latitude) / 0.03, 0, 1) * 1800 + 0 * longitude

    config = dem(0, 42, 4, 46, height)
    window = tile_heights(config, tile, scene_of(-1, 42, 4, 46), MASKS)
    assert window.height.max() == 1800
