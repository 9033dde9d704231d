"""Two hundred searches of a made-up catalogue against a look at every product.

100,000 products on both databases in the suite, a million with PEPS_DRILLS=1, or as many as
PEPS_PRODUCTS says: `make drills` has all 17.7 million on SQLite, too.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

from benchmarks.catalogue.generator import Catalogue
from catalog_db import SearchQuery, search
from catalog_db.catalogue import products
from catalog_db.catalogue.conditions import Both, Matches
from catalog_db.catalogue.query import Interval, OneOf, SearchResult, SortKey, TextFilter
from catalog_db.engine import Connection
from catalog_db.errors import QueryError
from tests.catalog_db.scale import IS_DRILL, PRODUCTS, Examined, examined, loaded
from tests.database import Databases
from tests.query_plans import reads_all_of, recorded, steps_of

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("catalogue")]


@pytest.fixture(scope="module")
def scene() -> Examined:
    return examined(PRODUCTS, share=1.0 if IS_DRILL else 0.3)


@pytest.fixture(scope="module")
def connection(
    scene: Examined, databases: Databases, database_kind: str, tmp_path_factory
) -> Iterator[Connection]:
    folder = tmp_path_factory.mktemp("scale")
    with (
        databases.fresh(database_kind, folder, is_migrated=True) as url,
        loaded(scene.catalogue, url) as reader,
    ):
        yield reader


def wrong(scene: Examined, results: list[SearchResult]) -> list[str]:
    """Which searches found another page, or counted exactly another number."""
    return [
        f"{asked}: {result.total} products, {answer.total} in truth"
        for asked, answer, result in zip(scene.mix, scene.answers, results, strict=True)
        if tuple(one.title for one in result.items) != answer.titles
        or (result.total_is_exact and result.total != answer.total)
    ]


def well_estimated(scene: Examined, results: list[SearchResult]) -> float:
    """The share of searches whose total is within 30 percent of the truth."""
    return float(
        np.mean(
            [
                abs(result.total - answer.total) <= 0.3 * answer.total
                for answer, result in zip(scene.answers, results, strict=True)
            ]
        )
    )


def test_two_hundred_searches_find_what_a_look_at_every_product_finds(connection, scene):
    with recorded(connection.engine) as statements:
        results = [search(connection, asked.query()) for asked in scene.mix]

    assert len(scene.mix) == 200
    assert wrong(scene, results) == []
    assert well_estimated(scene, results) >= 0.9
    plans = {
        statement: steps_of(connection, statement, parameters)
        for statement, parameters in statements
        if "item" in statement
    }
    assert plans
    assert [steps for steps in plans.values() if reads_all_of("item", steps)] == []
    assert [steps for steps in plans.values() if any("BLOOM" in step for step in steps)] == []


@pytest.mark.parametrize("is_descending", [True, False])
def test_pages_by_cursor_and_back_hold_each_product_once(connection, scene, is_descending):
    (number,) = np.argsort([answer.total for answer in scene.answers])[-1:]
    query = replace(
        scene.mix[number].query(), sort=SortKey("start", is_descending=is_descending), limit=400
    )
    pages = [search(connection, query)]
    while len(pages) < 4 and pages[-1].cursor:
        pages.append(search(connection, replace(query, cursor=pages[-1].cursor)))
    gathered = [one.title for page in pages for one in page.items]
    starts = [one.start for page in pages for one in page.items]
    reverse = replace(query, sort=SortKey("start", is_descending=not is_descending))
    back = search(connection, replace(reverse, cursor=pages[-1].cursor_before))

    assert len(set(gathered)) == len(gathered) == 1600
    assert starts == sorted(starts, reverse=is_descending)
    assert [one.title for one in reversed(back.items)] == [one.title for one in pages[-2].items]


def test_numbered_pages_are_those_by_cursor(connection):
    query = SearchQuery(region=shapely.box(-10, 35, 30, 60), limit=300)
    by_cursor, cursor = [], None
    for _ in range(3):
        page = search(connection, replace(query, cursor=cursor))
        by_cursor.append(page.items)
        cursor = page.cursor

    for number in (2, 0, 1):
        assert search(connection, replace(query, offset=300 * number)).items == by_cursor[number]


def test_a_page_deep_in_all_products_of_a_kind_is_where_the_counts_say(connection):
    query = SearchQuery(
        collections=("S2ST",), start_from=datetime(2017, 2, 3, 4, 5, tzinfo=UTC), limit=20
    )
    total = search(connection, query).total
    last = search(connection, replace(query, offset=total - 10))
    earliest = search(connection, replace(query, sort=SortKey("start", is_descending=False)))

    assert search(connection, query).total_is_exact
    assert last.items == tuple(reversed(earliest.items[:10]))
    assert last.cursor is None
    assert search(connection, replace(query, offset=total)).items == ()


def test_few_products_are_sorted_by_any_field_and_many_by_none(connection, scene):
    asked = next(
        asked.query()
        for asked, answer in zip(scene.mix, scene.answers, strict=True)
        if 5 < answer.total < 200 and "S2ST" in asked.query().collections
    )
    every = search(connection, replace(asked, limit=500)).items
    query = replace(asked, sort=SortKey("cloud_cover", is_descending=False), limit=3)
    first = search(connection, query)
    second = search(connection, replace(query, cursor=first.cursor))

    by_cloud = sorted(every, key=lambda one: one.cloud_cover)
    assert [one.cloud_cover for one in (*first.items, *second.items)] == [
        one.cloud_cover for one in by_cloud[:6]
    ]
    assert first.total == len(every)
    with pytest.raises(QueryError, match="narrow the search"):
        search(connection, SearchQuery(sort=SortKey("cloud_cover")))


def test_orbits_titles_and_publications_are_found_by_their_days(connection, scene):
    truth = scene.catalogue
    rows = next(iter(truth.rows()))
    titles = truth.titles(rows, np.arange(len(rows)))
    orbit, title = int(rows.orbit[7]), titles[7]
    published = np.sort(rows.published_us)[[5, 20]]
    from_us, to_us = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(one)) for one in published
    )

    def found(**conditions) -> list[str]:
        return [one.title for one in search(connection, SearchQuery(**conditions, limit=500)).items]

    assert title in found(numbers={"orbit_number": OneOf((float(orbit),))})
    assert found(texts={"title": TextFilter(title)}) == [title]
    assert title in found(texts={"title": TextFilter(title[:32], is_prefix=True)})
    assert found(texts={"title": TextFilter(title[:16] + "Z", is_prefix=True)}) == []
    assert len(found(published_from=from_us, published_to=to_us)) == 16


HOSTILE = {
    "an orbit that was never flown": {"numbers": {"relative_orbit": OneOf((999.0,))}},
    "a cloud cover that nothing has": {"numbers": {"cloud_cover": Interval(33.33333, 33.33333)}},
    "snow that nobody measured": {"numbers": {"snow_cover": Interval(0, 100)}},
    "an orbit number beyond all": {"numbers": {"orbit_number": Interval(10**6, None)}},
    "every title": {"texts": {"title": TextFilter("S", is_prefix=True)}},
    "titles of one year": {"texts": {"title": TextFilter("S1A_IW_SLC__1SDV_2015", is_prefix=True)}},
    "titles that are none": {"texts": {"title": TextFilter("S1A_IW%", is_prefix=True)}},
    "many wildcards": {"where": Both((Matches("title", "%7%7%7%7"), Matches("title", "%A%B%C%D")))},
    "a thousand names": {"identifiers": tuple(f"S1A_IW_{number}" for number in range(1000))},
    "a region of many parts": {
        "region": shapely.MultiPolygon(
            [
                shapely.box(x, y, x + 0.1, y + 0.1)
                for x in range(-30, 30, 2)
                for y in range(-30, 30, 2)
            ]
        )
    },
    "a region of many vertices": {"region": shapely.Point(20, 10).buffer(30, quad_segs=1200)},
    "the whole world by another name": {"region": shapely.box(-179.9, -89.9, 179.9, 89.9)},
    "a publication at one instant": {
        "published_from": datetime(2018, 1, 1, tzinfo=UTC),
        "published_to": datetime(2018, 1, 1, 0, 0, 1, tzinfo=UTC),
    },
    "a prefix of every tile": {"texts": {"mgrs_tile": TextFilter("", is_prefix=True)}},
    "orbits one by one": {
        "numbers": {"orbit_number": OneOf(tuple(float(n) for n in range(0, 40_000, 40)))}
    },
}


def steps(connection: Connection, query: SearchQuery) -> int:
    """Thousands of instructions of SQLite's machine that a search takes."""
    driver = connection.connection.driver_connection
    counted = [0]

    def count() -> None:
        counted[0] += 1

    driver.set_progress_handler(count, 1000)
    search(connection, query)
    driver.set_progress_handler(None, 0)
    return counted[0]


# What a search for hardly anything may read is bounded, not small: 60,000 entries of an index at
# about twenty instructions each.
MOST_STEPS = 3000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_search_reads_no_more_than_a_bounded_part(connection, name):
    query = SearchQuery(**HOSTILE[name])
    if connection.dialect.name == "sqlite":
        assert steps(connection, query) <= MOST_STEPS
    else:  # it does not tell its steps: that it has an answer
        assert search(connection, query).total >= 0


def test_a_walk_for_what_is_rare_is_gone_on_with_by_its_cursor(connection, scene):
    rare = max(scene.answers, key=lambda answer: answer.total).titles[-1]
    query = SearchQuery(
        start_to=datetime(2018, 1, 1, tzinfo=UTC), where=Matches("title", f"%{rare[-20:]}"), limit=5
    )
    pages = [search(connection, query)]
    while pages[-1].cursor is not None and len(pages) < PRODUCTS // 5000:
        pages.append(search(connection, replace(query, cursor=pages[-1].cursor)))
    every = search(connection, replace(query, where=None, limit=0)).total

    assert pages[-1].cursor is None
    assert len(pages) == pytest.approx(every / 10_000, abs=2)  # each read a bounded part


def test_new_products_do_not_shift_the_pages_of_a_cursor(scene, databases, database_kind, tmp_path):
    with databases.fresh(database_kind, tmp_path) as url, loaded(_small(scene), url) as connection:
        query = SearchQuery(limit=100)
        first = search(connection, query)
        connection.rollback()
        one = replace(first.items[0], title="NEW", start=first.items[0].start + timedelta(days=1))
        with connection.engine.begin() as writer:
            products.insert_products(writer, [one])
        second = search(connection, replace(query, cursor=first.cursor))

        assert second.total == first.total + 1
        assert not {x.title for x in first.items} & {x.title for x in second.items}
        assert second.items[0].start <= first.items[-1].start


def _small(scene: Examined) -> Catalogue:
    small = copy.copy(scene.catalogue)
    small.number = 1000
    return small
