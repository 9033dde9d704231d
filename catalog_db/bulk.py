"""Filling an empty catalogue from prepared rows: millions of products in minutes.

Indexes, counts and (on PostgreSQL) foreign keys are dropped first and made when all rows are in.
On SQLite commits do not wait for the disk meanwhile: a program that is killed leaves a readable
database, a power cut may not. Either way a load that did not end is repeated with a new database.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.schema import AddConstraint, DropConstraint

from catalog_db.catalogue import counts, statistics
from catalog_db.catalogue.cells import HomeCell
from catalog_db.catalogue.kinds import Kind, ensure_kinds
from catalog_db.catalogue.storing import widen_cells
from catalog_db.errors import CatalogError
from catalog_db.locks import Subject, hold
from catalog_db.tables import item

logger = logging.getLogger(__name__)

# Pages of the database that SQLite keeps while it sorts an index, KiB.
_CACHE_KIB = 512 * 1024


class NotEmptyError(CatalogError):
    """A bulk load is for an empty catalogue."""

    def __str__(self) -> str:
        return "the catalogue holds products already: take them in one by one"


@dataclass(frozen=True)
class Batch:
    """Rows of `item`, column by column.

    Parameters
    ----------
    kinds, homes
        Positions in the kinds and homes of the load, shape (row,).
    columns
        The other columns but the key: as many values each.
    """

    kinds: NDArray[np.int64]
    homes: NDArray[np.int64]
    columns: Mapping[str, Sequence[Any]]


def load(
    engine: Engine, kinds: Sequence[Kind], homes: Sequence[HomeCell], batches: Iterable[Batch]
) -> int:
    """Fill an empty catalogue; return the number of products.

    Parameters
    ----------
    engine
        Of a migrated database that nobody else writes to.
    kinds, homes
        All that the batches refer to.
    batches
        Rows in the order of their keys. Their columns hold what the database stores: bytes of
        `uid` and `checksum`, well-known binary of `footprint`, JSON of `properties`.

    Raises
    ------
    NotEmptyError
        When there are products already.
    """
    is_postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        hold(connection, Subject.CATALOGUE)
        if connection.scalar(select(func.count()).select_from(item.select().limit(1).subquery())):
            raise NotEmptyError
        revision = counts.next_revision(connection)
        kind_keys = ensure_kinds(connection, kinds, revision)
        cell_keys = widen_cells(connection, homes, revision)
        _drop_indexes(connection)
    keys_of_kinds = np.array([kind_keys[kind] for kind in kinds], np.int64)
    keys_of_homes = np.array([cell_keys[home.name] for home in homes], np.int64)
    insert = _copy if is_postgresql else _insert_many
    _relax(engine)
    number = 0
    for batch in batches:
        number += insert(engine, _columns(batch, keys_of_kinds, keys_of_homes))
        logger.debug("%d products are in", number)
    _finish(engine)
    return number


def _columns(
    batch: Batch, kinds: NDArray[np.int64], homes: NDArray[np.int64]
) -> dict[str, Sequence[Any]]:
    """Return all columns of a batch, keys looked up."""
    return {
        "kind": kinds[batch.kinds].tolist(),
        "cell": homes[batch.homes].tolist(),
        **batch.columns,
    }


def _drop_indexes(connection: Connection) -> None:
    for index in item.indexes:
        index.drop(connection)
    if connection.dialect.name == "postgresql":
        for constraint in item.foreign_key_constraints:
            connection.execute(DropConstraint(constraint))


def _relax(engine: Engine) -> None:
    """On SQLite, let the only connection in the pool not wait for the disk."""
    if engine.dialect.name == "sqlite":
        engine.dispose()
        _set(engine, {"synchronous": "OFF", "cache_size": -_CACHE_KIB, "threads": 2})


def _set(engine: Engine, settings: Mapping[str, str | int]) -> None:
    """Set up the connection that the pool of an SQLite engine holds."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        for name, value in settings.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()
    finally:
        connection.close()


def _insert_many(engine: Engine, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert rows by the driver: SQLAlchemy would make a dictionary of each."""
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO item ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 (names of ours)
    rows = list(zip(*columns.values(), strict=True))
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, rows)
    return len(rows)


def _copy(engine: Engine, columns: Mapping[str, Sequence[Any]]) -> int:
    """Insert rows by COPY."""
    rows = list(zip(*columns.values(), strict=True))
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        statement = f"COPY item ({', '.join(columns)}) FROM STDIN"
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    return len(rows)


def _finish(engine: Engine) -> None:
    """Make indexes and counts, and let the database wait for the disk again."""
    for index in sorted(item.indexes, key=lambda index: str(index.name)):
        with engine.begin() as connection:
            index.create(connection)
        logger.info("made %s", index.name)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            for constraint in item.foreign_key_constraints:
                connection.execute(AddConstraint(constraint, isolate_from_table=False))
        counts.rebuild(connection, counts.next_revision(connection))
        statistics.rebuild(connection)
    if engine.dialect.name == "sqlite":
        _set(engine, {"synchronous": "FULL"})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE) item"))
            connection.execute(text("ANALYZE"))
