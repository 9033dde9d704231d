"""Connections to the catalogue: SQLite on one machine, PostgreSQL beyond it.

``engine.begin()`` is a write transaction and ``engine.connect()`` is for reading. On SQLite:

- Write transactions start with ``BEGIN IMMEDIATE``: the write lock is taken before the first read,
  so what a transaction read is still true when it writes, and a claim is atomic. A transaction that
  began as a reader could only fail with "database is locked" when it turns writer after another's
  commit; no waiting helps there.
- Readers start with ``BEGIN`` and see one snapshot; with the write-ahead log they neither wait
  for the writer nor stop it.
- ``synchronous = FULL``: a commit is on the disk before it is acknowledged. An accepted job or a
  recall request must survive a power cut; ``NORMAL`` would lose the last commits. It costs one
  fsync a commit, hundreds of commits a second, where the service makes a few.

SQLAlchemy emits BEGIN itself, the driver's own transaction control being off: "Using SQLAlchemy to
emit BEGIN in lieu of SQLite's transaction control", SQLAlchemy 2.1, dialects, SQLite.

Connections are pooled: opening one reads the schema, and closing the last one folds the whole log
back into the database. SQLite forbids to carry a connection over ``fork``, even to close it there
(sqlite.org/howtocorrupt.html, 2.6), so idle ones are closed before every fork of this process.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

__all__ = ["BUSY_TIMEOUT_S", "Connection", "Engine", "create_engine"]

BUSY_TIMEOUT_S = 30
_WRITES = "peps_writes"
# Search reads a few hundred pages at random places: mapped pages cost no system call each.
_MAPPED_BYTES = 1 << 30

_engines: "WeakSet[Engine]" = WeakSet()


class _TransactionEngine(Engine):
    """An engine whose ``begin`` announces that the transaction is going to write."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as connection:
            connection.execution_options(**{_WRITES: True})  # of this connection, in place
            with connection.begin():
                yield connection


def create_engine(url: str) -> Engine:
    """Return an engine on the database at `url`; nothing is opened yet.

    Parameters
    ----------
    url
        As SQLAlchemy writes it. The folder of an SQLite file is made when it is missing.
    """
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    else:
        engine = _sqlite_engine(parsed)
    _engines.add(engine)
    return engine


def _sqlite_engine(url: sqlalchemy.URL) -> Engine:
    """Return an engine on an SQLite file, with the transaction rules of this module."""
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    plain = sqlalchemy.create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_timeout=BUSY_TIMEOUT_S, max_overflow=64
    )
    engine = _TransactionEngine(plain.pool, plain.dialect, plain.url)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(dbapi_connection: DBAPIConnection, _record: object) -> None:
    """Set up a new SQLite connection."""
    driver: Any = dbapi_connection
    driver.isolation_level = None  # no BEGIN by the driver
    cursor = driver.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch the database to its write-ahead log, for good.

    Where two processes open a new database at once, SQLite does not wait for the other's lock here
    (it could be a deadlock) whatever the busy timeout: wait in its place.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    """Begin a transaction: with the write lock when it came from ``engine.begin()``."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _close_idle_connections() -> None:
    for engine in list(_engines):
        engine.dispose()


def _forget_connections() -> None:
    """Give each engine of a forked child a new pool: a lock of the old one may be held for ever."""
    for engine in list(_engines):
        engine.dispose(close=False)


os.register_at_fork(before=_close_idle_connections, after_in_child=_forget_connections)
