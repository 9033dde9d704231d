from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from catalog_db.catalogue import products
from catalog_db.engine import Engine, create_engine
from catalog_db.errors import SchemaError
from catalog_db.moving import copy_database
from catalog_db.tables import cell, metadata
from tests.database import Databases
from tests.jobs.job_house import House, opened_house


@pytest.fixture
def house(tmp_path: Path) -> Any:
    with opened_house(tmp_path / "house") as house:
        for number in range(3):
            house.archive(f"PRODUCT_{number}")
        for number in range(2):
            house.submit(product=f"PRODUCT_{number}")
        yield house


def rows_of(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def test_every_row_moves_to_the_other_kind_of_database_and_back(
    house: House, databases: Databases, tmp_path: Path
) -> None:
    expected = rows_of(house.engine)
    shown: list[tuple[float, str]] = []
    with (
        databases.fresh("postgresql", tmp_path) as there,
        databases.fresh("sqlite", tmp_path / "back") as back,
    ):
        server, file = create_engine(there), create_engine(back)
        copied = copy_database(house.engine, server, lambda *step: shown.append(step))
        copy_database(server, file, lambda *_: None)

        assert rows_of(server) == expected
        assert rows_of(file) == expected
    assert copied == {name: len(rows) for name, rows in expected.items()}
    assert (copied["item"], copied["job"], copied["placement"]) == (3, 2, 3)
    assert shown[-1][0] == 100


def test_generated_keys_go_on_after_the_move(
    house: House, databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh("postgresql", tmp_path) as there:
        server = create_engine(there)
        copy_database(house.engine, server, lambda *_: None)
        moved = House(house.config, server, tmp_path / "journal", house.environ)
        moved.archive("ANOTHER")
        moved.submit(product="ANOTHER")
        with server.connect() as connection:
            assert products.get(connection, "ANOTHER") is not None


def test_rows_that_are_there_already_are_not_mixed_with_others(
    house: House, databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh("postgresql", tmp_path) as there:
        server = create_engine(there)
        with server.begin() as connection:
            connection.execute(insert(cell).values(name="31TCJ", x0=0, y0=0, x1=0, y1=0))

        with pytest.raises(SchemaError, match="the table cell of the database to copy to"):
            copy_database(house.engine, server, lambda *_: None)


def test_a_database_without_tables_is_refused(
    house: House, databases: Databases, tmp_path: Path
) -> None:
    with (
        databases.fresh("postgresql", tmp_path, is_migrated=False) as there,
        pytest.raises(SchemaError, match="at schema None, expected"),
    ):
        copy_database(house.engine, create_engine(there), lambda *_: None)
