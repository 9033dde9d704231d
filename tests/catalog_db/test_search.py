from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import shapely
from shapely import Polygon
from sqlalchemy import text

from catalog_db import SearchQuery, search
from catalog_db.catalogue import products
from catalog_db.catalogue.query import Interval, OneOf, Position, TextFilter
from catalog_db.catalogue.regions import box_region, square_region
from catalog_db.engine import Connection, create_engine
from catalog_db.errors import QueryError
from tests.catalog_db.synthetic import FIRST, Known, catalogue, meets
from tests.database import Databases
from tests.query_plans import reads_all_of, recorded, steps_of

NUMBER = 6_000


@pytest.fixture(scope="module")
def known() -> list[Known]:
    return catalogue(NUMBER, np.random.default_rng(2))


@pytest.fixture(scope="module")
def connection(
    known: list[Known], databases: Databases, database_kind: str, tmp_path_factory
) -> Iterator[Connection]:
    with databases.fresh(database_kind, tmp_path_factory.mktemp("search")) as url:
        engine = create_engine(url)
        with engine.begin() as writer:
            assert products.insert_products(writer, [one.product for one in known]) == NUMBER
            if database_kind == "postgresql":
                writer.execute(text("ANALYZE"))  # as a server does by itself, later
        with engine.connect() as reader:
            yield reader
        engine.dispose()


def expected(known: list[Known], region, *conditions) -> set[str]:
    """Titles by brute force: every product is looked at."""
    is_met = np.ones(len(known), bool) if region is None else meets(known, region)
    return {
        one.product.title
        for one, is_there in zip(known, is_met, strict=True)
        if is_there and all(condition(one.product) for condition in conditions)
    }


def titles(connection: Connection, query: SearchQuery) -> set[str]:
    result = search(connection, replace(query, limit=NUMBER))
    assert result.total == len(result.items)
    assert result.total_is_exact
    return {product.title for product in result.items}


REGIONS = {
    "small": box_region(1.2, 43.1, 1.9, 43.9),
    "country": box_region(-5, 41, 10, 51),
    "continent": box_region(-20, -40, 60, 60),
    "world": box_region(-180, -90, 180, 90),
    "over the antimeridian": box_region(178, -20, -177, 10),
    "beyond 180": box_region(179, 60, 184, 70),
    "ends at the antimeridian": box_region(177, -30, 180, 30),
    "starts at the antimeridian": box_region(-180, -30, -177, 30),
    "a line on the antimeridian": shapely.LineString([(180, -30), (180, 30)]),
    "north cap": box_region(-180, 86, 180, 90),
    "part of the north cap": box_region(20, 84, 50, 90),
    "part of the south cap": box_region(170, -90, -170, -83),
    "the pole": shapely.Point(12, 90),
    "a point": shapely.Point(2.35, 48.85),
    "a square": square_region(-179.98, 66, 300_000),
    "a square on a pole": square_region(10, -89.5, 200_000),
    "a triangle": Polygon([(0, 0), (30, 5), (10, 25)]),
    "a triangle over the antimeridian": Polygon([(170, 0), (195, 5), (180, 25)]),
    "two parts": shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(100, 30, 104, 33)]),
}


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_finds_what_brute_force_finds(connection, known, name: str):
    region = REGIONS[name]

    found = titles(connection, SearchQuery(region=region))

    assert found == expected(known, region)
    assert found


def test_random_boxes_with_times_and_filters_find_what_brute_force_finds(connection, known):
    rng = np.random.default_rng(5)
    for _ in range(60):
        west, south = rng.uniform(-180, 180), rng.uniform(-90, 85)
        width, height = rng.uniform(0.1, 40), rng.uniform(0.1, 20)
        region = shapely.box(west, south, west + width, min(south + height, 90))
        first = FIRST + timedelta(days=float(rng.uniform(0, 1500)))
        last = first + timedelta(days=float(rng.uniform(1, 900)))
        query = SearchQuery(
            collections=("S1",),
            region=region,
            start_from=first,
            start_to=last,
            texts={"product_type": TextFilter("GRD"), "sensor_mode": TextFilter("IW")},
            numbers={"relative_orbit": Interval(20, 150, includes_maximum=False)},
        )

        assert titles(connection, query) == expected(
            known,
            region,
            lambda one, low=first, high=last: low <= one.start <= high,
            lambda one: (one.product_type, one.sensor_mode) == ("GRD", "IW"),
            lambda one: 20 <= one.relative_orbit < 150,
        )


FILTERS = {
    "collection": (SearchQuery(collections=("S2ST",)), lambda one: one.collection == "S2ST"),
    "two collections": (SearchQuery(collections=("S1", "S2ST")), lambda one: True),
    "prefix": (
        SearchQuery(texts={"title": TextFilter("SLICE_01", is_prefix=True)}),
        lambda one: one.title.startswith("SLICE_01"),
    ),
    "case matters": (
        SearchQuery(texts={"title": TextFilter("slice_01", is_prefix=True)}),
        lambda one: False,
    ),
    "wildcards are plain letters": (
        SearchQuery(texts={"title": TextFilter("S%", is_prefix=True)}),
        lambda one: False,
    ),
    "tile": (
        SearchQuery(texts={"mgrs_tile": TextFilter("31TCJ")}),
        lambda one: one.mgrs_tile == "31TCJ",
    ),
    "tile prefix": (
        SearchQuery(texts={"mgrs_tile": TextFilter("6", is_prefix=True)}),
        lambda one: (one.mgrs_tile or "").startswith("6"),
    ),
    "cloud, open interval": (
        SearchQuery(numbers={"cloud_cover": Interval(10, 20, includes_minimum=False)}),
        lambda one: one.cloud_cover is not None and 10 < one.cloud_cover <= 20,
    ),
    "cloud of anything known": (
        SearchQuery(numbers={"cloud_cover": Interval()}),
        lambda one: one.cloud_cover is not None,
    ),
    "orbits": (
        SearchQuery(numbers={"relative_orbit": OneOf((8.0, 110.0))}),
        lambda one: one.relative_orbit in (8, 110),
    ),
    "published": (
        SearchQuery(published_from=FIRST + timedelta(days=1900)),
        lambda one: one.published >= FIRST + timedelta(days=1900),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_finds_what_brute_force_finds(connection, known, name: str):
    query, condition = FILTERS[name]

    assert titles(connection, query) == expected(known, None, condition)


def test_identifiers_find_by_uid_and_by_title_with_or_without_extension(connection, known):
    chosen = [one.product for one in known[:3]]
    query = SearchQuery(
        identifiers=(chosen[0].uid, chosen[1].title, chosen[2].title + ".SAFE", "unknown")
    )

    assert titles(connection, query) == {one.title for one in chosen}


@pytest.mark.parametrize("region", [None, box_region(-20, -40, 60, 60)])
@pytest.mark.parametrize("by_cursor", [True, False])
def test_pages_hold_every_product_once_in_the_promised_order(connection, known, region, by_cursor):
    query = SearchQuery(region=region, collections=("S1",), limit=700)
    gathered = []
    cursor = None
    for page in range(1000):
        asked = replace(query, cursor=cursor) if by_cursor else replace(query, offset=700 * page)
        result = search(connection, asked)
        gathered += result.items
        cursor = result.cursor
        if cursor is None:
            break

    starts = [product.start for product in gathered]
    assert starts == sorted(starts, reverse=True)
    number = len(expected(known, region, lambda one: one.collection == "S1"))
    assert len(gathered) == len({product.uid for product in gathered}) == number
    assert result.total == (pytest.approx(number, rel=0.3) if region else number)


def test_a_page_of_nothing_still_says_the_total(connection):
    result = search(connection, SearchQuery(limit=0))

    assert (result.items, result.total, result.cursor) == ((), NUMBER, None)


def test_box_and_time_are_found_without_reading_every_row(connection):
    query = SearchQuery(
        collections=("S1",),
        region=box_region(-5, 41, 10, 51),
        start_from=FIRST,
        start_to=FIRST + timedelta(days=300),
        texts={"product_type": TextFilter("GRD")},
    )
    with recorded(connection.engine) as statements:
        search(connection, query)

    steps = [
        step
        for statement, parameters in statements
        if "FROM item" in statement
        for step in steps_of(connection, statement, parameters)
    ]
    by_index = "SEARCH item USING COVERING INDEX ix_item_", "Scan using ix_item_"
    assert any(words in step for step in steps for words in by_index)
    assert not reads_all_of("item", steps)
    assert not [step for step in steps if "BLOOM" in step]


def test_a_withdrawn_product_is_not_found(engine, known):
    with engine.begin() as writer:
        products.insert_products(writer, [one.product for one in known[:2]])
        products.withdraw(writer, known[0].product.uid)
        assert writer.scalar(text("SELECT count(*) FROM item")) == 2
        assert titles(writer, SearchQuery()) == {known[1].product.title}
        assert titles(writer, SearchQuery(identifiers=(known[0].product.uid,))) == set()


@pytest.mark.parametrize(
    "query",
    [
        {"region": Polygon()},
        {"region": shapely.Point(0, 91)},
        {"region": shapely.Point(1000, 0)},
        {"cursor": "never given"},
        {"cursor": "MTI"},
        {"cursor": Position(10**30, 1).to_cursor()},
        {"texts": {"size_bytes": TextFilter("1")}},
        {"limit": -1},
    ],
)
def test_a_query_without_meaning_is_refused(connection, query):
    with pytest.raises(QueryError):
        search(connection, SearchQuery(**query))


@pytest.mark.parametrize("box", [(0, 10, 1, 5), (0, -91, 1, 0), (-700, 0, 1, 1)])
def test_a_box_that_is_not_on_the_earth_is_refused(box):
    with pytest.raises(QueryError):
        box_region(*box)
