"""Counts kept with the products against counts taken anew."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.catalogue.generator import Catalogue
from catalog_db import SearchQuery, bulk, search
from catalog_db.catalogue import products, statistics
from catalog_db.catalogue.census import Census, census_of
from catalog_db.catalogue.counts import next_revision, rebuild
from catalog_db.engine import Connection, Engine, create_engine
from catalog_db.tables import cell_count, daily_volume, day_count
from tests.catalog_db.synthetic import FIRST, catalogue

# With the searches of a made-up catalogue: its orbits are made once in a process.
pytestmark = pytest.mark.xdist_group("catalogue")


def tables(connection: Connection) -> dict[str, set[tuple[object, ...]]]:
    """What the counts say, rows of nothing left out, extremes too."""
    found = {}
    for table in (cell_count, day_count, daily_volume):
        columns = [column for column in table.columns if column.name != "revision"]
        rows = connection.execute(select(*columns).where(table.c.products != 0))
        found[table.name] = {tuple(row) for row in rows}
    return found


def _within_weeks(product: products.Product) -> products.Product:
    """A product of one of fifty days: counts are taken day by day."""
    moved = (product.start - FIRST) // timedelta(days=50) * timedelta(days=50)
    return replace(product, start=product.start - moved, end=product.end - moved)


def test_counts_kept_with_the_products_are_those_taken_anew(engine: Engine, rng):
    known = [_within_weeks(one.product) for one in catalogue(600, rng)]
    with engine.begin() as connection:
        products.insert_products(connection, known[:500])
    with engine.begin() as connection:
        products.insert_products(connection, known[400:])
        for one in known[:40]:
            products.withdraw(connection, one.uid)
            products.withdraw(connection, one.uid)  # once is enough
    moved = [
        replace(
            one,
            updated=one.updated + timedelta(days=1),
            footprint=known[-1].footprint,
            mgrs_tile=None,
            size_bytes=7,
        )
        for one in known[100:200]
    ]
    with engine.begin() as connection:
        assert products.insert_products(connection, moved) == 100
        kept = tables(connection)
        rebuild(connection, next_revision(connection))
        statistics.rebuild(connection)
        anew = tables(connection)

    assert kept["cell_count"] == anew["cell_count"]
    assert kept["daily_volume"] == anew["daily_volume"]
    # Extremes do not narrow when products go: the days and their numbers are the same.
    assert {row[:3] for row in kept["day_count"]} == {row[:3] for row in anew["day_count"]}


def test_what_is_in_memory_follows_what_is_stored(engine: Engine, rng):
    known = [one.product for one in catalogue(900, rng)]
    for batch in np.array_split(np.arange(900), 6):
        with engine.begin() as connection:
            products.insert_products(connection, [known[index] for index in batch])
            products.withdraw(connection, known[batch[0]].uid)
        with engine.connect() as connection:
            followed = census_of(connection)
            fresh = Census()
            fresh.refresh(connection)
            order = [followed.cell_names.index(name) for name in fresh.cell_names]

            assert followed.kinds == fresh.kinds
            np.testing.assert_array_equal(followed.boxes[:, order], fresh.boxes)
            np.testing.assert_array_equal(followed.counts[order], fresh.counts)
            np.testing.assert_array_equal(followed.by_day, fresh.by_day)


def test_what_a_transaction_takes_back_was_never_counted(engine: Engine, rng):
    known = [one.product for one in catalogue(30, rng)]
    with engine.begin() as connection:
        products.insert_products(connection, known[:10])
    with engine.connect() as connection:
        assert search(connection, SearchQuery()).total == 10
    with engine.begin() as connection:
        products.insert_products(connection, known)
        assert search(connection, SearchQuery()).total == 30
        connection.get_transaction().rollback()
    with engine.begin() as connection:
        products.insert_products(connection, known[10:12])
    with engine.connect() as connection:
        assert search(connection, SearchQuery()).total == 12


@pytest.fixture(scope="module")
def made_up() -> Catalogue:
    return Catalogue(500, share=0.02)


def test_a_bulk_load_leaves_what_storing_one_by_one_leaves(
    engine: Engine, made_up: Catalogue, databases, database_kind, tmp_path
):
    number = bulk.load(engine, made_up.kinds, made_up.placed[0], made_up.batches())
    with engine.connect() as connection:
        everything = search(connection, SearchQuery(limit=number)).items
        counted = tables(connection)
    with databases.fresh(database_kind, tmp_path / "other") as url:
        other = create_engine(url)
        with other.begin() as connection:
            assert products.insert_products(connection, everything) == number == 500
        with other.connect() as connection:
            again = search(connection, SearchQuery(limit=number)).items
            kept = tables(connection)
        other.dispose()

    others = {one.uid: one for one in again}
    assert len(others) == len(everything)
    for one in everything:  # parts at the antimeridian may start at another vertex
        other = others[one.uid]
        assert other.footprint.equals(one.footprint)
        assert replace(other, footprint=one.footprint) == one
    assert kept["daily_volume"] == counted["daily_volume"]
    assert len(kept["cell_count"]) == len(counted["cell_count"])
    assert len(kept["day_count"]) == len(counted["day_count"])


def test_a_bulk_load_refuses_a_catalogue_that_holds_products(engine: Engine, made_up, rng):
    with engine.begin() as connection:
        products.insert_products(connection, [catalogue(1, rng)[0].product])

    with pytest.raises(bulk.NotEmptyError, match="holds products already"):
        bulk.load(engine, made_up.kinds, made_up.placed[0], made_up.batches())
