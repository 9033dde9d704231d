"""Moving to another database: every row of every table, in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select, text

from catalog_db import migrations
from catalog_db.errors import SchemaError
from catalog_db.locks import Subject, hold, wait_without_limit
from catalog_db.tables import catalogue_revision, metadata

_BATCH = 5000


def copy_database(
    source: Engine, target: Engine, progress: Callable[[float, str], None]
) -> dict[str, int]:
    """Copy all rows from one database into another one that has none; return how many by table.

    Nothing should write to the source meanwhile: what came after the beginning is not copied.

    Parameters
    ----------
    source, target
        Both at the newest schema.
    progress
        Told the percentage of the rows that are there, and the table, now and then.

    Raises
    ------
    SchemaError
        When one of them has another schema, or the target holds rows already.
    """
    for engine in (source, target):
        found = migrations.current(engine)
        if found != migrations.newest():
            raise SchemaError(f"a database is at schema {found}, expected {migrations.newest()}")
    copied = dict.fromkeys(metadata.tables, 0)
    with source.connect() as reader, target.begin() as writer:
        wait_without_limit(writer)
        hold(writer, Subject.SCHEMA)
        writer.execute(delete(catalogue_revision))  # the one row that a migration makes
        for table in metadata.sorted_tables:
            if _count(writer, table):
                raise SchemaError(f"the table {table.name} of the database to copy to holds rows")
        whole = sum(_count(reader, table) for table in metadata.sorted_tables)
        for table in metadata.sorted_tables:
            for rows in _batches(reader, table):
                writer.execute(insert(table), [dict(row._mapping) for row in rows])
                copied[table.name] += len(rows)
                progress(100 * sum(copied.values()) / whole, table.name)
            _continue_numbers(writer, table)
    return copied


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Give the rows of a table in the order of their keys."""
    query = select(table).order_by(*table.primary_key.columns)
    options = {"yield_per": _BATCH}
    yield from connection.execute(query, execution_options=options).partitions()


def _continue_numbers(connection: Connection, table: Table) -> None:
    """Let PostgreSQL go on after the last generated key; SQLite does so by itself."""
    key = table.autoincrement_column
    if connection.dialect.name != "postgresql" or key is None:
        return
    last = connection.execute(select(func.max(key))).scalar_one()
    if last is not None:
        sequence = {"table": f'"{table.name}"', "column": key.name, "last": last}
        statement = "SELECT setval(pg_get_serial_sequence(:table, :column), :last)"
        connection.execute(text(statement), sequence)
