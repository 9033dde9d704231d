"""Large pieces of files past the cache, against the file read in the ordinary way."""

import errno
import os

import numpy as np
import pytest

from peps_wps.chains.tiling_s1.direct_file import PAGE_BYTES, DirectFile, aligned


@pytest.fixture(params=["direct", "refused"])
def access(request, monkeypatch):
    """As the file system of the test has it, and as one without direct access."""
    ordinary = os.open

    def without_direct_access(path, flags, *further, **options):
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
        return ordinary(path, flags, *further, **options)

    if request.param == "refused":
        monkeypatch.setattr(os, "open", without_direct_access)


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


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        DirectFile(tmp_path / "none")


def test_room_begins_at_a_page():
    assert all(aligned(size).ctypes.data % PAGE_BYTES == 0 for size in (1, PAGE_BYTES, 99_999))
    assert aligned(5).dtype == np.uint8
