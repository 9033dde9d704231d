"""The simulated library is as slow, as ordered and as exclusive as a real one."""

import fcntl
import time

import pytest

from storage.backends import tape_folder
from storage.backends.simtape import SimulatedTape
from storage.errors import DriveBusyError, TapeError
from storage.model import StageState
from storage.tape_geometry import TapeDriveModel, TapeGeometry, Winding

MODEL = TapeDriveModel(Winding(), bandwidth_bytes_s=1e6, load_s=4.0, unload_s=4.0, robot_s=0.0)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def library(root, **options):
    return SimulatedTape(root, **{"drives": 2, "model": MODEL, **options})


def store(tape, path, content):
    return tape.store(path, lambda part: part.write(content), writer="w")


def states(tape, handle):
    return [status.state for status in tape.poll(handle).values()]


def fetched(tape, handle, file):
    chunks = []
    tape.fetch(handle, file, lambda chunk: chunks.append(bytes(chunk)))
    return b"".join(chunks)


def test_files_of_a_family_follow_each_other_on_its_tape(tmp_path):
    tape = library(tmp_path)
    first, second = store(tape, "S1/a.zip", b"x" * 10), store(tape, "S1/b.zip", b"y" * 5)
    other = store(tape, "S2/c.zip", b"z")
    assert [(f.tape, f.position) for f in (first, second, other)] == [
        ("S1-0001", 0),
        ("S1-0001", 10),
        ("S2-0001", 0),
    ]
    assert tape.locate([first, second]) == [("S1-0001", 0), ("S1-0001", 10)]


def test_files_follow_one_without_bytes(tmp_path):
    tape = library(tmp_path)
    contents = {"S1/b": b"", "S1/a": b"x" * 10, "S1/c": b"z"}
    files = [store(tape, path, content) for path, content in contents.items()]
    assert [file.position for file in files] == [0, 0, 10]


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    (tmp_path / ".part-store-1").write_bytes(b"half a fi")
    store(library(tmp_path), "S1/a.zip", b"x")
    assert list(tmp_path.glob(".part-*")) == []


def test_the_name_of_a_file_is_on_disk_before_it_is_told_and_no_writer_waits_for_that(
    tmp_path, monkeypatch
):
    forced = []
    real = tape_folder.sync_folder

    def sync_folder(folder):
        with (tmp_path / ".S1.lock").open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError when it is held
        forced.append(sorted(path.name for path in folder.iterdir()))
        real(folder)

    monkeypatch.setattr(tape_folder, "sync_folder", sync_folder)
    tape = library(tmp_path)
    first = store(tape, "S1/a.zip", b"x" * 10)
    again = store(tape, "S1/a.zip", b"x" * 10)  # perhaps a killed writer's, its name not on disk

    assert again == first
    assert forced == [["000000000000000-a.zip"]] * 2


def test_a_full_tape_is_followed_by_the_next(tmp_path):
    tape = library(tmp_path, model=TapeDriveModel(Winding(TapeGeometry(capacity_bytes=12))))
    files = [store(tape, f"S1/{n}.zip", bytes([n]) * 5) for n in range(3)]
    assert [file.tape for file in files] == ["S1-0001", "S1-0001", "S1-0002"]


def test_reading_takes_mounting_and_streaming(tmp_path, clock):
    tape = library(tmp_path)
    files = [store(tape, f"S1/{n}.zip", bytes([n]) * 2_000_000) for n in range(2)]
    handle = tape.submit("drive-1", files)
    clock.now += 3.9
    assert states(tape, handle) == [StageState.WAITING, StageState.WAITING]
    clock.now += 1.1  # mounted at 4 s; half of the first 2 MB at 5 s
    assert tape.poll(handle)["S1/0.zip"].bytes_done == pytest.approx(1_000_000, rel=1e-3)
    with pytest.raises(TapeError, match="not been read"):
        fetched(tape, handle, files[0])
    clock.now += 1.1
    assert states(tape, handle) == [StageState.STAGED, StageState.READING]
    clock.now += 2
    assert states(tape, handle) == [StageState.STAGED, StageState.STAGED]
    assert fetched(tape, handle, files[1]) == b"\1" * 2_000_000
    tape.release(handle)


def test_a_mounted_tape_is_read_without_mounting_and_another_one_costs_an_unload(tmp_path, clock):
    tape = library(tmp_path)
    first, other = store(tape, "S1/a.zip", b"x"), store(tape, "S2/b.zip", b"y")
    for file, mounting_s in ((first, 4), (first, 0), (other, 8)):
        handle = tape.submit("drive-1", [file])
        clock.now += mounting_s - 0.01
        assert states(tape, handle) == [StageState.WAITING] if mounting_s else [StageState.STAGED]
        clock.now += 0.02
        assert states(tape, handle) == [StageState.STAGED]
        tape.release(handle)


def test_the_clock_runs_at_the_configured_speed(tmp_path, clock):
    tape = library(tmp_path, speed=100)
    file = store(tape, "S1/a.zip", b"x")
    handle = tape.submit("drive-1", [file])
    clock.now += 0.039
    assert states(tape, handle) == [StageState.WAITING]
    clock.now += 0.002
    assert states(tape, handle) == [StageState.STAGED]
    tape.release(handle)


def test_a_drive_and_a_tape_serve_one_batch_at_a_time_across_libraries(tmp_path):
    tape, elsewhere = library(tmp_path), library(tmp_path)
    file, other = store(tape, "S1/a.zip", b"x"), store(tape, "S2/b.zip", b"y")
    handle = tape.submit("drive-1", [file])
    assert [drive.is_busy for drive in elsewhere.drives()] == [True, False]
    with pytest.raises(DriveBusyError):
        elsewhere.submit("drive-1", [other])
    with pytest.raises(DriveBusyError):
        elsewhere.submit("drive-2", [file])
    tape.release(handle)
    assert [(drive.tape, drive.is_busy) for drive in elsewhere.drives()] == [
        ("S1-0001", False),
        (None, False),
    ]
    elsewhere.release(elsewhere.submit("drive-2", [file]))
    assert [drive.tape for drive in tape.drives()] == [None, "S1-0001"]
