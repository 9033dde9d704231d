"""What outlasts a lease: slow disks, databases that are away, clocks that are set."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from catalog_db import times
from catalog_db.archive import claims
from catalog_db.tables import item, placement, recall
from peps_wps.staging.ledgers import RecallRows
from storage import batch_reading
from storage.backends.tape_folder import TapeFolder
from storage.errors import LedgerError
from storage.part_file import PartFile
from storage.pool import Pool
from storage.recall import RecallPolicy
from tests.archive_world import HASTY, ArchiveWorld
from tests.patience import stretched, until

# Renewed every second.
PATIENT = RecallPolicy(max_attempts=3, idle_s=0.01, error_pause_s=0.01)


def wait_for_renewal(monkeypatch: pytest.MonkeyPatch, kind: type, method: str) -> list[bool]:
    """Have a method wait until a lease is renewed meanwhile; return what came of each call."""
    renewed, seen = Event(), []
    renew, original = RecallRows.renew, getattr(kind, method)

    def renewing(*arguments: Any) -> set[int]:
        held = renew(*arguments)
        renewed.set()
        return held

    def waiting(*arguments: Any) -> Any:
        renewed.clear()
        seen.append(renewed.wait(stretched(20)))
        return original(*arguments)

    monkeypatch.setattr(RecallRows, "renew", renewing)
    monkeypatch.setattr(kind, method, waiting)
    return seen


@pytest.mark.one_database
def test_the_lease_is_renewed_while_bytes_are_forced_to_a_slow_disk(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.add("P1", b"bytes")
    world.archive.request([uid], user="u", purpose="p")
    seen = wait_for_renewal(monkeypatch, PartFile, "sync")
    monkeypatch.setattr(PartFile, "publish", publish_without_sync)
    assert world.service(PATIENT).run_once() == 1
    assert seen == [True]


def publish_without_sync(part: PartFile, destination: Any) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    part.path.replace(destination)
    part._published = True


@pytest.mark.one_database
def test_the_lease_is_renewed_while_a_file_that_may_be_adopted_is_digested(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.add("P1", b"bytes")
    world.archive.request([uid], user="u", purpose="p")
    path = world.pool_file("P1")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"bytes")
    seen = wait_for_renewal(monkeypatch, Pool, "holds")
    assert world.service(PATIENT).run_once() == 1
    assert seen == [True]


AWAY = OperationalError("UPDATE", {}, Exception("server closed the connection"))
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(
    times: int, original: Callable[..., Any], error: Exception = AWAY
) -> Callable[..., Any]:
    """Return what fails so often, as with a database that is away, and then works."""
    failures = iter(range(times))

    def fail_at_first(*arguments: Any, **options: Any) -> Any:
        if next(failures, None) is not None:
            raise error
        return original(*arguments, **options)

    return fail_at_first


@pytest.mark.one_database
@pytest.mark.parametrize("statement", ["renew_leases", "complete_recall", "requeue_recalls"])
def test_a_database_that_is_away_for_a_moment_costs_a_recall_nothing(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    service = world.service(replace(HASTY, lease_s=30.0))
    monkeypatch.setattr(claims, statement, failing(3, getattr(claims, statement)))
    if statement == "requeue_recalls":
        monkeypatch.setattr(TapeFolder, "remember", failing(1, TapeFolder.remember, FULL))
        assert service.run_once() == 0
        (row,) = world.recalls()
        assert (row.state, row.attempt, row.owner) == ("queued", 0, None)
        assert row.error == "a file could not be read or written: No space left on device"
    until(service.run_once)
    assert world.archive.status(request).ready
    assert [(row.state, row.attempt) for row in world.recalls()] == [("done", 1)]


@pytest.mark.one_database
def test_a_file_that_cannot_be_marked_ready_keeps_its_room(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.add("P1", b"bytes")
    world.archive.request([uid], user="u", purpose="p")
    service, stop = world.service(replace(HASTY, lease_s=30.0)), Event()
    refuse = failing(10**6, claims.complete_recall)

    def refuse_and_stop(*arguments: Any) -> Any:
        stop.set()
        return refuse(*arguments)

    monkeypatch.setattr(claims, "complete_recall", refuse_and_stop)
    service.run(stop)
    assert world.pool_file("P1").exists()
    assert world.archive.pool_state().used_bytes == 5


def test_a_clock_that_was_set_back_holds_up_no_recall(world: ArchiveWorld) -> None:
    lost, pausing = world.add("P1", b"bytes"), world.add("P2", b"more")
    request = world.archive.request([lost, pausing], user="u", purpose="p")
    in_a_day = times.to_us(times.now() + timedelta(days=1))
    first, second = (row.id for row in world.recalls())
    with world.engine.begin() as connection:
        held = {"state": "running", "owner": "dead", "attempt": 1, "lease_until_us": in_a_day}
        connection.execute(update(recall).where(recall.c.id == first).values(**held))
        connection.execute(
            update(recall).where(recall.c.id == second).values(not_before_us=in_a_day)
        )
    policy = RecallPolicy(lease_s=0.01, backoff_s=0.001, idle_s=0.01)
    engine = world.service(policy).engines["simtape"]

    def comes() -> bool:
        engine._next_recovery = 0.0
        engine._keep_up()
        world.service(replace(HASTY, lease_s=30.0)).run_once()
        return world.archive.status(request).ready

    until(comes)
    assert {row.title: row.attempt for row in attempts(world)} == {"P1": 2, "P2": 1}


@pytest.mark.one_database
def test_a_clock_set_forward_gives_the_others_time_to_renew_their_leases(
    world: ArchiveWorld,
) -> None:
    world.archive.request([world.add("P1", b"bytes")], user="u", purpose="p")
    engine = world.service(PATIENT).engines["simtape"]
    engine._keep_up()
    held = {"state": "running", "owner": "alive", "attempt": 1, "lease_until_us": 1}
    with world.engine.begin() as connection:
        connection.execute(update(recall).values(**held))
    engine._next_recovery = 0.0
    engine._clock = lambda: times.now() + timedelta(hours=1)
    engine._keep_up()
    assert [row.owner for row in world.recalls()] == ["alive"]

    engine._next_recovery = 0.0  # the grace is over
    engine._keep_up()
    assert [row.owner for row in world.recalls()] == [None]


@pytest.mark.one_database
def test_all_that_is_noted_in_one_outage_shares_its_patience(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.archive.request([world.add("P1", b"bytes")], user="u", purpose="p")
    refused: list[str] = []

    def refuse(what: str) -> None:
        refused.append(what)
        raise LedgerError(what)

    monkeypatch.setattr(batch_reading, "PATIENCE_S", 0.0)
    for what in ("complete", "note_drive"):
        monkeypatch.setattr(RecallRows, what, lambda *_, what=what: refuse(what))
    with pytest.raises(LedgerError):
        world.service().run_once()
    assert refused == ["complete", "complete", "note_drive"]


def attempts(world: ArchiveWorld) -> list[Any]:
    with world.engine.connect() as connection:
        return list(
            connection.execute(
                select(item.c.title, recall.c.attempt)
                .join_from(recall, placement, placement.c.file == recall.c.file)
                .join(item, item.c.pk == placement.c.item)
            )
        )
