"""What is kept of requests and recalls after their end, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from catalog_db import times
from catalog_db.archive import ended, shares
from catalog_db.tables import file, recall, recalled_for, request, request_file
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld
from tests.query_plans import reads_all_of, recorded, steps_of

KEPT = timedelta(days=90)
LONG_AGO = times.now() - timedelta(days=91)


def let_all_be_long_ago(world: ArchiveWorld) -> None:
    """Move everything that has happened so far into the past, ends of pins excepted."""
    old = times.to_us(LONG_AGO)
    with world.engine.begin() as connection:
        connection.execute(update(request).values(created_us=old))
        was_released = request.c.released_us.is_not(None)
        connection.execute(update(request).where(was_released).values(released_us=old))
        connection.execute(update(request_file).values(asked_us=old))
        for table in (request_file, recall):
            has_ended = table.c.finished_us.is_not(None)
            connection.execute(update(table).where(has_ended).values(finished_us=old))
        connection.execute(update(recalled_for).values(hour=recalled_for.c.hour - 25))


def left(world: ArchiveWorld, column: Any) -> set[Any]:
    with world.engine.connect() as connection:
        return set(connection.execute(select(column)).scalars())


def forget(world: ArchiveWorld) -> bool:
    now = times.now()
    with world.engine.begin() as connection:
        return ended.forget_ended(connection, now, now - KEPT)


def test_what_ended_long_ago_goes_and_nothing_that_is_still_wanted(world: ArchiveWorld) -> None:
    uids = [world.add(f"P{n}", bytes([n])) for n in range(5)]
    released = world.archive.request([uids[0]], user="u", purpose="released")
    pinned = world.archive.request([uids[1]], user="u", purpose="pinned")
    while world.service().run_once():
        pass
    world.archive.release(released)
    world.tape_file("P2").unlink()
    world.archive.request([uids[2]], user="u", purpose="failed")
    world.service(RecallPolicy(max_attempts=1)).run_once()
    cancelled = world.archive.request([uids[3]], user="u", purpose="cancelled")
    world.archive.cancel(cancelled)
    waiting = world.archive.request([uids[4]], user="u", purpose="waiting")
    let_all_be_long_ago(world)
    latest = world.archive.request([uids[0]], user="u", purpose="released")

    assert not forget(world)
    assert left(world, request.c.id) == {pinned, waiting, latest}
    assert left(world, request_file.c.request) == {pinned, waiting, latest}
    assert left(world, recall.c.state) == {"queued"}
    assert left(world, recalled_for.c.user) == set()
    assert len(left(world, file.c.id)) == 5
    assert world.archive.status(pinned).ready
    assert world.service().run_once() == 1
    assert world.archive.status(waiting).ready


@pytest.mark.one_database
def test_what_ended_lately_is_told_of_and_a_batch_goes_at_a_time(
    world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended, "BATCH", 2)
    for number in range(5):
        uid = world.add(f"P{number}", b"bytes")
        world.archive.release(world.archive.request([uid], user="u", purpose=str(number)))
    let_all_be_long_ago(world)
    uid = world.add("NEW", b"bytes")
    request_id = world.archive.request([uid], user="u", purpose="new")
    world.service().run_once()
    world.archive.release(request_id)

    assert [forget(world) for _ in range(3)] == [True, True, False]
    assert left(world, request.c.id) == {request_id}
    assert left(world, recall.c.state) == {"done"}
    with world.engine.connect() as connection:
        assert shares.served_bytes(connection, times.now()) == {"u": 5}


def test_what_ended_is_found_without_a_look_at_what_has_not(world: ArchiveWorld) -> None:
    with recorded(world.engine) as statements:
        forget(world)
    with world.engine.connect() as connection:
        steps = [step for one in statements[-2:] for step in steps_of(connection, *one)]
    for index in ("ix_request_released", "ix_request_age"):
        assert any(index in step for step in steps)
    of_requests = [step for step in steps if "ix_task_request" not in step]
    assert not reads_all_of("request", of_requests)
    assert not reads_all_of("request_file", of_requests)


@pytest.mark.one_database
def test_the_recall_service_forgets_now_and_then(world: ArchiveWorld) -> None:
    uid = world.add("P1", b"bytes")
    world.archive.release(world.archive.request([uid], user="u", purpose="p"))
    let_all_be_long_ago(world)
    world.start_engine()
    assert left(world, request.c.id) == left(world, recall.c.id) == set()
