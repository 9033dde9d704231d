"""Mishaps of the simulated library: drawn from a seed, told apart, repaired in time."""

import time
from collections import Counter

import pytest

from storage.backends.faults import Fault, SeededFaults
from storage.backends.simtape import SimulatedTape
from storage.errors import DriveBusyError, DriveDownError, MediaError
from storage.model import ArchiveFile, StageState
from storage.tape_geometry import TapeDriveModel, Winding

MODEL = TapeDriveModel(Winding(), bandwidth_bytes_s=1000.0, load_s=4.0, unload_s=4.0, robot_s=0.0)


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def library(root, plan=None, **options):
    return SimulatedTape(root, drives=2, model=MODEL, faults=plan, repair_s=100.0, **options)


def stored(tape, *names):
    return [
        tape.store(
            f"S1/{name}", lambda part, name=name: part.write(name.encode() * 500), writer="w"
        )
        for name in names
    ]


def states(tape, handle):
    return {path[3:]: status.state.value for path, status in tape.poll(handle).items()}


def test_a_seed_gives_the_same_mishaps_in_every_run_at_the_rates_asked_for():
    rates = {Fault.MEDIA_ERROR: 0.1, Fault.SHORT_READ: 0.05, Fault.FLIPPED_BIT: 0.05}
    files = [ArchiveFile(f"S1/{n}", 1, "sha256", "", "simtape") for n in range(4000)]
    drawn = [SeededFaults(7, rates)(file, 1) for file in files]
    assert drawn == [SeededFaults(7, rates)(file, 1) for file in files]
    assert drawn != [SeededFaults(8, rates)(file, 1) for file in files]
    shares = Counter(drawn)
    for fault, rate in rates.items():  # 4 sigma of a binomial
        assert abs(shares[fault] / 4000 - rate) < 4 * (rate * (1 - rate) / 4000) ** 0.5


def test_a_bad_file_stays_bad_and_a_mishap_does_not():
    files = [ArchiveFile(f"S1/{n}", 1, "sha256", "", "simtape") for n in range(300)]
    bad = SeededFaults(3, bad_files=0.1)
    outcomes = [{bad(file, reading) for reading in range(1, 6)} for file in files]
    assert {frozenset(one) for one in outcomes} == {
        frozenset([None]),
        frozenset([Fault.MEDIA_ERROR]),
    }
    transient = SeededFaults(3, {Fault.MEDIA_ERROR: 0.5})
    assert all(None in {transient(file, reading) for reading in range(1, 30)} for file in files)


def test_a_library_without_a_plan_never_fails(tmp_path, clock):
    tape = library(tmp_path)
    handle = tape.submit("drive-1", stored(tape, "a", "b"))
    clock[0] += 100
    assert set(states(tape, handle).values()) == {"staged"}
    tape.release(handle)


def test_a_flipped_bit_changes_one_bit(tmp_path, clock):
    tape = library(tmp_path, lambda file, reading: Fault.FLIPPED_BIT if reading == 1 else None)
    (file,) = stored(tape, "a")
    contents = []
    for _ in range(2):
        handle = tape.submit("drive-1", [file])
        clock[0] += 100
        chunks = []
        tape.fetch(handle, file, lambda chunk, chunks=chunks: chunks.append(bytes(chunk)))
        tape.release(handle)
        contents.append(b"".join(chunks))
    assert contents[1] == b"a" * 500
    assert sum((one ^ other).bit_count() for one, other in zip(*contents, strict=True)) == 1


def test_a_drive_that_stops_takes_the_rest_of_the_batch_and_its_tape_along(tmp_path, clock):
    tape = library(tmp_path, lambda file, _: Fault.DRIVE_DOWN if file.path == "S1/b" else None)
    files = stored(tape, "a", "b", "c")
    handle = tape.submit("drive-1", files)
    clock[0] += 4.7  # mounted, a is read, b has begun
    assert states(tape, handle) == {"a": "staged", "b": "failed", "c": "failed"}
    assert isinstance(tape.poll(handle)["S1/c"].error, DriveDownError)
    tape.release(handle)
    assert [(one.tape, one.is_down) for one in tape.drives()] == [("S1-0001", True), (None, False)]
    with pytest.raises(DriveDownError):
        tape.submit("drive-1", files[2:])
    with pytest.raises(DriveBusyError, match="stuck in drive-1"):
        tape.submit("drive-2", files[2:])
    clock[0] += 101  # repaired
    assert [one.is_down for one in tape.drives()] == [False, False]
    handle = tape.submit("drive-2", files[2:])
    clock[0] += 100
    assert states(tape, handle) == {"c": "staged"}
    tape.release(handle)


def test_a_stuck_robot_leaves_the_tape_on_its_shelf(tmp_path, clock):
    tape = library(tmp_path, lambda file, reading: Fault.ROBOT_STUCK if reading == 1 else None)
    (file,) = stored(tape, "a")
    handle = tape.submit("drive-1", [file])
    clock[0] += 4.1
    assert states(tape, handle) == {"a": "failed"}
    tape.release(handle)
    assert [(one.tape, one.is_down) for one in tape.drives()] == [(None, True), (None, False)]
    handle = tape.submit("drive-2", [file])
    clock[0] += 100
    assert states(tape, handle) == {"a": "staged"}
    tape.release(handle)


def test_a_file_left_out_lets_those_after_it_come_sooner(tmp_path, clock):
    tape = library(tmp_path)
    files = stored(tape, "a", "b", "c")  # half a second each
    handle = tape.submit("drive-1", files)
    clock[0] += 4.1
    tape.cancel(handle, [files[1]])
    clock[0] += 0.95
    assert states(tape, handle) == {"a": "staged", "c": "staged"}
    tape.release(handle)


def test_a_file_left_out_while_it_is_read_does_not_make_the_drive_faster(tmp_path, clock):
    tape = library(tmp_path)
    files = stored(tape, "a", "b", "c")  # half a second each
    handle = tape.submit("drive-1", files)
    clock[0] += 4.1
    for unwanted in files[:2]:
        tape.cancel(handle, [unwanted])
    clock[0] += 0.35
    assert states(tape, handle) == {"c": "waiting"}
    clock[0] += 0.6
    assert states(tape, handle) == {"c": "staged"}
    tape.release(handle)


def test_the_drive_of_another_process_is_seen_to_be_down(tmp_path, clock):
    plan = {"S1/a": Fault.DRIVE_DOWN}
    tape, elsewhere = library(tmp_path, lambda file, _: plan.get(file.path)), library(tmp_path)
    (file,) = stored(tape, "a")
    handle = tape.submit("drive-1", [file])
    clock[0] += 100
    tape.release(handle)
    assert [one.is_down for one in elsewhere.drives()] == [True, False]


def test_a_media_error_is_of_the_file(tmp_path, clock):
    tape = library(tmp_path, lambda file, _: Fault.MEDIA_ERROR if file.path == "S1/a" else None)
    handle = tape.submit("drive-1", stored(tape, "a", "b"))
    clock[0] += 100
    found = tape.poll(handle)
    assert isinstance(found["S1/a"].error, MediaError)
    assert found["S1/b"].state is StageState.STAGED
    tape.release(handle)
