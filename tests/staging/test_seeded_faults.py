"""A library in which everything goes wrong now and then: each file comes whole or says why not."""

import os
import random

import pytest

from peps_wps.staging import RecallService, service
from storage.backends.faults import Fault, SeededFaults
from storage.backends.simtape import SimulatedTape
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld
from tests.background import running
from tests.patience import until

RATES = {
    Fault.MEDIA_ERROR: 0.1,
    Fault.SHORT_READ: 0.1,
    Fault.FLIPPED_BIT: 0.1,
    Fault.DRIVE_DOWN: 0.05,
    Fault.ROBOT_STUCK: 0.05,
}
PATIENT = RecallPolicy(
    max_attempts=12, backoff_s=0.001, lease_s=30.0, idle_s=0.01, error_pause_s=0.01
)


@pytest.fixture
def world(tmp_path, databases):
    with databases.fresh("sqlite", tmp_path):
        yield ArchiveWorld(tmp_path)


def recalling(world, monkeypatch, faults, policy=PATIENT):
    """Return a service over a library with these mishaps, whose drives are repaired at once."""
    tape = SimulatedTape(world.config.tape.path, drives=2, speed=1e5, faults=faults, repair_s=1e4)
    monkeypatch.setattr(service, "open_tapes", lambda config: {"simtape": tape})
    return RecallService(world.config, world.engine, policy)


def run_until(recalls, holds):
    with running(recalls):
        until(holds, 30)


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(30 if os.environ.get("PEPS_DRILLS") == "1" else 1))
def test_every_file_comes_whole_or_fails_with_its_reason(world, monkeypatch, seed):
    faults = SeededFaults(seed, RATES, bad_files=0.1)
    uids = {}
    for number in range(20):
        content = random.Random(number).randbytes(2000)
        uids[f"P{number}"] = world.add(f"P{number}", content, collection=f"S{number % 3 + 1}")
    request = world.archive.request(list(uids.values()), user="u", purpose="p")

    def has_ended():
        return all(one.state != "waiting" for one in world.archive.status(request).files)

    run_until(recalling(world, monkeypatch, faults), has_ended)

    bad = SeededFaults(seed, bad_files=0.1)
    for one in world.archive.status(request).files:
        title = one.title
        is_bad = bad(world.archive.find(one.uid).file, 1) is Fault.MEDIA_ERROR
        assert one.state == ("failed" if is_bad else "ready"), one
        if is_bad:
            assert "cannot be read at position" in one.error
        else:
            assert world.archive.path(one.uid).read_bytes() == world.contents[uids[title]]
    assert world.torn_files() == []
    assert list(world.config.storage.path.glob(".part-*")) == []


def test_what_is_no_fault_of_a_file_costs_it_no_attempt(world, monkeypatch):
    plan = {1: Fault.DRIVE_DOWN, 2: Fault.ROBOT_STUCK, 3: Fault.DRIVE_DOWN}
    uid = world.add("P1", b"x" * 1000)
    request = world.archive.request([uid], user="u", purpose="p")
    impatient = RecallPolicy(max_attempts=1, backoff_s=0.001, idle_s=0.01, error_pause_s=0.01)
    recalls = recalling(world, monkeypatch, lambda file, reading: plan.get(reading), impatient)
    run_until(recalls, lambda: world.archive.status(request).ready)
    assert [(row.state, row.attempt) for row in world.recalls()] == [("done", 1)]


def test_a_file_that_cannot_be_read_fails_after_the_last_attempt(world, monkeypatch):
    uid = world.add("P1", b"x" * 1000)
    request = world.archive.request([uid], user="u", purpose="p")
    thrice = RecallPolicy(max_attempts=3, backoff_s=0.001, idle_s=0.01, error_pause_s=0.01)
    recalls = recalling(world, monkeypatch, SeededFaults(1, bad_files=1.0), thrice)
    run_until(recalls, lambda: world.archive.status(request).failed)
    assert [(row.state, row.attempt) for row in world.recalls()] == [("failed", 3)]
