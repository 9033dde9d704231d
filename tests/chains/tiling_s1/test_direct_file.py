"""Large pieces of files past the cache, against the file read in the ordinary way."""

import errno
import fcntl
import os

import numpy as np
import pytest

from peps_wps.chains.tiling_s1.direct_file import PAGE_BYTES, DirectFile, aligned

PART = 1000  # bytes that a file system moves at once, no whole page


def refused(path=None):
    return OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)


@pytest.fixture(params=["direct", "refused", "refused late", "in small parts"])
def access(request, monkeypatch):
    """As the file system of the test has it, and as others may have it."""
    opened, moves = os.open, {"preadv": os.preadv, "pwritev": os.pwritev}

    def without_direct_access(path, flags, *further, **options):
        if flags & os.O_DIRECT:
            raise refused(str(path))
        return opened(path, flags, *further, **options)

    def refused_late(move):
        def moved(descriptor, pieces, place):
            if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
                raise refused()
            return move(descriptor, pieces, place)

        return moved

    def in_small_parts(move):
        return lambda descriptor, pieces, place: move(descriptor, [pieces[0][:PART]], place)

    if request.param == "refused":
        monkeypatch.setattr(os, "open", without_direct_access)
    changed = {"refused late": refused_late, "in small parts": in_small_parts}.get(request.param)
    for name, move in moves.items() if changed else ():
        monkeypatch.setattr(os, name, changed(move))


@pytest.mark.usefixtures("access")
def test_what_was_written_is_read_and_zeros_beyond_the_end(tmp_path, rng):
    path = tmp_path / "pieces"
    path.write_bytes(bytes(PAGE_BYTES))
    piece = aligned(2 * PAGE_BYTES)
    piece[:] = rng.integers(0, 256, len(piece))

    with DirectFile(path, writable=True) as file:
        file.write(PAGE_BYTES, piece)
    expected = bytes(PAGE_BYTES) + piece.tobytes()
    assert path.read_bytes() == expected

    with path.open("ab") as stream:
        stream.write(b"end")
    with DirectFile(path) as file:
        there = file.read(0, 5 * PAGE_BYTES)
    assert there.tobytes() == (expected + b"end").ljust(5 * PAGE_BYTES, b"\0")


def test_bytes_that_do_not_come_are_an_error_and_no_zeros(tmp_path, monkeypatch):
    path = tmp_path / "pieces"
    path.write_bytes(bytes(PAGE_BYTES + 1))
    monkeypatch.setattr(os, "preadv", lambda *_: 0)

    with DirectFile(path) as file:
        with pytest.raises(OSError, match="nothing is read at byte 4096 of 4097"):
            file.read(PAGE_BYTES, PAGE_BYTES)
        assert not file.read(2 * PAGE_BYTES, PAGE_BYTES).any()


def test_other_errors_are_told(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "pieces"
    path.write_bytes(b"one")
    monkeypatch.setattr(os, "preadv", fails)
    with DirectFile(path) as file, pytest.raises(OSError, match=os.strerror(errno.EIO)):
        file.read(0, PAGE_BYTES)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        DirectFile(tmp_path / "none")


def test_room_begins_at_a_page():
    assert all(aligned(size).ctypes.data % PAGE_BYTES == 0 for size in (1, PAGE_BYTES, 99_999))
    assert aligned(5).dtype == np.uint8
