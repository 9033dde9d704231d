"""The pool keeps to its folder and to whole files."""

import pytest

from storage.errors import ArchiveConflictError, ArchivePathError
from storage.pool import Pool


@pytest.mark.parametrize("path", ["../outside", "a/../../b", "/etc/passwd", "", "a\0b"])
def test_paths_that_leave_the_archive_are_refused(tmp_path, path):
    with pytest.raises(ArchivePathError, match="inside the archive"):
        Pool(tmp_path).path(path)


def test_a_file_is_held_only_with_its_size_and_digest(tmp_path):
    pool = Pool(tmp_path)
    stored = pool.store("S1/a.zip", lambda part: part.write(b"bytes"), writer="w")
    assert pool.holds(stored)
    pool.path("S1/a.zip").write_bytes(b"bytez")
    assert not pool.holds(stored)
    assert pool.has_size("S1/a.zip", 5)
    assert not pool.has_size("S1/a.zip", 6)


def test_a_stored_file_is_never_overwritten(tmp_path):
    pool = Pool(tmp_path)
    pool.store("S1/a.zip", lambda part: part.write(b"bytes"), writer="w")
    with pytest.raises(ArchiveConflictError, match=r"S1/a\.zip"):
        pool.store("S1/a.zip", lambda part: part.write(b"other"), writer="w")
    assert pool.path("S1/a.zip").read_bytes() == b"bytes"
