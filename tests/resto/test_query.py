import time
from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalog_db.catalogue.query import Interval, OneOf, TextFilter
from catalog_db.errors import QueryError
from peps_wps.errors import InvalidInputError
from peps_wps.resto.query import parse_search


def parsed(**parameters: str):
    return parse_search("S1", parameters).query


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12", OneOf((12.0,))),
        ("12,24", OneOf((12.0, 24.0))),
        ("{12,24}", OneOf((12.0, 24.0))),
        ("[0,50]", Interval(0, 50)),
        ("[0,50[", Interval(0, 50, includes_maximum=False)),
        ("]0,50]", Interval(0, 50, includes_minimum=False)),
        ("]0.5,50[", Interval(0.5, 50, includes_minimum=False, includes_maximum=False)),
        ("]5", Interval(minimum=5, includes_minimum=False)),
        ("[5", Interval(minimum=5)),
        ("5]", Interval(maximum=5)),
        ("5[", Interval(maximum=5, includes_maximum=False)),
    ],
)
def test_the_interval_grammar_of_resto(text: str, wanted):
    assert parsed(cloudCover=text).numbers["cloud_cover"] == wanted


@pytest.mark.parametrize("text", ["many", "[]", "[,]", "5,", "1;2", "[1,2,3]", "nan", "1e9", "--1"])
def test_what_is_no_interval_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="cloudCover"):
        parsed(cloudCover=text)


def test_blanks_in_an_interval_cost_nothing():
    # Three runs of blanks side by side: a parser that tries every way to part them takes minutes.
    started = time.thread_time()
    with pytest.raises(InvalidInputError, match="cloudCover"):
        parsed(cloudCover="[" + " " * 4000 + "x")

    assert time.thread_time() - started < 1


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2021-08-09", datetime(2021, 8, 9, tzinfo=UTC)),
        ("2021-08-09T17:39:53", datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)),
        ("2021-08-09T17:39:53.5Z", datetime(2021, 8, 9, 17, 39, 53, 500_000, tzinfo=UTC)),
        ("2021-08-09T19:39:53+02:00", datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)),
    ],
)
def test_dates_are_utc_and_a_bare_one_is_its_first_instant(text: str, instant: datetime):
    query = parsed(startDate=text, completionDate=text)

    assert (query.start_from, query.start_to) == (instant, instant)


@pytest.mark.parametrize(
    "text",
    ["2021", "20210809", "2021-13-01", "2021-W05-1", "yesterday", "0001-01-01T00:00:00+05:00"],
)
def test_what_is_no_date_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="startDate"):
        parsed(startDate=text)


@pytest.mark.parametrize(
    ("parameters", "limit", "offset"),
    [
        ({}, 20, 0),
        ({"maxRecords": "500"}, 500, 0),
        ({"maxRecords": "100000"}, 500, 0),
        ({"maxRecords": "9" * 5000}, 500, 0),
        ({"maxRecords": "-" + "9" * 5000}, 1, 0),
        ({"maxRecords": "0" * 30 + "7"}, 7, 0),
        ({"maxRecords": "0"}, 1, 0),
        ({"maxRecords": "-5"}, 1, 0),
        ({"page": "3"}, 20, 40),
        ({"index": "8"}, 20, 7),
        ({"page": "2", "index": "500"}, 20, 20),
        ({"page": "0"}, 20, 0),
        ({"page": "999999999999999"}, 20, 2**31),
    ],
)
def test_pages_are_clamped_and_page_wins_over_index(parameters, limit: int, offset: int):
    query = parsed(**parameters)

    assert (query.limit, query.offset) == (limit, offset)


@pytest.mark.parametrize("tile", ["31TCJ", "31tcj", "T31TCJ", "t31tcj"])
def test_a_tile_is_understood_in_any_case_with_or_without_its_t(tile: str):
    assert parsed(tileid=tile).texts == {"mgrs_tile": TextFilter("31TCJ")}


def test_a_percent_sign_at_the_end_asks_for_a_prefix():
    assert parsed(tileid="31T%").texts == {"mgrs_tile": TextFilter("31T", is_prefix=True)}
    assert parsed(tileid="31%").texts == {"mgrs_tile": TextFilter("31", is_prefix=True)}
    assert parsed(productIdentifier="S1A%").texts == {"title": TextFilter("S1A", is_prefix=True)}


def test_empty_and_unknown_parameters_are_ignored():
    # What peps_download.py sends.
    query = parsed(productType="GRD", sensorMode="", q="", lang="fr", issuerId="peps")

    assert query.texts == {"product_type": TextFilter("GRD")}


def test_a_parent_identifier_that_contradicts_the_collection_finds_nothing():
    assert parsed(parentIdentifier="urn:ogc:def:EOP:ESA::SENTINEL-1:").collections == ("S1",)
    assert parsed(parentIdentifier="urn:ogc:def:EOP:ESA::SENTINEL-2:").collections == ("",)


@pytest.mark.parametrize(
    ("parameters", "region"),
    [
        ({"box": "1,43,2,44"}, shapely.box(1, 43, 2, 44)),
        ({"box": "179,-20,-179,-10"}, shapely.box(179, -20, 181, -10)),
        (
            {"geometry": "POLYGON ((1.0000 43.0000, 2.0000 43.0000, 2 44, 1 44, 1 43))"},
            shapely.box(1, 43, 2, 44),
        ),
        (
            {"geometry": '{"type":"Point","coordinates":[1.5,43.5]}'},
            shapely.Point(1.5, 43.5),
        ),
    ],
)
def test_regions_are_read(parameters, region):
    assert parsed(**parameters).region.equals(region)


def test_a_point_stands_for_the_square_of_its_radius():
    # 10 km by default: 0.0899 degrees of latitude, and more of longitude by 1 / cos(43.6).
    west, south, east, north = parsed(lat="43.6", lon="1.44").region.bounds

    assert north - south == pytest.approx(2 * 10_000 / 111_195, rel=1e-4)
    assert (east - west) / (north - south) == pytest.approx(1 / 0.7241, rel=3e-3)


@pytest.mark.parametrize(
    "parameters",
    [
        {"box": "1,43,2"},
        {"box": "1,43,2,x"},
        {"box": "1,44,2,43"},
        {"geometry": "POLYGON ((1 43, 2"},
        {"geometry": "{}"},
        {"geometry": "hello"},
        {"geometry": "CIRCULARSTRING (0 0, 1 1, 2 0)"},
        {"lat": "43"},
        {"lat": "43", "lon": "east"},
        {"lat": "95", "lon": "0"},
        {"maxRecords": "many"},
        {"page": "1.5"},
        {"tileid": "toulouse"},
    ],
)
def test_what_has_no_meaning_is_refused_in_one_sentence(parameters):
    with pytest.raises((InvalidInputError, QueryError)) as caught:
        parsed(**parameters)

    assert 0 < len(str(caught.value)) < 200


NAMES = [
    "box",
    "geometry",
    "lat",
    "lon",
    "radius",
    "tileid",
    "startDate",
    "cloudCover",
    "page",
    "maxRecords",
    "index",
    "orbitNumber",
    "identifier",
    "parentIdentifier",
    "polarisation",
]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_no_text_breaks_the_parser(parameters):
    try:
        query = parse_search(None, parameters).query
    except (InvalidInputError, QueryError):
        return
    assert 1 <= query.limit <= 500
    assert query.offset >= 0
