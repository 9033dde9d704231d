"""Which files inputs by reference may name."""

import os
from pathlib import Path

import pytest

from tests.ordering.reference_server import LIMIT, reader, refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    allowed = tmp_path / "in"
    (allowed / "deep").mkdir(parents=True)
    (allowed / "deep" / "é a.txt").write_text("inside")
    (tmp_path / "in-secret").mkdir()
    (tmp_path / "in-secret" / "key").write_text("secret")
    (allowed / "link").symlink_to(tmp_path / "in-secret" / "key")
    (allowed / "up").symlink_to(tmp_path)
    os.mkfifo(allowed / "pipe")
    (allowed / "large").write_bytes(b"x" * (LIMIT + 1))
    (allowed / "again").symlink_to(allowed / "again")
    return allowed


def test_a_file_of_an_allowed_folder_is_read(folder: Path) -> None:
    reads = reader(allowed_folders=str(folder))
    for href in (f"file://{folder}/deep/%C3%A9%20a.txt", f"file://localhost{folder}/deep/é a.txt"):
        assert reads.text("region", href) == "inside"


@pytest.mark.parametrize(
    "path",
    [
        "../in-secret/key",
        "../../../../../../../../etc/passwd",
        "%2e%2e/in-secret/key",
        "link",
        "up/in-secret/key",
        "pipe",
        "deep",
        "again",
        "no-such",
        "deep%00",
        "large",
        "x" * 5000,
    ],
)
def test_nothing_else_is(folder: Path, path: str) -> None:
    refused(reader(allowed_folders=str(folder)), f"file://{folder}/{path}")


@pytest.mark.parametrize(
    "href", ["file:/etc/passwd", "file://other/etc/passwd", "file:relative", "file:", "file:///"]
)
def test_a_file_elsewhere_is_refused(folder: Path, href: str) -> None:
    refused(reader(allowed_folders=str(folder)), href)


def test_a_folder_of_a_similar_name_is_another(folder: Path) -> None:
    secret = folder.with_name("in-secret") / "key"
    refused(reader(allowed_folders=str(folder)), secret.as_uri())
