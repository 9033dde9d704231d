"""Requests and recalls of the release before, brought up to date and worked off."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from catalog_db import migrations, times
from catalog_db.archive import claims, recalls, request_views, requests
from catalog_db.engine import Engine, create_engine

BEFORE = "0008"
ASKED_US = 1_600_000_000_000_000


@pytest.fixture
def upgraded(empty_database_url: str) -> Iterator[Engine]:
    engine = create_engine(empty_database_url)
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    tables = sa.MetaData()
    tables.reflect(engine, only=["file", "replica", "recall", "request", "request_file"])
    with engine.begin() as connection:
        for name, rows in _rows().items():
            connection.execute(tables.tables[name].insert(), rows)
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


def _rows() -> dict[str, list[dict[str, object]]]:
    """A file ready and pinned, one being verified, one queued; the room of the second reserved."""
    file = {
        "size_bytes": 10,
        "checksum_algorithm": "sha256",
        "checksum": "0" * 64,
        "backend": "simtape",
        "created_us": 0,
    }
    recall = {"created_us": ASKED_US, "not_before_us": ASKED_US}
    replica = {"size_bytes": 10, "last_access_us": ASKED_US}
    held = {"owner": "dead", "lease_until_us": ASKED_US, "attempt": 1}
    not_held = {"owner": None, "lease_until_us": None, "attempt": 0}
    pin = times.to_us(times.now() + timedelta(hours=1))
    return {
        "file": [{"id": n, "path": f"S1/{n}.zip", **file} for n in (1, 2, 3)],
        "replica": [
            {"file": 1, "path": "S1/1.zip", "state": "ready", **replica},
            {"file": 2, "path": "S1/2.zip", "state": "reserved", **replica},
        ],
        "recall": [
            {"id": 1, "file": 1, "state": "done", **recall, **not_held},
            {"id": 2, "file": 2, "state": "verifying", **recall, **held},
            {"id": 3, "file": 3, "state": "queued", **recall, **not_held},
        ],
        "request": [
            {"id": "r", "user": "u", "purpose": "p", "created_us": ASKED_US, "pin_lifetime_s": 60}
        ],
        "request_file": [
            {"request": "r", "file": 1, "state": "ready", "pin_until_us": pin},
            {"request": "r", "file": 2, "state": "waiting", "pin_until_us": None},
            {"request": "r", "file": 3, "state": "waiting", "pin_until_us": None},
        ],
    }


def test_requests_keep_their_files_users_and_times(upgraded: Engine):
    with upgraded.connect() as connection:
        (listed,) = request_views.list_requests(connection, user="u")
        rows = connection.exec_driver_sql('SELECT DISTINCT asked_us, "user" FROM request_file')
        assert [tuple(row) for row in rows] == [(ASKED_US, "u")]
        assert requests.waits_of(connection, "u") == requests.Waits(2, 20)
    assert listed.files == {"ready": 1, "waiting": 2}


def test_what_was_recalled_before_is_recalled_after(upgraded: Engine):
    now = times.now()
    with upgraded.begin() as connection:
        assert claims.recover_recalls(connection, now, max_attempts=3) == 1
    with upgraded.connect() as connection:
        pending = recalls.pending_recalls(connection, "simtape", now)
    assert {row.id for row in pending} == {2, 3}
    assert {row.users for row in pending} == {("u",)}
    with upgraded.begin() as connection:
        # There is room for one more file only: the one that was lost has kept its own.
        claimed = claims.claim_recalls(
            connection, [2, 3], "alive", budget_bytes=30, now=now, lease_s=60
        )
        assert [row.id for row in claimed] == [2, 3]
        assert all(claims.complete_recall(connection, row.id, "alive", now) for row in claimed)
    with upgraded.connect() as connection:
        (listed,) = request_views.list_requests(connection, user="u")
    assert listed.files == {"ready": 3}


def test_states_that_said_nothing_are_refused(upgraded: Engine):
    for statement in (
        "UPDATE recall SET state = 'verifying'",
        "UPDATE replica SET state = 'reserved'",
    ):
        with pytest.raises(sa.exc.IntegrityError), upgraded.begin() as connection:
            connection.exec_driver_sql(statement)
