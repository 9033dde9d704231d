"""The folder in a zip appears whole or not at all, and nowhere else."""

import errno
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from peps_wps.client import NoSpaceError
from peps_wps.client import extraction as client_extraction
from peps_wps.client.errors import WrongBytesError
from peps_wps.client.extraction import extract
from tests.client.conftest import safe_zip

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "A.zip"
    path.write_bytes(safe_zip("A", b"measured" * 1000))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_takes_the_place_of_the_zip(archive, tmp_path):
    old = tmp_path / "A.SAFE"
    old.mkdir()
    (old / "old").touch()

    assert extract(archive) == old
    assert names(tmp_path) == ["A.SAFE"]
    assert names(old) == ["manifest.safe", "measurement"]


@pytest.mark.parametrize(
    "members",
    [
        ["../evil"],
        ["A.SAFE/x", "../evil"],
        ["/etc/evil"],
        ["A.SAFE/../../evil"],
        ["A.SAFE/x", "B.SAFE/x"],
        [],
    ],
)
def test_a_zip_that_reaches_elsewhere_is_refused(tmp_path, members):
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "A.zip", "w") as archive:
        for name in members:
            archive.writestr(name, b"x")
    with pytest.raises(WrongBytesError):
        extract(folder / "A.zip")

    assert names(folder) == ["A.zip"]
    assert names(tmp_path) == ["in"]


def test_a_damaged_member_leaves_no_folder(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    content[content.index(b"measured") + 3] ^= 1
    archive.write_bytes(content)
    with pytest.raises(WrongBytesError, match="cannot be extracted"):
        extract(archive)
    assert names(tmp_path) == ["A.zip"]


def test_what_is_no_zip_is_told(archive):
    archive.write_bytes(b"<html>")
    with pytest.raises(WrongBytesError, match="cannot be extracted"):
        extract(archive)


def test_a_full_disk_is_told_before_and_meanwhile(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(client_extraction.shutil, "disk_usage", lambda _: Usage(9, 9, 10))
    with pytest.raises(NoSpaceError, match="is full"):
        extract(archive)

    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(client_extraction.shutil, "disk_usage", lambda _: Usage(9, 0, 10**9))
    monkeypatch.setattr(zipfile.ZipFile, "extractall", fill)
    with pytest.raises(NoSpaceError, match="is full"):
        extract(archive)
    assert names(tmp_path) == ["A.zip"]
