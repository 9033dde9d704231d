"""What every backend keeps, whatever is behind it: the terms of `storage.backend.TapeBackend`."""

import hashlib
import random
import time
from collections.abc import Iterator
from itertools import count
from threading import Thread

import pytest

from storage.errors import ArchiveConflictError, TapeError, TapeUnavailableError
from storage.model import ArchiveFile, StageState
from tests.patience import until
from tests.storage.backends.harnesses import Harness, harness

KINDS = ("simtape", "posix", "wlcg", "glacier")
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def world(request, tmp_path_factory) -> Iterator[Harness]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp(request.param)
        with harness(request.param, folder, monkeypatch) as found:
            yield found


@pytest.fixture
def backend(world):
    return world.backend


def content_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def new_path(family="S1"):
    return f"{family}/2021/08/09/P{next(_numbers)}.zip"


def add(world, size=1000, family="S1"):
    number = next(_numbers)
    content = content_of(size, number)
    return world.add(new_path(family), content), content


def drive(backend):
    return next(one.name for one in backend.drives() if not one.is_busy and not one.is_down)


def wait(backend, handle, paths=None):
    """Return the states of a batch when none is open."""

    def ended():
        states = backend.poll(handle)
        looked_at = [one for path, one in states.items() if paths is None or path in paths]
        is_end = all(one.state in (StageState.STAGED, StageState.FAILED) for one in looked_at)
        return (states,) if is_end else None

    (states,) = until(ended, pause_s=0.005)
    return states


def fetch(backend, handle, file):
    chunks = []
    backend.fetch(handle, file, lambda chunk: chunks.append(bytes(chunk)))
    return b"".join(chunks)


def recall(backend, *files):
    """Return the bytes of files as one batch brings them."""
    handle = backend.submit(drive(backend), backend.order(drive(backend), files))
    try:
        states = wait(backend, handle)
        assert {one.state for one in states.values()} == {StageState.STAGED}, states
        return [fetch(backend, handle, file) for file in files]
    finally:
        backend.release(handle)


def failure(backend, handle, file):
    """Return what is said of a file that does not come, at whatever step."""
    status = wait(backend, handle, {file.path})[file.path]
    if status.state is StageState.FAILED:
        return status.error
    with pytest.raises(TapeError) as caught:
        fetch(backend, handle, file)
    return caught.value


@pytest.mark.parametrize("size", [1, 1000, (4 << 20) + 1])
def test_the_bytes_that_were_archived_come_back(world, backend, size):
    file, content = add(world, size)
    assert (file.size_bytes, file.checksum) == (size, hashlib.sha256(content).hexdigest())
    assert recall(backend, file) == [content]


def test_files_of_a_batch_come_each_with_its_own_bytes(world, backend):
    added = [add(world, size) for size in (10, 20_000, 300, 1)]
    assert recall(backend, *(file for file, _ in added)) == [content for _, content in added]


def test_what_is_held_has_a_place_and_what_is_not_has_none(world, backend):
    file, _ = add(world)
    unknown = ArchiveFile(new_path(), 5, "sha256", "00", backend.name)
    place, nothing = backend.locate([file, unknown])
    assert isinstance(place[0], str)
    assert isinstance(place[1], int)
    assert nothing is None


def test_the_order_is_a_permutation(world, backend):
    files = [add(world)[0] for _ in range(5)]
    for wanted in (files, files[::-1], files[:1], []):
        ordered = backend.order(drive(backend), wanted)
        assert sorted(one.path for one in ordered) == sorted(one.path for one in wanted)


def test_states_go_forward_only(world, backend):
    file, content = add(world, 50_000)
    ranks = {StageState.WAITING: 0, StageState.READING: 1, StageState.STAGED: 2}
    handle = backend.submit(drive(backend), [file])
    seen = [backend.poll(handle)[file.path]]
    while seen[-1].state is not StageState.STAGED:
        time.sleep(0.005)
        seen.append(backend.poll(handle)[file.path])
        assert ranks[seen[-1].state] >= ranks[seen[-2].state]
        assert 0 <= seen[-1].bytes_done <= file.size_bytes
    assert seen[-1].bytes_done == file.size_bytes
    assert fetch(backend, handle, file) == content
    assert fetch(backend, handle, file) == content  # as often as is needed
    backend.release(handle)


def test_a_batch_takes_its_drive_and_gives_it_back(world, backend):
    file, _ = add(world)
    other, _ = add(world, family="S2")
    name = drive(backend)
    handle = backend.submit(name, [file])
    assert [one.name for one in backend.drives() if one.is_busy] == [name]
    with pytest.raises(TapeUnavailableError):
        backend.submit(name, [other])
    backend.release(handle)
    assert not any(one.is_busy for one in backend.drives())
    assert len(backend.drives()) == backend.capabilities.drives


def test_two_batches_are_read_side_by_side(world, backend):
    added = [add(world, 200_000, family) for family in ("S1", "S2")]
    names = [one.name for one in backend.drives()]
    got = {}

    def read(name, file):
        handle = backend.submit(name, [file])
        wait(backend, handle)
        got[file.path] = fetch(backend, handle, file)
        backend.release(handle)

    threads = [
        Thread(target=read, args=(name, file))
        for name, (file, _) in zip(names, added, strict=False)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {file.path: content for file, content in added}


def test_a_cancelled_file_is_told_of_no_more_and_the_others_come(world, backend):
    added = [add(world, 1000) for _ in range(3)]
    files = [file for file, _ in added]
    handle = backend.submit(drive(backend), files)
    backend.cancel(handle, [files[1]])
    backend.cancel(handle, [files[1]])  # again: nothing happens
    states = wait(backend, handle)
    assert set(states) == {files[0].path, files[2].path}
    assert fetch(backend, handle, files[2]) == added[2][1]
    backend.release(handle)


def test_a_batch_let_go_in_the_middle_can_be_asked_for_again(world, backend):
    file, content = add(world, 100_000)
    handle = backend.submit(drive(backend), [file])
    backend.poll(handle)
    backend.release(handle)
    assert recall(backend, file) == [content]


def test_a_file_that_nobody_holds_fails_for_its_own_fault(world, backend):
    good, content = add(world)
    tape, position = (good.tape, 999_999) if good.tape else (None, None)
    unknown = ArchiveFile(new_path(), 5, "sha256", "00", backend.name, tape, position)
    handle = backend.submit(drive(backend), [unknown, good])
    error = failure(backend, handle, unknown)
    assert isinstance(error, TapeError)
    assert not isinstance(error, TapeUnavailableError)
    wait(backend, handle)
    assert fetch(backend, handle, good) == content
    backend.release(handle)


def test_a_file_that_cannot_be_read_fails_for_its_own_fault(world, backend):
    bad, _ = add(world)
    good, content = add(world)
    world.spoil(bad)
    handle = backend.submit(drive(backend), [bad, good])
    error = failure(backend, handle, bad)
    assert isinstance(error, TapeError)
    assert not isinstance(error, TapeUnavailableError)
    wait(backend, handle)
    assert fetch(backend, handle, good) == content
    backend.release(handle)


def test_a_short_read_brings_the_beginning_or_an_error(world, backend):
    file, content = add(world, 10_000)
    world.shorten(file)
    handle = backend.submit(drive(backend), [file])
    wait(backend, handle)
    chunks = []
    try:
        backend.fetch(handle, file, lambda chunk: chunks.append(bytes(chunk)))
    except TapeError:
        assert len(b"".join(chunks)) < len(content)
    got = b"".join(chunks)
    assert got == content[: len(got)]
    assert len(got) < len(content)
    backend.release(handle)


def test_a_transfer_that_breaks_off_is_continued_or_repeated(world, backend):
    file, content = add(world, 3_000_000)
    world.interrupt(file)
    got = b""
    for _ in range(3):
        handle = backend.submit(drive(backend), [file])
        wait(backend, handle)
        got = fetch(backend, handle, file)
        backend.release(handle)
        if got == content:
            break
    assert got == content


def test_a_restart_in_the_middle_loses_nothing(world):
    file, content = add(world, 100_000)
    handle = world.backend.submit(drive(world.backend), [file])
    world.backend.poll(handle)
    world.crash(handle)
    world.backend = world.open()
    assert recall(world.backend, file) == [content]


def test_a_system_that_is_away_is_nobodys_fault_and_comes_back(world, backend):
    added = [add(world) for _ in range(2)]
    files = [file for file, _ in added]
    with world.away():
        error = refusal(backend, files)
    assert isinstance(error, TapeUnavailableError)
    assert recall(backend, *files) == [content for _, content in added]


def refusal(backend, files):
    """Return why files cannot be had, at whatever step that is told."""
    try:
        handle = backend.submit(drive(backend), files)
    except TapeError as error:
        return error
    try:
        return wait(backend, handle)[files[0].path].error
    except TapeError as error:
        return error
    finally:
        backend.release(handle)


def test_the_same_content_is_taken_again_and_another_is_not_lost(world, backend):
    if not world.writes:
        with pytest.raises(TapeError, match="tape of another site"):
            backend.store(new_path(), lambda part: part.write(b"x"), writer="w")
        return
    path = new_path()
    first = backend.store(path, lambda part: part.write(b"one"), writer="w")
    again = backend.store(path, lambda part: part.write(b"one"), writer="w")
    assert again == first
    try:
        backend.store(path, lambda part: part.write(b"another"), writer="w")
    except ArchiveConflictError:
        assert recall(backend, first) == [b"one"]
