"""Databases for tests: SQLite files, and databases of a PostgreSQL server that the tests start.

The server sorts text by the rules of English (ICU), not by code points: what relies on the order of
bytes must say so. It does not wait for the disk (``fsync = off``), which loses nothing when
PostgreSQL is killed or restarted, only when the machine dies.
"""

import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Pool, event, make_url

from catalog_db import engine as catalog_engine
from catalog_db.engine import create_engine
from catalog_db.migrations import upgrade

KINDS = ("sqlite", "postgresql")
# Whose tests run on both.
ON_BOTH = ("catalog_db", "jobs", "staging")

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "autovacuum": "off",
}


class PostgresServer:
    """A server in a temporary folder, reached by its socket there; it ends with this process."""

    def __init__(self, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="peps-postgresql-"))
        self._programs = _programs()
        self._settings = {**_SETTINGS, "unix_socket_directories": str(self.folder), **settings}
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        options = "--no-sync --auth=trust --username=peps --encoding=UTF8 --locale=C.UTF-8"
        collation = "--locale-provider=icu --icu-locale=en-US"
        command = self._command("initdb", *options.split(), *collation.split())
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            command = self._command("postgres", *options)
            self._process = subprocess.Popen(command, cwd=self.folder, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop(self, kind: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends its sessions, SIGQUIT is a crash of all its processes."""
        assert self._process is not None
        self._process.send_signal(kind)
        self._process.wait()

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """Return the address of a database as SQLAlchemy writes it."""
        return f"postgresql+psycopg://peps@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Execute a statement of the administrator, outside any transaction."""
        with psycopg.connect(
            host=str(self.folder), user="peps", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def _command(self, program: str, *options: str) -> list[str]:
        """Return a command that runs as somebody whom PostgreSQL accepts, and dies with us."""
        command = [str(self._programs / program), f"--pgdata={self.folder / 'data'}", *options]
        if program == "postgres":
            command[1:2] = ["-D", str(self.folder / "data")]
        user = "--reuid=postgres --regid=postgres --clear-groups" if os.geteuid() == 0 else ""
        return ["setpriv", "--pdeathsig=INT", *user.split(), "--", *command]


class Databases:
    """Makes databases for tests; the server and what is copied are made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    @contextmanager
    def fresh(self, kind: str, folder: Path, *, is_migrated: bool = True) -> Iterator[str]:
        """Give the address of a new database, empty or with all tables; it goes with the block."""
        if kind == "sqlite":
            file = folder / "catalog.db"
            if is_migrated:
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._migrated_file, file)
            url = f"sqlite:///{file}"
            yield url
            _dispose_engines(url)
            return
        server, name = self.server, f"test_{next(self._numbers)}"
        template = self._template if is_migrated else "template0"
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            with _closing_all():
                yield server.url(name)
                _dispose_engines(server.url(name))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """End the server."""
        if "server" in vars(self):
            self.server.remove()

    @functools.cached_property
    def server(self) -> PostgresServer:
        """The server of all tests of this process."""
        return PostgresServer()

    @functools.cached_property
    def _migrated_file(self) -> Path:
        file = self._folder / "migrated.db"
        _migrate(f"sqlite:///{file}")
        return file

    @functools.cached_property
    def _template(self) -> str:
        self.server.execute("CREATE DATABASE migrated")
        _migrate(self.server.url("migrated"))
        return "migrated"


def is_on_both(test: pytest.Item) -> bool:
    """Tell whether a test runs on both kinds of database by where it lies."""
    if test.get_closest_marker("one_database") and os.environ.get("PEPS_DRILLS") != "1":
        return False
    return any(part in ON_BOTH for part in test.path.parts)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs, or skip the test that wants them."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = [*newest_first, *filter(None, [shutil.which("initdb")])]
    if not found or shutil.which("setpriv") is None:
        pytest.skip("no PostgreSQL server: neither /usr/lib/postgresql/*/bin nor PATH has initdb")
    return Path(found[0]).parent


def _migrate(url: str) -> None:
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()


@contextmanager
def _closing_all() -> Iterator[None]:
    """Close every connection of the block, those of engines too that nobody knows any more."""
    opened: list[Any] = []

    def remember(connection: Any, _record: object) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", remember)
    try:
        yield
    finally:
        event.remove(Pool, "connect", remember)
        for connection in opened:
            connection.close()


def _dispose_engines(url: str) -> None:
    """Close the connections that this process has left in pools on a database."""
    for engine in list(catalog_engine._engines):
        if engine.url == make_url(url):
            engine.dispose()
