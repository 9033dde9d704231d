"""The tile grid against the published list of names, known origins and its own neighbours."""

import gzip

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from algorithms import mgrs


@pytest.fixture(scope="module")
def published(reference_data):
    with gzip.open(reference_data / "s2grid" / "s2_tiles.txt.gz", "rt") as file:
        return [line.split()[0] for line in file]


def every_name_of_the_grid():
    return [
        f"{zone:02d}{band}{mgrs.COLUMN_SETS[zone % 3][column - 1]}{mgrs._row_letter(zone, row)}"
        for zone in range(1, 61)
        for south in (False, True)
        for row, (band, columns) in mgrs._squares(zone, south=south).items()
        for column in columns
    ]


def test_the_rules_give_the_published_names_and_no_other(published):
    derived = every_name_of_the_grid()

    assert len(derived) == len(set(derived)) == 56_686
    assert set(derived) == set(published)


def test_every_published_name_has_a_tile_in_its_zone_and_band(published):
    for name in published:
        tile = mgrs.tile(name)
        assert tile.epsg == (32600 if name[2] >= "N" else 32700) + int(name[:2])
        assert tile.transform.c % 60 == 0
        # South of the equator the steps of 60 m count from it.
        assert (tile.transform.f - 10_000_000 * (name[2] < "N")) % 60 == 0


@pytest.mark.parametrize(
    ("name", "epsg", "west", "north"),
    [
        ("31TGL", 32631, 699_960, 5_100_000),
        ("31TEK", 32631, 499_980, 5_000_040),
        ("31TCJ", 32631, 300_000, 4_900_020),
        ("22KGA", 32722, 699_960, 7_600_000),
        ("36KWE", 32736, 499_980, 8_000_020),
    ],
)
def test_known_tiles_have_their_origin(name, epsg, west, north):
    tile = mgrs.tile(name)

    assert (tile.epsg, tile.transform.c, tile.transform.f) == (epsg, west, north)
    assert tile.shape == (10_980, 10_980)


@pytest.mark.parametrize(
    "name",
    ["", "31T", "T31TCJ", "31tcj", "31TCJ ", "61TCJ", "00TCJ", "31ICJ", "31TIJ", "31TSJ", "32XMG"],
)
def test_what_is_no_tile_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match=repr(name)):
        mgrs.tile(name)


def test_a_tile_covers_itself_whole_and_its_neighbours_by_the_overlap():
    tile = mgrs.tile("31TCJ")
    west, south, east, north = tile.bounds
    to_degrees = Transformer.from_crs(tile.epsg, 4326, always_xy=True)
    edge = np.array(shapely.segmentize(shapely.box(west, south, east, north), 1000).exterior.coords)
    outline = shapely.Polygon(np.column_stack(to_degrees.transform(edge[:, 0], edge[:, 1])))

    shares = mgrs.tiles_over(outline)

    assert shares["31TCJ"] == pytest.approx(1.0, abs=1e-6)
    assert shares["31TDJ"] == pytest.approx((east - 399_960) / 109_800, abs=1e-6)
    assert {"31TCJ", "31TCH", "31TCK", "31TDJ", "31TDK", "31TDH"} <= set(shares)


def test_a_footprint_over_two_zones_has_tiles_of_both():
    shares = mgrs.tiles_over(shapely.box(23.2, 36.5, 24.9, 38.0))

    assert {name[:2] for name in shares} == {"34", "35"}
    assert all(0.0 < share <= 1.0 for share in shares.values())


@pytest.mark.parametrize("latitude", [-17.0, 65.0, -78.0])
def test_the_antimeridian_may_be_written_in_three_ways(latitude):
    south, north = latitude, latitude + 1.0
    past = shapely.box(179.0, south, 181.5, north)
    jump = shapely.Polygon([(179, south), (-178.5, south), (-178.5, north), (179, north)])
    split = shapely.MultiPolygon(
        [shapely.box(179, south, 180, north), shapely.box(-180, south, -178.5, north)]
    )

    expected = mgrs.tiles_over(past)

    assert {name[:2] for name in expected} >= {"01", "60"}
    for footprint in (jump, split):
        shares = mgrs.tiles_over(footprint)
        assert shares.keys() == expected.keys()
        np.testing.assert_allclose(list(shares.values()), list(expected.values()), atol=1e-6)


def test_a_footprint_over_the_equator_has_tiles_of_both_sides():
    shares = mgrs.tiles_over(shapely.box(9.2, -0.5, 9.8, 0.5))

    assert {name[2] for name in shares} == {"M", "N"}


@settings(max_examples=60)
@given(st.floats(-180, 180), st.floats(-79, 83))
def test_every_place_lies_on_a_tile_that_says_so(longitude, latitude):
    place = shapely.box(longitude, latitude, longitude + 1e-4, latitude + 1e-4)

    shares = mgrs.tiles_over(place)

    assert shares
    for name, share in shares.items():
        assert mgrs.coverage(mgrs.tile(name), place) == pytest.approx(share)
