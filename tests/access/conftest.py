"""A service that asks who calls: two users, an operator, one restricted process."""

import base64
import functools
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from catalog_db import times
from catalog_db.access import users
from catalog_db.access.users import Holder, Right, User
from peps_wps.access import tokens
from peps_wps.access.passwords import hash_password
from peps_wps.app import Application, create_app
from tests.archive_world import ArchiveWorld
from tests.wps.stand_in import Echo, FullMaja, Ledger

PASSWORDS = {
    "ada@example.org": "correct horse",
    "eve": "battery staple é",
    "operator": "quite another one",
}


def basic(name: str, password: str | None = None, encoding: str = "utf-8") -> dict[str, str]:
    """Return the header of HTTP Basic."""
    content = f"{name}:{PASSWORDS[name] if password is None else password}".encode(encoding)
    return {"Authorization": f"Basic {base64.b64encode(content).decode()}"}


class ClosingClient(Client):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, **{**options, "buffered": True})


@dataclass
class Service:
    """The application and what stands behind it."""

    world: ArchiveWorld
    app: Application

    @property
    def client(self) -> Client:
        return ClosingClient(self.app)

    def token(self, user: str, lasts: timedelta = timedelta(days=1)) -> str:
        return tokens.issue(self.world.engine, user, label="test", lasts=lasts)[0]

    def disable(self, user: str) -> None:
        with self.world.engine.begin() as connection:
            users.set_disabled(connection, user, is_disabled=True)


@functools.cache
def users_database() -> bytes:
    """Return a database with the users: made once, since hashes and migrations take their time."""
    with tempfile.TemporaryDirectory() as folder:
        world = ArchiveWorld(Path(folder))
        with world.engine.begin() as connection:
            for name, password in PASSWORDS.items():
                groups = frozenset({"radar"} if name == "ada@example.org" else ())
                stored = hash_password(password)
                is_operator = name == "operator"
                users.add(connection, User(name, times.now(), stored, is_operator, groups=groups))
            users.grant(connection, Right("FULL_MAJA", Holder("group", "radar")))
        world.engine.dispose()
        return (Path(folder) / "catalog.db").read_bytes()


def serve(root: Path, **environ: str) -> Service:
    root.mkdir(exist_ok=True)
    (root / "catalog.db").write_bytes(users_database())
    settings = {"PEPS_AUTH_MODE": "basic", "PEPS_AUTH_RESTRICTED": "FULL_MAJA", **environ}
    world = ArchiveWorld(root, **settings)
    return Service(world, create_app(world.config, world.engine, processes=(FullMaja, Echo)))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return serve(tmp_path / "var")


@pytest.fixture
def client(service: Service) -> Client:
    return service.client


@pytest.fixture
def ledger(service: Service, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    ledger = Ledger(service.world.engine, service.world.config)
    monkeypatch.setattr("peps_wps.jobs.submit", ledger.submit)
    monkeypatch.setattr("peps_wps.jobs.dismiss", ledger.dismiss)
    return ledger
