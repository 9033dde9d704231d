"""Requests that mean nothing: refused in one sentence, and never dear."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from peps_wps.web.stac.requests import MEMBERS
from peps_wps.web.stac.vocabulary import QUERYABLES

SEARCH = "/stac/search"
PROBLEM = "application/problem+json"


def nested(depth: int) -> dict[str, object]:
    condition: dict[str, object] = {"op": "isNull", "args": [{"property": "platform"}]}
    for _ in range(depth):
        condition = {"op": "not", "args": [condition]}
    return condition


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"bbox": "1,2,3"}, "four or six numbers"),
        ({"bbox": "1,2,3,x"}, "expected a number"),
        ({"bbox": "1,44,2,43"}, "is not on the Earth"),
        ({"bbox": "1,43,9,2,44,5"}, "lower height above the upper"),
        ({"bbox": "nan,43,2,44"}, "expected a number"),
        ({"bbox": "1,43,2,44", "intersects": '{"type":"Point","coordinates":[1,2]}'}, "not both"),
        ({"intersects": '{"type":"Point"}'}, "no GeoJSON geometry"),
        ({"intersects": '{"type":"Polygon","coordinates":[]}'}, "empty"),
        (
            {"intersects": '{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}'},
            "Self-intersection",
        ),
        ({"intersects": "POINT(1 2)"}, "intersects is no JSON"),
        ({"datetime": "2021-08-09"}, "is no time"),
        ({"datetime": "2021-08-09T00:00:00Z/2021-08-08T00:00:00Z"}, "ends before it begins"),
        ({"datetime": "../.."}, "open on both sides"),
        ({"datetime": "0001-01-01T00:00:00+10:00"}, "is no time"),
        ({"limit": "0"}, "no whole number from 1"),
        ({"limit": "many"}, "expected a number"),
        ({"limit": "1.5"}, "no whole number"),
        ({"collections": "S7"}, "there is no collection S7"),
        ({"token": "next:nonsense"}, "is no cursor"),
        ({"token": "nonsense"}, "is no token"),
        ({"sortby": "weight"}, "cannot sort by weight"),
        ({"sortby": "datetime,id"}, "takes one field"),
        ({"query": "[1]"}, "query is an object"),
        ({"query": '{"platform":{"like":"x"}}'}, "cannot ask platform like"),
        ({"query": '{"weight":{"eq":1}}'}, "weight cannot be asked of"),
        ({"query": '{"eo:cloud_cover":{"lt":"low"}}'}, "compared with a number"),
        ({"filter": "eo:cloud_cover <"}, "no CQL2"),
        ({"filter": "weight = 1"}, "weight cannot be asked of"),
        ({"filter": "platform = datetime"}, "a plain value"),
        ({"filter": "platform = 1"}, "compared with a text"),
        ({"filter": "eo:cloud_cover + 1 > 2"}, "a property on one side"),
        ({"filter": "datetime > TIMESTAMP('yesterday')"}, "is no time"),
        ({"filter": "S_WITHIN(geometry, POINT(1 2))"}, "cannot ask S_WITHIN"),
        ({"filter": "NOT S_INTERSECTS(geometry, POINT(1 2))"}, "cannot ask S_INTERSECTS here"),
        ({"filter": "S_INTERSECTS(geometry, POINT(1 2))", "bbox": "1,2,3,4"}, "one region"),
        ({"filter": "casei(platform) = 'x'"}, "a property on one side"),
        ({"filter": "id LIKE '%a%b%c%d%e%'"}, "wildcards"),
        ({"filter": f"platform LIKE '{'%' * 40}!'"}, "wildcards"),
        ({"filter": f"id LIKE '{'a' * 1001}'"}, "1001 characters, at most 1000 expected"),
        ({"filter": " OR ".join(["eo:cloud_cover=1"] * 101)}, "more than 100 conditions"),
        ({"filter": "platform='x'", "filter-lang": "sql"}, "cql2-text or cql2-json"),
        ({"filter": "platform='x'", "filter-crs": "EPSG:4326"}, "filter-crs is"),
        ({"colections": "S1"}, "there is no parameter colections"),
    ],
)
def test_what_means_nothing_is_a_problem_that_says_why(client: Client, parameters, says):
    answer = client.get(SEARCH, query_string=parameters)

    assert (answer.status_code, answer.mimetype) == (400, PROBLEM)
    problem = json.loads(answer.data)
    assert problem.keys() >= {"type", "title", "status", "detail"}
    assert problem["status"] == 400
    assert says in problem["detail"]
    assert len(problem["detail"]) < 250


@pytest.mark.parametrize(
    "document",
    [
        [1, 2],
        {"bbox": "1,2,3,4"},
        {"ids": "x"},
        {"ids": [1]},
        {"fields": None},
        {"fields": ["id"]},
        {"fields": {"include": "id"}},
        {"intersects": [1, 2]},
        {"limit": True},
        {"limit": "10"},
        {"sortby": {"field": "datetime"}},
        {"sortby": [{"field": "datetime", "direction": "up"}]},
        {"token": 5},
        {"filter": "platform = 'x'"},
        {"filter": nested(39)},
        {"filter": {"op": "in", "args": [{"property": "id"}, ["x"] * 200]}},
        {"query": {"product:type": {"contains": "a" * 60_000}}},
        {"unknown": 1},
    ],
)
def test_a_body_that_means_nothing_is_refused(client: Client, document):
    answer = client.post(SEARCH, json=document)

    assert (answer.status_code, answer.mimetype) == (400, PROBLEM)


def test_a_body_is_json_of_a_bounded_size(client: Client):
    assert client.post(SEARCH, data="{", content_type="application/json").status_code == 400
    assert client.post(SEARCH, data="a=1", content_type="text/plain").status_code == 415
    large = json.dumps({"ids": ["x" * 600_000]})
    assert client.post(SEARCH, data=large, content_type="application/json").status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/stac/nothing", 404),
        ("GET", "/stac/collections/S7", 404),
        ("GET", "/stac/collections/S7/items", 404),
        ("GET", "/stac/collections/S7/queryables", 404),
        ("DELETE", "/stac/search", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(client: Client, method, path, status):
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.mimetype) == (status, PROBLEM)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000,
        "(" * 20 + "eo:cloud_cover=" + ")" * 20,
        "a_contains(id,(" + "(" * 30 + ")" * 30 + "))",
        "NOT " * 1200 + "eo:cloud_cover=1",
        "eo:cloud_cover" + "^eo:cloud_cover" * 300,
        "eo:cloud_cover=" + "-" * 2500 + "1",
    ],
)
def test_a_filter_made_to_cost_much_costs_little(client: Client, text):
    # Each of these exhausts the stack or the patience of a parser that is given all of it.
    started = time.thread_time()
    answer = client.get(SEARCH, query_string={"filter": text})

    assert answer.status_code == 400
    assert time.thread_time() - started < 0.5


def comb(teeth: int, *, is_upright: bool) -> dict[str, object]:
    """Return a sound polygon with thin teeth, from 170 degrees east over the antimeridian."""
    step = 20.0 / teeth
    outline = [(20.0 - step / 2, 0.0), (0.0, 0.0)]
    for number in range(teeth):
        left, right = number * step, (number + 0.5) * step
        outline += [(left, 1.0), (left, 20.0), (right, 20.0), (right, 1.0)]
    turned = [(170 + x, y) if is_upright else (170 + y, x) for x, y in outline]
    return {"type": "Polygon", "coordinates": [[*turned, turned[0]]]}


@pytest.mark.parametrize("is_filter", [True, False])
def test_regions_that_cross_in_many_places_cost_little(client: Client, is_filter: bool):
    # Where the teeth of two combs cross, their union has a million vertices.
    combs = [comb(600, is_upright=True), comb(600, is_upright=False)]
    both = {"intersects": {"type": "GeometryCollection", "geometries": combs}}
    met = [{"op": "s_intersects", "args": [{"property": "geometry"}, one]} for one in combs]
    started = time.thread_time()
    answer = client.post(SEARCH, json={"filter": {"op": "or", "args": met}} if is_filter else both)

    assert answer.status_code == 200
    assert time.thread_time() - started < 2


_TEXTS = st.one_of(
    st.text(st.sampled_from("0123456789.,-+[]{}TZ:/%'\"\\;() =<>SNOTAD\x00é😀"), max_size=20),
    st.text(max_size=8),
    st.sampled_from([f"{name} = 1" for name in QUERYABLES]),
    st.sampled_from([f"{name} LIKE 'a%'" for name in QUERYABLES]),
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(-200, 200), _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(
            st.sampled_from(["op", "args", "property", "type", "coordinates", "include", "eq"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


# One client for all examples: a search changes nothing.
def test_nothing_that_is_asked_is_more_than_a_bad_request(client: Client):
    @settings(max_examples=200)
    @given(st.dictionaries(st.sampled_from(MEMBERS), _TEXTS, min_size=1, max_size=4))
    def get(parameters: dict[str, str]) -> None:
        assert client.get(SEARCH, query_string=parameters).status_code in (200, 400)

    @settings(max_examples=200)
    @given(st.dictionaries(st.sampled_from(MEMBERS), _VALUES, max_size=4))
    def post(document: dict[str, object]) -> None:
        assert client.post(SEARCH, json=document).status_code in (200, 400)

    get()
    post()
