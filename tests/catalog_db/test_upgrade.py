"""A filled database of the release before the counts, brought up to date."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from alembic import command

from catalog_db import SearchQuery, migrations, search
from catalog_db.catalogue import products
from catalog_db.catalogue.cells import home_cell
from catalog_db.catalogue.footprints import placed
from catalog_db.catalogue.kinds import Kind
from catalog_db.catalogue.product import PLAIN
from catalog_db.engine import Connection, Engine, create_engine
from catalog_db.tables import cell_count, daily_volume, day_count, kind
from catalog_db.times import to_us
from tests.catalog_db.synthetic import catalogue

BEFORE = "0004"
NUMBERS = range(1, 8)  # of the products that have a file
Row = dict[str, Any]


@dataclass(frozen=True)
class Filled:
    """The upgraded database, and one that took the same products in anew."""

    upgraded: Engine
    anew: Engine
    given: list[products.Product]


@pytest.fixture(scope="module")
def filled(databases, database_kind, tmp_path_factory) -> Iterator[Filled]:
    rng = np.random.default_rng(4)
    given = [one.product for one in catalogue(150, rng)]
    given = [
        replace(
            one,
            checksum=f"{number:032x}" if number % 2 else f"{number:064x}",
            orbit_number=1000 + number,
            updated=one.published + timedelta(days=number % 3),
            properties={"s2TakeId": f"T{number}"},
            withdrawn=number % 10 == 0,
        )
        for number, one in enumerate(given)
    ]
    folders = [tmp_path_factory.mktemp(name) for name in ("before", "anew")]
    with (
        databases.fresh(database_kind, folders[0], is_migrated=False) as url,
        databases.fresh(database_kind, folders[1]) as other_url,
    ):
        upgraded, anew = create_engine(url), create_engine(other_url)
        _fill_before(upgraded, given)
        migrations.upgrade(upgraded)
        with anew.begin() as connection:
            products.insert_products(connection, [replace(one, withdrawn=False) for one in given])
            for one in given:
                if one.withdrawn:
                    products.withdraw(connection, one.uid)
        yield Filled(upgraded, anew, given)
        upgraded.dispose()
        anew.dispose()


def _fill_before(engine: Engine, given: list[products.Product]) -> None:
    """Make the tables of the release before, and write rows as it wrote them."""
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    tables = sa.MetaData()
    tables.reflect(engine, only=["cell", "item", "file", "placement"])
    cells, items = _rows_before(given)
    with engine.begin() as connection:
        connection.execute(tables.tables["cell"].insert(), cells)
        connection.execute(tables.tables["item"].insert(), items)
        connection.execute(tables.tables["file"].insert(), [_file(number) for number in NUMBERS])
        connection.execute(
            tables.tables["placement"].insert(),
            [{"item": number, "file": number} for number in NUMBERS],
        )


def _rows_before(given: list[products.Product]) -> tuple[list[Row], list[Row]]:
    """Return the rows of cells and items."""
    cells: dict[str, Row] = {}
    items: list[Row] = []
    for key, one in enumerate(given, 1):
        footprint, extent = placed(one.footprint)
        home = home_cell(extent, one.mgrs_tile)
        known = cells.setdefault(
            home.name, {"id": len(cells) + 1, "name": home.name, **home.box._asdict()}
        )
        for side, widest in (("x0", min), ("y0", min), ("x1", max), ("y1", max)):
            known[side] = widest(known[side], getattr(home.box, side))
        items.append(
            {
                **{name: getattr(one, name) for name in (*PLAIN, *Kind._fields)},
                **extent._asdict(),
                "pk": key,
                "uid": one.uid,
                "cell": known["id"],
                "t0_us": to_us(one.start),
                "t1_us": to_us(one.end),
                "published_us": to_us(one.published),
                "updated_us": to_us(one.updated),
                "footprint": shapely.to_wkb(footprint),
                "properties": f'{{"s2TakeId":"{one.properties["s2TakeId"]}"}}',
            }
        )
    return list(cells.values()), items


def _file(number: int) -> Row:
    return {
        "id": number,
        "path": f"S1/{number}.zip",
        "size_bytes": 1,
        "checksum_algorithm": "md5",
        "checksum": "0" * 32,
        "backend": "simtape",
        "created_us": 0,
    }


def test_every_product_is_as_it_was(filled: Filled):
    with filled.upgraded.connect() as connection:
        found = [products.get(connection, one.uid) for one in filled.given]

    for before, after in zip(filled.given, found, strict=True):
        assert after is not None
        cut, _ = placed(before.footprint)
        assert after.footprint.equals(cut)
        assert replace(after, footprint=before.footprint, file_path=None) == before
    assert [one.file_path for one in found if one and one.file_path] == [
        f"S1/{number}.zip" for number in NUMBERS
    ]


def _counts(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return all counts, kinds by their texts."""
    texts = [kind.c[name] for name in Kind._fields]
    found = {}
    for table, keys in ((cell_count, ("products",)), (day_count, None)):
        columns = [
            column
            for column in table.c
            if column.name not in ("cell", "kind", "revision")
            and (keys is None or column.name in keys)
        ]
        rows = connection.execute(
            sa.select(*texts, *columns).join_from(table, kind, kind.c.id == table.c.kind)
        )
        found[table.name] = sorted((tuple(row) for row in rows if row.products), key=str)
    volumes = connection.execute(sa.select(daily_volume).where(daily_volume.c.products > 0))
    found["daily_volume"] = sorted((tuple(row) for row in volumes), key=str)
    return found


def test_the_counts_are_those_of_products_taken_in_anew(filled: Filled):
    with filled.upgraded.connect() as upgraded, filled.anew.connect() as anew:
        assert _counts(upgraded) == _counts(anew)


@pytest.mark.parametrize(
    "query",
    [
        SearchQuery(limit=500),
        SearchQuery(region=shapely.box(170, -60, 200, 60), limit=500),
        SearchQuery(region=shapely.box(-180, 70, 180, 90), limit=500),
        SearchQuery(collections=("S2ST",), limit=500),
    ],
    ids=["all", "antimeridian", "pole", "collection"],
)
def test_a_search_finds_what_it_finds_among_products_taken_in_anew(filled: Filled, query):
    with filled.upgraded.connect() as upgraded, filled.anew.connect() as anew:
        found, expected = search(upgraded, query), search(anew, query)

    assert len(found.items) > 3
    assert (found.total, found.total_is_exact) == (expected.total, True)
    assert {one.uid for one in found.items} == {one.uid for one in expected.items}


def test_products_come_in_after_the_upgrade(filled: Filled):
    new = replace(filled.given[1], title="NEW")
    with filled.upgraded.connect() as connection, connection.begin():
        before = search(connection, SearchQuery()).total
    with filled.upgraded.begin() as connection:
        assert products.insert_products(connection, [new, filled.given[2]]) == 1
    with filled.upgraded.connect() as connection:
        assert search(connection, SearchQuery()).total == before + 1
