"""An HSM that recalls on open: nothing it does, or leaves undone, blocks who asks."""

import os
import time

import pytest

from storage.backends.posix import PosixHsm, has_attribute, has_no_blocks
from storage.errors import (
    ArchivePathError,
    MediaError,
    NotHeldError,
    TapeError,
    TapeUnavailableError,
)
from storage.model import ArchiveFile, StageState
from tests.patience import stretched, until
from tests.storage.backends.fake_hsm import fake_hsm


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    with fake_hsm(tmp_path_factory.mktemp("hsm")) as hsm:
        yield hsm


def folder(hsm, **options):
    return PosixHsm(hsm.root, **{"readers": 2, "time_limit_s": 60.0, **options})


def stored(tape, *names, content=b"x" * 5000):
    return [
        tape.store(f"S1/{name}", lambda part: part.write(content), writer=name) for name in names
    ]


def state(tape, handle, file):
    return tape.poll(handle)[file.path].state


def test_a_stub_is_told_by_its_blocks(hsm):
    tape = folder(hsm)
    (file,) = stored(tape, "stub")
    path = hsm.root / file.path
    assert not has_no_blocks(path, path.stat())
    hsm.migrate(file.path)
    assert has_no_blocks(path, path.stat())
    assert path.stat().st_size == 5000


def test_a_stub_is_told_by_an_attribute(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    is_offline = has_attribute("user.offline")
    assert not is_offline(path, path.stat())
    os.setxattr(path, "user.offline", b"1")
    assert is_offline(path, path.stat())


def test_a_file_on_the_disk_of_the_hsm_is_staged_at_once(hsm):
    tape = folder(hsm)
    (file,) = stored(tape, "online")
    handle = tape.submit("slot-1", [file])
    assert state(tape, handle, file) is StageState.STAGED
    tape.release(handle)


def test_a_recall_that_blocks_blocks_nobody_and_no_other_file(hsm):
    tape = folder(hsm)
    slow, quick = stored(tape, "slow", "quick")
    hsm.migrate(slow.path)
    hsm.freeze()
    begin = time.monotonic()
    handle = tape.submit("slot-1", [slow])
    other = tape.submit("slot-2", [quick])
    until(lambda: state(tape, handle, slow) is StageState.READING)
    assert state(tape, other, quick) is StageState.STAGED
    with pytest.raises(TapeError, match="not been recalled"):
        tape.fetch(handle, slow, lambda chunk: None)
    assert time.monotonic() - begin < stretched(5.0)
    hsm.thaw()
    until(lambda: state(tape, handle, slow) is StageState.STAGED)
    tape.release(handle)
    tape.release(other)


def test_a_file_that_does_not_come_in_time_has_failed(hsm):
    tape = folder(hsm, time_limit_s=0.1)
    (file,) = stored(tape, "late")
    hsm.migrate(file.path)
    hsm.freeze()
    handle = tape.submit("slot-1", [file])
    until(lambda: state(tape, handle, file) is StageState.FAILED)
    error = tape.poll(handle)[file.path].error
    assert "did not come within" in str(error)
    assert not isinstance(error, TapeUnavailableError)
    tape.release(handle)
    hsm.thaw()


def test_when_every_thread_waits_the_hsm_is_away(hsm):
    tape = folder(hsm, time_limit_s=0.1)
    files = stored(tape, "w1", "w2", "w3")
    for file in files:
        hsm.migrate(file.path)
    hsm.freeze()
    handle = tape.submit("slot-1", files)

    def is_away():
        try:
            return state(tape, handle, files[2]) is StageState.FAILED
        except TapeUnavailableError as error:
            return "does not answer" in str(error)

    until(is_away)
    tape.release(handle)
    with pytest.raises(TapeUnavailableError):
        tape.submit("slot-1", files)
    hsm.thaw()


def test_files_are_read_in_the_order_of_their_places(hsm):
    places = {"S1/o1": ("V2", 5), "S1/o2": ("V1", 9), "S1/o3": ("V1", 10)}
    tape = folder(hsm, places=places)
    files = stored(tape, "o1", "o2", "o3", "o4")
    assert [(one.tape, one.position) for one in files[:2]] == [("V2", 5), ("V1", 9)]
    ordered = [one.path for one in tape.order("slot-1", files)]
    assert ordered == ["S1/o4", "S1/o2", "S1/o3", "S1/o1"]
    handle = tape.submit("slot-1", files[1:3])
    assert tape.drives()[0].tape == "V1"  # so that no other drive is given files of that tape
    tape.release(handle)


def test_a_file_that_is_unreadable_or_absent_is_told_apart(hsm):
    tape = folder(hsm)
    absent = ArchiveFile("S1/absent", 5, "sha256", "", "posix")
    (hsm.root / "S1/absent2").mkdir(parents=True)
    bad = ArchiveFile("S1/absent2", 5, "sha256", "", "posix")
    below = ArchiveFile("S1/online2/below", 5, "sha256", "", "posix")
    stored(tape, "online2")
    handle = tape.submit("slot-1", [absent, below, bad])
    found = tape.poll(handle)
    assert isinstance(found["S1/absent"].error, NotHeldError)
    assert isinstance(found["S1/online2/below"].error, NotHeldError)
    if found["S1/absent2"].error is None:
        with pytest.raises(MediaError):
            tape.fetch(handle, bad, lambda chunk: None)
    tape.release(handle)


def test_no_path_leaves_the_folder(hsm):
    tape = folder(hsm)
    outside = ArchiveFile("../secret", 5, "sha256", "", "posix")
    for refused in (lambda: tape.locate([outside]), lambda: tape.submit("slot-1", [outside])):
        with pytest.raises(ArchivePathError):
            refused()


def test_a_transfer_that_stands_still_is_given_up(hsm, monkeypatch):
    monkeypatch.setattr("storage.backends.posix._STALL_S", 0.1)
    tape = folder(hsm)
    (file,) = stored(tape, "still")
    handle = tape.submit("slot-1", [file])
    hsm.migrate(file.path)  # evicted by the HSM again, before it was fetched
    hsm.freeze()
    with pytest.raises(TapeUnavailableError, match="no byte of S1/still came"):
        tape.fetch(handle, file, lambda chunk: None)
    hsm.thaw()
    tape.release(handle)
