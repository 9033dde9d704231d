"""What a recall does when the tape, a process or its luck fails."""

import errno
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from catalog_db.archive import claims, recalls
from catalog_db.tables import recall
from peps_wps.staging.ledgers import RecallRows
from storage.backends.simtape import SimulatedTape
from storage.errors import DriveDownError, NotHeldError
from storage.part_file import PartFile
from storage.recall import RecallPolicy
from tests.archive_world import HASTY
from tests.background import running
from tests.patience import until
from tests.staging.kills import STEPS, work_until_killed

# What it held when it died is free soon.
MORTAL = replace(HASTY, lease_s=0.5)
STATEMENT_OF = {
    "recover": (claims, "has_lost_recalls"),
    "pending": (recalls, "pending_recalls"),
    "claim": (claims, "claim_recalls"),
}


def flip_bit(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_a_flipped_bit_on_tape_is_retried_then_fails_with_its_reason(world, rng):
    uid = world.add("P1", rng.bytes(100_000))
    flip_bit(world.tape_file("P1"), 54_321)
    request = world.archive.request([uid], user="u", purpose="p")
    with running(world.service(RecallPolicy(max_attempts=3, backoff_s=0.01, idle_s=0.01))):
        until(lambda: world.archive.status(request).failed)

    (row,) = world.recalls()
    assert (row.state, row.attempt) == ("failed", 3)
    assert "failed 3 times: the checksum" in world.archive.status(request).failed
    assert not world.pool_file("P1").exists()
    assert world.archive.mode([uid]) == {uid: "tape"}


def test_a_bit_that_reads_well_at_the_second_attempt_costs_only_a_retry(world, rng):
    uid = world.add("P1", rng.bytes(100_000))
    flip_bit(world.tape_file("P1"), 0)
    request = world.archive.request([uid], user="u", purpose="p")
    service = world.service()
    assert service.run_once() == 0
    flip_bit(world.tape_file("P1"), 0)
    until(lambda: service.run_once() == 1)
    assert world.archive.status(request).ready
    assert world.archive.path(uid).read_bytes() == world.contents[uid]


@pytest.mark.parametrize(
    ("damage", "reason"), [("missing", "cannot be read"), ("short", "arrived")]
)
def test_a_tape_that_cannot_be_read_fails_with_its_reason(world, damage, reason):
    uid, good = world.add("P1", b"x" * 1000), world.add("P2", b"y" * 1000)
    if damage == "missing":
        world.tape_file("P1").unlink()
    else:
        os.truncate(world.tape_file("P1"), 500)
    request = world.archive.request([uid], user="u", purpose="p")
    other = world.archive.request([good], user="u", purpose="q")
    assert world.service(RecallPolicy(max_attempts=1)).run_once() == 1
    assert reason in world.archive.status(request).failed
    assert world.archive.status(other).ready


def test_two_services_recall_each_file_once(world, rng):
    uids = [world.add(f"P{n}", rng.bytes(20_000), collection=f"S{n % 3 + 1}") for n in range(30)]
    request = world.archive.request(uids, user="u", purpose="p")
    with running(world.service(), world.service()):
        until(lambda: world.archive.status(request).ready)
    assert Counter((row.state, row.attempt) for row in world.recalls()) == {("done", 1): 30}
    assert world.torn_files() == []


def test_200_requests_of_8_threads_for_40_files_cost_40_recalls(world, rng):
    uids = [world.add(f"P{n}", rng.bytes(5_000)) for n in range(40)]
    wanted = [[str(uid) for uid in rng.choice(uids, 5, replace=False)] for _ in range(192)]
    wanted += [uids[n : n + 5] for n in range(0, 40, 5)]

    def ask(number):
        return world.archive.request(wanted[number], user=f"u{number % 7}", purpose=f"p{number}")

    with running(world.service()), ThreadPoolExecutor(8) as pool:
        requests = list(pool.map(ask, range(200)))
        until(lambda: all(world.archive.status(request).ready for request in requests))
    assert Counter(row.state for row in world.recalls()) == {"done": 40}
    assert world.torn_files() == []


def test_a_stopped_service_gives_its_recalls_back_uncounted(open_world):
    world = open_world(PEPS_TAPE_SPEED="0.001")  # mounting takes more than an hour
    uid = world.add("P1", b"bytes")
    world.archive.request([uid], user="u", purpose="p")
    with running(world.service()):
        until(lambda: world.recalls()[0].state == "running")
    (row,) = world.recalls()
    assert (row.state, row.attempt, row.owner) == ("queued", 0, None)


def test_a_service_stopped_while_bytes_arrive_leaves_neither_a_part_nor_a_lease(
    world, rng, monkeypatch
):
    uid = world.add("P1", rng.bytes(20_000_000))
    world.archive.request([uid], user="u", purpose="p")
    write, stop = PartFile.write, Event()

    def write_and_stop(part, chunk):
        write(part, chunk)
        stop.set()

    monkeypatch.setattr(PartFile, "write", write_and_stop)
    world.service().run(stop)
    (row,) = world.recalls()
    assert (row.state, row.attempt, row.owner) == ("queued", 0, None)
    assert not world.pool_file("P1").exists()
    assert list(world.config.storage.path.glob(".part-*")) == []


@pytest.mark.parametrize("method", ["recover", "pending", "claim"])
def test_a_database_that_fails_for_a_moment_is_waited_for(world, monkeypatch, method):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    module, name = STATEMENT_OF[method]
    original, failures = getattr(module, name), [1, 2]

    def fail_at_first(*arguments, **options):
        if failures:
            failures.pop()
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        return original(*arguments, **options)

    monkeypatch.setattr(module, name, fail_at_first)
    # Others are given a lease to renew theirs before they are taken for dead.
    with running(world.service(replace(HASTY, lease_s=0.5))):
        until(lambda: world.archive.status(request).ready and not failures)


def test_a_pool_that_cannot_be_written_is_told_without_its_place(world):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    world.pool_file("P1").parent.parent.mkdir(parents=True)
    world.pool_file("P1").parent.write_text("a file where a folder should be")
    world.service(RecallPolicy(max_attempts=1)).run_once()

    sentence = world.archive.status(request).failed
    assert sentence.endswith("a file could not be read or written: File exists")
    assert str(world.root) not in sentence


def test_a_recall_cancelled_after_its_file_appeared_leaves_no_file(world, monkeypatch):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    complete = RecallRows.complete

    def release_before(rows, *arguments):
        world.archive.release(request)
        return complete(rows, *arguments)

    monkeypatch.setattr(RecallRows, "complete", release_before)
    assert world.service().run_once() == 0
    assert not world.pool_file("P1").exists()
    assert [row.state for row in world.recalls()] == ["cancelled"]


def test_a_recall_taken_over_after_its_file_appeared_keeps_the_file(world, monkeypatch):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    complete = RecallRows.complete

    def let_another_complete(rows, recall_id, owner, now):
        monkeypatch.setattr(RecallRows, "complete", complete)
        assert complete(rows, recall_id, owner, now)
        return False

    monkeypatch.setattr(RecallRows, "complete", let_another_complete)
    world.service().run_once()
    assert world.archive.status(request).ready
    assert world.archive.path(uid).read_bytes() == b"bytes"


def test_a_cancelled_recall_leaves_the_drive(open_world):
    world = open_world(PEPS_TAPE_SPEED="0.001", PEPS_TAPE_DRIVES="1")
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    tape = SimulatedTape(world.config.tape.path, drives=1)
    with running(world.service()):
        until(lambda: tape.drives()[0].is_busy)
        world.archive.release(request)
        until(lambda: not tape.drives()[0].is_busy)
    assert [row.state for row in world.recalls()] == ["cancelled"]


# ------------------------------------------------------------ what no file is to blame for


def test_a_full_disk_costs_no_attempt_and_the_recall_comes_when_there_is_room(world, monkeypatch):
    uids = [world.add(f"P{n}", bytes([n]) * 1000) for n in range(3)]
    request = world.archive.request(uids, user="u", purpose="p")
    service, write = world.service(), PartFile.write

    def refuse(part, chunk):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(PartFile, "write", refuse)
    assert service.run_once() == 0
    assert {(row.state, row.attempt) for row in world.recalls()} == {("queued", 0)}
    reasons = {file.reason for file in world.archive.status(request).files}
    assert reasons == {"the disk of the pool is full"}
    assert list(world.config.storage.path.rglob("*.zip")) == []
    assert world.archive.pool_state().used_bytes == 0

    monkeypatch.setattr(PartFile, "write", write)
    until(lambda: service.run_once() == 3)
    assert world.archive.status(request).ready


@pytest.mark.parametrize("method", ["fetch", "submit", "poll"])
def test_a_drive_that_is_down_costs_no_attempt(world, monkeypatch, method):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")
    service, original = world.service(), getattr(SimulatedTape, method)

    def refuse(*arguments, **options):
        raise DriveDownError("the drive has stopped working")

    monkeypatch.setattr(SimulatedTape, method, refuse)
    for _ in range(5):
        service.run_once()
        pass_pauses(world)
    (row,) = world.recalls()
    assert (row.state, row.attempt) == ("queued", 0)
    assert world.archive.status(request).files[0].reason == "the drive has stopped working"

    monkeypatch.setattr(SimulatedTape, method, original)
    assert service.run_once() == 1
    assert world.archive.status(request).ready


def test_a_file_that_tape_does_not_hold_fails_at_once(world, monkeypatch):
    uid = world.add("P1", b"bytes")
    request = world.archive.request([uid], user="u", purpose="p")

    def refuse(*arguments, **options):
        raise NotHeldError("tape does not hold P1")

    monkeypatch.setattr(SimulatedTape, "fetch", refuse)
    world.service().run_once()
    assert world.archive.status(request).failed == "tape does not hold P1"
    assert [(row.state, row.attempt) for row in world.recalls()] == [("failed", 1)]
    assert world.archive.pool_state().used_bytes == 0


def test_who_waits_for_room_is_told_so(open_world, rng):
    world = open_world(PEPS_STORAGE_BUDGET_GB="0.000001")
    kept, other = world.add("P1", rng.bytes(800)), world.add("P2", rng.bytes(800))
    first = world.archive.request([kept], user="u", purpose="p")
    service = world.service()
    service.run_once()
    second = world.archive.request([other], user="u", purpose="q")
    assert service.run_once() == 0
    assert "no room in the disk pool" in world.archive.status(second).files[0].reason
    world.archive.release(first)
    assert service.run_once() == 1
    assert world.archive.status(second).files[0].reason == ""


def pass_pauses(world):
    with world.engine.begin() as connection:
        connection.execute(update(recall).values(not_before_us=1))


# ---------------------------------------------------------------------------------- kill -9


def kill_at(world, step, countdown):
    assert work_until_killed(world, MORTAL, step, countdown)


@pytest.mark.parametrize("step", [step for step in STEPS if "eviction" not in step])
def test_a_service_killed_at_any_step_loses_nothing_and_shows_no_torn_file(world, rng, step):
    uids = [world.add(f"P{n}", rng.bytes(50_000)) for n in range(4)]
    request = world.archive.request(uids, user="u", purpose="p")
    kill_at(world, step, 1 if "tape" in step or "claim" in step or "drive" in step else 3)

    assert world.torn_files() == []
    done_before = {row.id for row in world.recalls() if row.state == "done"}
    with running(world.service(MORTAL)):
        until(lambda: world.archive.status(request).ready)

    assert Counter(row.state for row in world.recalls()) == {"done": 4}
    assert all(row.attempt == 1 for row in world.recalls() if row.id in done_before)
    assert world.torn_files() == []
    assert all(world.archive.path(uid).read_bytes() == world.contents[uid] for uid in uids)
    assert list(world.config.storage.path.glob(".part-*")) == []


def test_a_file_published_but_not_marked_is_adopted_and_not_read_again(world, rng):
    uid = world.add("P1", rng.bytes(50_000))
    request = world.archive.request([uid], user="u", purpose="p")
    kill_at(world, "between the rename and the commit", 1)
    world.tape_file("P1").unlink()
    with running(world.service(MORTAL)):
        until(lambda: world.archive.status(request).ready)


def test_a_service_killed_in_an_eviction_serves_the_pool_as_it_is(open_world, rng):
    world = open_world(PEPS_STORAGE_BUDGET_GB="0.0001")
    old, new = world.add("OLD", rng.bytes(80_000)), world.add("NEW", rng.bytes(80_000))
    first = world.archive.request([old], user="u", purpose="p")
    world.service().run_once()
    world.archive.release(first)
    request = world.archive.request([new], user="u", purpose="q")
    kill_at(world, "in an eviction, before the commit", 1)
    assert not world.pool_file("OLD").exists()

    with running(world.service(MORTAL)):
        until(lambda: world.archive.status(request).ready)
    assert world.archive.mode([old, new]) == {old: "tape", new: "disk"}
    assert world.archive.path(new).read_bytes() == world.contents[new]
