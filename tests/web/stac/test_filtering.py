"""CQL2 and the query extension against conditions written in Python."""

import json
from datetime import UTC, datetime

import pytest

CLOUDY = "eo:cloud_cover"


def cloud(test):
    return lambda product: product.cloud_cover is not None and test(product.cloud_cover)


# CQL2 text, and what it means.
FILTERS = [
    ("eo:cloud_cover < 20", cloud(lambda value: value < 20)),
    ("eo:cloud_cover >= 20", cloud(lambda value: value >= 20)),
    ("20 > eo:cloud_cover", cloud(lambda value: value < 20)),
    ("eo:cloud_cover = 20", cloud(lambda value: value == 20)),
    ("eo:cloud_cover <> 20", cloud(lambda value: value != 20)),
    ("NOT eo:cloud_cover < 20", cloud(lambda value: value >= 20)),
    ("eo:cloud_cover BETWEEN 11 AND 29", cloud(lambda value: 11 <= value <= 29)),
    ("eo:cloud_cover NOT BETWEEN 11 AND 29", cloud(lambda value: not 11 <= value <= 29)),
    ("eo:cloud_cover IN (11, 29, 3)", cloud(lambda value: value in (11, 29))),
    ("eo:cloud_cover IS NULL", lambda product: product.cloud_cover is None),
    ("eo:cloud_cover IS NOT NULL", lambda product: product.cloud_cover is not None),
    (
        "eo:cloud_cover > 40 OR sat:relative_orbit = 60",
        lambda product: (product.cloud_cover or 0) > 40 or product.relative_orbit == 60,
    ),
    (
        "(eo:cloud_cover > 40 OR sat:relative_orbit = 60) AND NOT platform = 'sentinel-2a'",
        lambda product: product.relative_orbit == 60 and product.platform != "S2A",
    ),
    ("platform = 'sentinel-1a'", lambda product: product.platform == "S1A"),
    ("platform <> 'sentinel-1a'", lambda product: product.platform != "S1A"),
    ("platform IN ('sentinel-1a', 'x')", lambda product: product.platform == "S1A"),
    ("platform LIKE 'sentinel-1_'", lambda product: product.collection == "S1"),
    ("platform NOT LIKE '%a'", lambda product: product.platform == "S1B"),
    ("platform > 'sentinel-1b'", lambda product: product.platform == "S2A"),
    ("mission = 'sentinel-2'", lambda product: product.collection == "S2ST"),
    ("properties.constellation = 'sentinel-1'", lambda product: product.collection == "S1"),
    ("processing:level = 'L1C'", lambda product: product.collection == "S2ST"),
    ("grid:code = 'MGRS-31TCJ'", lambda product: product.mgrs_tile == "31TCJ"),
    ("grid:code <> 'MGRS-31TCK'", lambda product: product.mgrs_tile is not None),
    ("grid:code <> '31TCJ'", lambda product: product.mgrs_tile is not None),
    ("grid:code = '31TCJ'", lambda _: False),
    ("grid:code LIKE 'MGRS-31%'", lambda product: product.mgrs_tile is not None),
    ("grid:code IN ('MGRS-31TCJ', 'else')", lambda product: product.mgrs_tile is not None),
    ("id LIKE 'S1A\\_IW\\_%'", lambda product: product.title.startswith("S1A_IW_")),
    ("id LIKE '%31TCJ%'", lambda product: "31TCJ" in product.title),
    ("id LIKE 's1a%'", lambda _: False),
    ("id LIKE '[S]1A%'", lambda _: False),
    ("sar:instrument_mode = 'IW'", lambda product: product.sensor_mode == "IW"),
    ("peps:polarisation = 'VV VH'", lambda product: product.polarization == "VV VH"),
    (
        "sat:orbit_state = 'ascending' AND sat:absolute_orbit > 39020",
        lambda product: product.orbit_direction == "ascending" and product.orbit_number > 39020,
    ),
    ("collection = 'S1' AND collection = 'S2ST'", lambda _: False),
    ("collection >= 'S2'", lambda product: product.collection == "S2ST"),
    ("collection = 'somewhere-else'", lambda _: False),
    (
        "datetime >= TIMESTAMP('2021-08-10T12:00:00Z') AND datetime < DATE('2021-08-11')",
        lambda product: (
            datetime(2021, 8, 10, 12, tzinfo=UTC)
            <= product.start
            < datetime(2021, 8, 11, tzinfo=UTC)
        ),
    ),
    (
        "T_AFTER(datetime, TIMESTAMP('2021-08-10T12:00:00Z'))",
        lambda product: product.start > datetime(2021, 8, 10, 12, tzinfo=UTC),
    ),
    (
        "T_INTERSECTS(datetime, INTERVAL('2021-08-10', '..'))",
        lambda product: product.start >= datetime(2021, 8, 10, tzinfo=UTC),
    ),
    (
        "T_DISJOINT(created, INTERVAL('2021-08-10', '2021-08-11'))",
        lambda product: (
            not datetime(2021, 8, 10, tzinfo=UTC)
            <= product.published
            <= datetime(2021, 8, 11, tzinfo=UTC)
        ),
    ),
    (
        "T_BEFORE(end_datetime, TIMESTAMP('2021-08-10T12:00:00Z'))",
        lambda product: product.end < datetime(2021, 8, 10, 12, tzinfo=UTC),
    ),
    (
        "S_INTERSECTS(geometry, POINT(3.1 43)) AND platform = 'sentinel-1a'",
        lambda product: (
            product.platform == "S1A"
            and product.footprint.bounds[0] <= 3.1 <= product.footprint.bounds[2]
        ),
    ),
    (
        "S_INTERSECTS(geometry, BBOX(1.05, 43, 1.15, 43.1)) OR "
        "S_INTERSECTS(geometry, POINT(9.35 43))",
        lambda product: (
            product.footprint.bounds[0] <= 1.15
            or product.footprint.bounds[0] <= 9.35 <= product.footprint.bounds[2]
        ),
    ),
    ("true", lambda _: True),
    ("eo:cloud_cover < 20 AND false", lambda _: False),
]


@pytest.mark.parametrize(("text", "is_met"), FILTERS)
def test_a_filter_means_what_its_operators_say(ids, stored, text, is_met):
    expected = [product.title for product in stored if is_met(product)]

    assert ids(filter=text) == expected
    assert ids({"filter": text, "filter-lang": "cql2-text"}) == expected


def test_the_same_filter_is_understood_as_json(ids):
    document = {
        "op": "and",
        "args": [
            {"op": ">", "args": [{"property": CLOUDY}, 20]},
            {"op": "not", "args": [{"op": "between", "args": [{"property": CLOUDY}, 30, 40]}]},
        ],
    }
    text = "eo:cloud_cover > 20 AND eo:cloud_cover NOT BETWEEN 30 AND 40"

    assert ids({"filter": document}) == ids(filter=text) != []
    assert ids({"filter": document, "filter-lang": "cql2-json"}) == ids(filter=text)
    assert ids(**{"filter": json.dumps(document), "filter-lang": "cql2-json"}) == ids(filter=text)


def test_filter_query_and_parameters_must_all_be_met(ids, stored):
    found = ids(
        {
            "collections": ["S1"],
            "query": {"platform": {"eq": "sentinel-1a"}, "sat:relative_orbit": {"gte": 60}},
            "filter": {"op": "<", "args": [{"property": "sat:relative_orbit"}, 62]},
        }
    )

    assert found == [
        product.title
        for product in stored
        if product.platform == "S1A" and 60 <= product.relative_orbit < 62
    ]


@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ({CLOUDY: {"lt": 30, "gte": 11}}, cloud(lambda value: 11 <= value < 30)),
        ({CLOUDY: {"eq": "20"}}, cloud(lambda value: value == 20)),
        ({CLOUDY: {"neq": 20}}, cloud(lambda value: value != 20)),
        ({"platform": {"in": ["sentinel-1b"]}}, lambda product: product.platform == "S1B"),
        ({"platform": {"startsWith": "sentinel-1"}}, lambda product: product.collection == "S1"),
        ({"platform": {"endsWith": "a"}}, lambda product: product.platform != "S1B"),
        ({"id": {"contains": "_T31TCJ_"}}, lambda product: product.mgrs_tile == "31TCJ"),
        ({"id": {"contains": "%"}}, lambda _: False),
    ],
)
def test_the_query_extension_means_what_it_says(ids, stored, query, is_met):
    expected = [product.title for product in stored if is_met(product)]

    assert ids({"query": query}) == ids(query=json.dumps(query)) == expected
