"""Archives are plain stored zips, the same bytes for the same members."""

import json
import zipfile
from pathlib import Path

import pytest

from peps_wps.writers.archive import write_archive
from peps_wps.writers.json_document import write_json


@pytest.fixture
def members(tmp_path: Path) -> dict[str, Path]:
    contents = {"a/tile.tif": b"\1" * 5000, "a/item.json": b"{}", "empty": b""}
    paths = {}
    for number, (name, content) in enumerate(contents.items()):
        paths[name] = tmp_path / f"source {number}"
        paths[name].write_bytes(content)
    return paths


def test_members_are_stored_in_their_order(tmp_path: Path, members: dict[str, Path]) -> None:
    write_archive(tmp_path / "out.zip", members)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(members)
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert archive.read(info) == members[info.filename].read_bytes()
            assert info.external_attr >> 16 == 0o100644


def test_the_same_members_make_the_same_bytes(tmp_path: Path, members: dict[str, Path]) -> None:
    for name in ("one.zip", "two.zip"):
        write_archive(tmp_path / name, members)
        for path in members.values():
            path.touch()
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_failed_archive_leaves_nothing(tmp_path: Path, members: dict[str, Path]) -> None:
    members["gone"] = tmp_path / "gone"
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / "out.zip", members)
    assert sorted(tmp_path.iterdir()) == before


def test_members_beyond_the_limit_of_old_zips_are_whole(
    tmp_path: Path, members: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # 2 GiB - 1 in earnest
    write_archive(tmp_path / "out.zip", members)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.getinfo("a/tile.tif").extract_version == zipfile.ZIP64_VERSION
        assert archive.testzip() is None
        assert archive.read("a/tile.tif") == members["a/tile.tif"].read_bytes()


def test_json_has_one_key_a_line_and_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, {"a": 1, "b": ["x", "é"]})
    assert path.read_text(encoding="utf-8").splitlines() == [
        "{", ' "a": 1,', ' "b": [', '  "x",', '  "é"', " ]", "}",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8"))["a"] == 1
