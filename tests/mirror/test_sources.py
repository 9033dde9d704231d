"""The file of sources: what is wrong is named, credentials stay where they are safe."""

from pathlib import Path

import pytest

from peps_wps.mirror.errors import SourceFileError
from peps_wps.mirror.sources import load_sources

GOOD = """
[[source]]
name = "cdse"
catalogue = "https://catalogue.example.org/odata/v1"
download = "https://download.example.org/odata/v1/"
token = "https://identity.example.org/token"
credentials = "{credentials}"
connections = 4
daily_gb = 400

[[source.feed]]
name = "grd"
collection = "SENTINEL-1"
condition = "contains(Name,'GRDH')"
area = "POLYGON((0 40, 5 40, 5 45, 0 45, 0 40))"
since = 2026-11-01T00:00:00+01:00
priority = 10
"""
ENVIRONMENT = {"MIRROR_CDSE_USER": "somebody", "MIRROR_CDSE_PASSWORD": "a secret"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    credentials = tmp_path / "credentials.toml"
    credentials.touch(0o600)
    credentials.write_text('user = "somebody"\npassword = "a secret"\n')
    path = tmp_path / "sources.toml"
    path.write_text(GOOD.format(credentials=credentials))
    return path


def test_a_source_is_read_with_its_limits(path: Path) -> None:
    (source,) = load_sources(path, {})
    (feed,) = source.feeds
    assert (source.connections, source.daily_gb, source.backlog_share) == (4, 400, 0.25)
    assert source.download == "https://download.example.org/odata/v1"
    assert feed.since.isoformat() == "2026-10-31T23:00:00+00:00"
    assert source.credentials is not None
    assert (source.credentials.user, source.credentials.password) == ("somebody", "a secret")
    assert "secret" not in repr(source)


def test_credentials_that_others_can_read_are_refused(path: Path) -> None:
    (path.parent / "credentials.toml").chmod(0o640)
    with pytest.raises(SourceFileError, match="chmod 600"):
        load_sources(path, {})
    assert load_sources(path, ENVIRONMENT)[0].credentials is not None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("https://catalogue", "http://catalogue", "catalogue must be an address like https"),
        ("https://identity", "https://me:pw@identity", "token must be an address"),
        ('name = "cdse"', 'name = "../cdse"', "a name has small letters"),
        ("connections = 4", "connections = 0", "connections at least 1"),
        ("connections = 4", "conections = 4", "unknown key conections"),
        ("daily_gb = 400", "daily_gb = -1", "daily_gb must be a number"),
        ("daily_gb = 400", "daily_gb = nan", "daily_gb must be a number"),
        ("daily_gb = 400", "backlog_share = 1.5", "backlog_share is at most 1"),
        ("POLYGON((0 40", "POLYGON((0 x", "area must be a polygon"),
        ("POLYGON((0 40, 5 40, 5 45, 0 45, 0 40))", "POINT(1 2)", "area must be a polygon"),
        ("SENTINEL-1", "S' or 1 eq 1", "collection = S' or 1 eq 1"),
        ("T00:00:00+01:00", "T00:00:00", "since must be a time"),
        ("priority = 10", 'priority = "high"', "priority must be a whole number"),
        ("[[source.feed]]", "[source.feed]", "feed must be tables"),
        ("[[source]]", "[[sources]]", "unknown key source"),
        ("connections = 4", "connections = ", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(path: Path, old: str, new: str, message: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SourceFileError, match=message):
        load_sources(path, ENVIRONMENT)


def test_without_credentials_it_is_said_where_they_go(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "credentials" not in line]
    path.write_text("\n".join(lines))
    with pytest.raises(SourceFileError, match="MIRROR_CDSE_USER and MIRROR_CDSE_PASSWORD"):
        load_sources(path, {})
