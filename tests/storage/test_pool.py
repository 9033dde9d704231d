"""The pool keeps to its folder and to whole files."""

import os

import pytest

from storage.errors import ArchiveConflictError, ArchivePathError
from storage.pool import Pool


@pytest.mark.parametrize("path", ["../outside", "a/../../b", "/etc/passwd", "", "a\0b"])
def test_paths_that_leave_the_archive_are_refused(tmp_path, path):
    with pytest.raises(ArchivePathError, match="inside the archive"):
        Pool(tmp_path, name="disk").path(path)


def test_a_file_is_held_only_with_its_size_and_digest(tmp_path):
    pool = Pool(tmp_path, name="disk")
    stored = pool.store("S1/a.zip", lambda part: part.write(b"bytes"), writer="w")
    assert pool.holds(stored)
    pool.path("S1/a.zip").write_bytes(b"bytez")
    assert not pool.holds(stored)
    assert pool.has_size("S1/a.zip", 5)
    assert not pool.has_size("S1/a.zip", 6)


def test_a_stored_file_is_never_overwritten(tmp_path):
    pool = Pool(tmp_path, name="disk")
    pool.store("S1/a.zip", lambda part: part.write(b"bytes"), writer="w")
    with pytest.raises(ArchiveConflictError, match=r"S1/a\.zip"):
        pool.store("S1/a.zip", lambda part: part.write(b"other"), writer="w")
    assert pool.path("S1/a.zip").read_bytes() == b"bytes"


def test_of_two_writers_at_the_last_moment_neither_replaces_the_other(tmp_path, monkeypatch):
    pool = Pool(tmp_path, name="disk")
    sync = os.fsync

    def store_another(descriptor):
        monkeypatch.setattr(os, "fsync", sync)
        pool.store("S1/a.zip", lambda part: part.write(b"fast"), writer="fast")
        sync(descriptor)

    def fill(part):
        part.write(b"slow")
        monkeypatch.setattr(os, "fsync", store_another)

    with pytest.raises(ArchiveConflictError, match=r"S1/a\.zip"):
        pool.store("S1/a.zip", fill, writer="slow")
    assert pool.path("S1/a.zip").read_bytes() == b"fast"
    assert [path.name for path in tmp_path.iterdir()] == ["S1"]
