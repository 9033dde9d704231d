"""The grid of web maps beside morecantile's WebMercatorQuad."""

import math

import morecantile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.tiles import grid
from peps_wps.tiles.grid import Box, Tile

TMS = morecantile.tms.get("WebMercatorQuad")
ZOOMS = st.integers(0, grid.LARGEST_ZOOM)


@given(ZOOMS, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_tiles_lie_where_the_standard_grid_has_them(zoom, x, y):
    column, row = int(x * 2**zoom), int(y * 2**zoom)

    box = Tile(zoom, column, row).box

    # The standard prints its corner to the millimetre.
    assert box == pytest.approx(tuple(TMS.xy_bounds(morecantile.Tile(column, row, zoom))), abs=2e-3)


@given(ZOOMS)
def test_resolutions_and_scales_are_those_of_the_standard(zoom):
    matrix = TMS.matrix(zoom)

    assert grid.resolution(zoom) == pytest.approx(matrix.cellSize, rel=1e-9)
    assert grid.scale_denominator(zoom) == pytest.approx(matrix.scaleDenominator, rel=1e-9)


def test_the_first_scale_is_the_one_that_the_wmts_standard_prints():
    # OGC 07-057r7, annex E.4.
    assert grid.scale_denominator(0) == pytest.approx(559082264.0287178, rel=1e-12)


@given(ZOOMS, st.integers(-(2**26), 2**26), st.integers(-(2**26), 2**26))
def test_a_tile_exists_where_the_grid_has_one(zoom, column, row):
    side = 2**zoom
    assert Tile(zoom, column, row).exists == (0 <= column < side and 0 <= row < side)


@pytest.mark.parametrize("zoom", [-1, 25, 10**8])
def test_no_tile_exists_beyond_the_zooms(zoom):
    assert not Tile(zoom, 0, 0).exists


@given(ZOOMS, st.floats(-1.9e7, 1.9e7), st.floats(-1.9e7, 1.9e7))
def test_the_tile_over_a_point_contains_it(zoom, x, y):
    first, last = grid.tiles_over(Box(x, y, x, y), zoom)

    assert first == last
    west, south, east, north = first.box
    # Corners are computed in float64 from 2e7 m.
    assert west - 1e-6 <= x <= east + 1e-6
    assert south - 1e-6 <= y <= north + 1e-6


def test_an_area_beyond_the_world_touches_its_outermost_tiles():
    world = Box(*(side * 1.1 * grid.HALF_SIDE for side in (-1, -1, 1, 1)))

    assert grid.tiles_over(world, 3) == (Tile(3, 0, 0), Tile(3, 7, 7))


@given(st.floats(0.02, 1e5))
def test_the_native_zoom_is_the_first_that_is_as_fine_as_the_pixels(size):
    zoom = grid.native_zoom(size)

    # To a hundredth of a zoom: a raster in the plane's own resolution keeps its zoom.
    finest = size * 2**0.01
    assert grid.resolution(zoom) <= finest or zoom == grid.LARGEST_ZOOM
    assert zoom == 0 or grid.resolution(zoom - 1) > finest * (1 - 1e-9)


def test_a_raster_in_the_resolution_of_a_zoom_has_that_zoom():
    assert [grid.native_zoom(grid.resolution(zoom)) for zoom in range(25)] == list(range(25))
    assert math.isclose(grid.HALF_SIDE, 20037508.342789244)
