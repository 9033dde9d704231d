"""Connections to the catalogue: SQLite on one machine, PostgreSQL beyond it.

``engine.begin()`` is a write transaction and ``engine.connect()`` is for reading: it sees one
snapshot, and neither waits for a writer nor stops one.

On SQLite:

- Write transactions start with ``BEGIN IMMEDIATE``: the write lock is taken before the first read,
  so what a transaction read is still true when it writes, and a claim is atomic. A transaction that
  began as a reader could only fail with "database is locked" when it turns writer after another's
  commit; no waiting helps there.
- Readers start with ``BEGIN``; with the write-ahead log that is a snapshot.
- ``synchronous = FULL``: a commit is on the disk before it is acknowledged. An accepted job or a
  recall request must survive a power cut; ``NORMAL`` would lose the last commits. It costs one
  fsync a commit, hundreds of commits a second, where the service makes a few.

SQLAlchemy emits BEGIN itself, the driver's own transaction control being off: "Using SQLAlchemy to
emit BEGIN in lieu of SQLite's transaction control", SQLAlchemy 2.1, dialects, SQLite.

On PostgreSQL:

- Write transactions are READ COMMITTED: many at once, a statement sees what was committed before
  it. Where more is needed than one statement gives, `catalog_db.locks` excludes other writers.
- Readers are REPEATABLE READ, READ ONLY.
- A session that waits `BUSY_TIMEOUT_S` for a lock fails, as on SQLite, and the server ends one that
  does nothing inside its transaction for `IDLE_TIMEOUT_S`, so that a stopped process or a lost
  machine does not keep what it holds.
- A process has `MOST_CONNECTIONS` at most, however many threads; the others wait for one of them.
  One that the server has closed, at its restart, is replaced when it is next wanted.

Connections are pooled: opening one costs the reading of the schema or a process of the server, and
closing the last one on SQLite folds the whole log back into the database. No connection may be
carried over ``fork``, even to close it there (sqlite.org/howtocorrupt.html, 2.6), so idle ones are
closed before every fork of this process.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

__all__ = ["BUSY_TIMEOUT_S", "MOST_CONNECTIONS", "Connection", "Engine", "create_engine"]

BUSY_TIMEOUT_S = 30
IDLE_TIMEOUT_S = 60
MOST_CONNECTIONS = 10  # of a process, on PostgreSQL
_KEPT_CONNECTIONS = 4
_WRITES = "peps_writes"
# Search reads a few hundred pages at random places: mapped pages cost no system call each.
_MAPPED_BYTES = 1 << 34
# Rows of 300 bytes fill it better than the usual 4096: 130 MB less at 17.7 million products.
_PAGE_BYTES = 8192

_engines: "WeakSet[Engine]" = WeakSet()


# A machine that was lost is noticed after a minute, on either side.
_CLIENT_SETTINGS = {
    "application_name": "peps",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_SERVER_SETTINGS = f"""
    SET lock_timeout = '{BUSY_TIMEOUT_S}s';
    SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
"""


class _TransactionEngine(Engine):
    """An engine whose ``begin`` announces that the transaction is going to write."""

    writing: ClassVar[Mapping[str, Any]] = {_WRITES: True}

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as connection:
            connection.execution_options(**self.writing)  # of this connection, in place
            with connection.begin():
                yield connection


class _ServerEngine(_TransactionEngine):
    """The same on PostgreSQL: all that is said goes along with BEGIN, no message more."""

    writing = MappingProxyType({"isolation_level": "READ COMMITTED", "postgresql_readonly": False})


def create_engine(url: str) -> Engine:
    """Return an engine on the database at `url`; nothing is opened yet.

    Parameters
    ----------
    url
        As SQLAlchemy writes it. The folder of an SQLite file is made when it is missing.
    """
    parsed = sqlalchemy.make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    engine = _sqlite_engine(parsed) if is_sqlite else _postgresql_engine(parsed)
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


def _postgresql_engine(url: sqlalchemy.URL) -> Engine:
    """Return an engine on a server, with the transaction rules of this module."""
    plain = sqlalchemy.create_engine(
        # What the address itself says goes first.
        url.update_query_dict({**_CLIENT_SETTINGS, **url.query}),
        pool_pre_ping=True,
        pool_size=_KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS - _KEPT_CONNECTIONS,
        pool_timeout=BUSY_TIMEOUT_S,
    )
    engine = _ServerEngine(plain.pool, plain.dialect, url)
    engine.update_execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    event.listen(engine, "connect", _configure_session)
    return engine


@cache
def _text_dumper() -> type:
    """Return what sends text: PostgreSQL has no null character, its usual stand-in takes its place.

    Messages of libraries hold some now and then; an error that cannot be written would be worse.
    """
    from psycopg.types.string import StrDumperUnknown  # the driver is there where it is wanted

    class TextDumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\x00", "\ufffd"))

    return TextDumper


def _configure_session(dbapi_connection: DBAPIConnection, _record: object) -> None:
    """Set up a new session of PostgreSQL."""
    driver: Any = dbapi_connection
    driver.adapters.register_dumper(str, _text_dumper())
    driver.autocommit = True
    driver.execute(_SERVER_SETTINGS)
    driver.autocommit = False


def _configure(dbapi_connection: DBAPIConnection, _record: object) -> None:
    """Set up a new SQLite connection."""
    driver: Any = dbapi_connection
    driver.isolation_level = None  # no BEGIN by the driver
    cursor = driver.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    cursor.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of a file that is made now
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
