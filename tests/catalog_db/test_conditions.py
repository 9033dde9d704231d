import pytest

from catalog_db import SearchQuery, search
from catalog_db.catalogue import products
from catalog_db.catalogue.conditions import (
    MOST_NODES,
    Among,
    Both,
    Comparison,
    Either,
    Matches,
    Missing,
    Not,
)
from catalog_db.engine import Engine
from catalog_db.errors import QueryError
from tests.catalog_db.test_products import grd

KNOWN = {
    "a_1": {"realtime": "Nominal", "resolution": 10},
    "a%1": {"realtime": "Fast-24h", "resolution": "10"},
    "A*1": {"resolution": 2.5},
    "b[1]": {"realtime": None},
}


@pytest.fixture
def found(engine: Engine):
    with engine.begin() as connection:
        products.insert_products(
            connection, [grd(title=title, properties=shown) for title, shown in KNOWN.items()]
        )

    def titles(condition) -> set[str]:
        with engine.connect() as connection:
            return {one.title for one in search(connection, SearchQuery(where=condition)).items}

    return titles


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a%", {"a_1", "a%1"}),
        ("a_1", {"a_1", "a%1"}),
        (r"a\_1", {"a_1"}),
        (r"a\%1", {"a%1"}),
        ("A*1", {"A*1"}),
        ("b[1]", {"b[1]"}),
        ("b?1?", set()),
        ("%1%", set(KNOWN)),
    ],
)
def test_a_pattern_minds_case_and_knows_two_wildcards_on_every_database(found, pattern, expected):
    assert found(Matches("title", pattern)) == expected
    assert found(Not(Matches("title", pattern))) == set(KNOWN) - expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Comparison("properties.realtime", "=", "Nominal"), {"a_1"}),
        (Comparison("properties.realtime", "<>", "Nominal"), {"a%1"}),
        (Missing("properties.realtime"), {"A*1", "b[1]"}),
        (Matches("properties.realtime", "F%"), {"a%1"}),
        # A text is no number, and a number no text.
        (Comparison("properties.resolution", ">=", 0), {"a_1", "A*1"}),
        (Among("properties.resolution", (2.5, 3.0)), {"A*1"}),
        (Comparison("properties.resolution", "=", "10"), {"a%1"}),
    ],
)
def test_what_is_only_shown_is_compared_by_its_type(found, condition, expected):
    assert found(condition) == expected


def test_an_empty_combination_holds_for_all_or_none(found):
    assert found(Both(())) == set(KNOWN)
    assert found(Either(())) == set()


@pytest.mark.parametrize(
    "condition",
    [
        Comparison("footprint", "=", "x"),
        Comparison("properties", "=", "x"),
        Comparison("properties.a'b", "=", "x"),
        Matches("title", "%" * 5),
        Either(tuple(Missing("title") for _ in range(MOST_NODES))),
        Among("title", tuple("x" for _ in range(MOST_NODES))),
    ],
)
def test_what_cannot_be_meant_is_refused(condition):
    with pytest.raises(QueryError):
        SearchQuery(where=condition)
