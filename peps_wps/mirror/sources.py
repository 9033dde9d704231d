"""What is mirrored from where: the file of sources, in TOML.

Credentials are never in it: they come from the environment or from a file that only its owner may
read.
"""

import math
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import shapely

from peps_wps.mirror.errors import SourceFileError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_COLLECTION = re.compile(r"[A-Za-z0-9-]{1,40}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_AREA = 4000  # characters of WKT, in an address


@dataclass(frozen=True)
class Credentials:
    """Who we are for a source; never shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Feed:
    """What is wanted of a collection.

    Parameters
    ----------
    name
        Its name within the source.
    collection
        As the source calls it: ``SENTINEL-1``.
    since
        Products published from then on.
    condition
        Further OData condition, as the source understands it.
    area
        WKT that footprints must intersect; degrees.
    priority
        Feeds with a higher one go first.
    """

    name: str
    collection: str
    since: datetime
    condition: str = ""
    area: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Source:
    """An archive that is followed.

    Parameters
    ----------
    name
        What we call it.
    catalogue, download
        Addresses of its OData services, without a slash at the end.
    token
        Where a token is fetched with user and password; empty where none is needed.
    client_id
        Of ours there.
    feeds
        What is wanted of it.
    connections
        Downloads at once.
    bandwidth_mb_s, daily_gb, requests_per_minute
        The source's limits, powers of 1000; 0 is none.
    backlog_share
        Share of the downloads that take the oldest product waiting instead of the newest.
    credentials
        None where no token is needed.
    """

    name: str
    catalogue: str
    download: str
    token: str
    client_id: str
    feeds: tuple[Feed, ...]
    connections: int
    bandwidth_mb_s: float
    daily_gb: float
    requests_per_minute: float
    backlog_share: float
    credentials: Credentials | None = None


def load_sources(path: Path | None, environ: Mapping[str, str] = os.environ) -> list[Source]:
    """Read the file of sources.

    Parameters
    ----------
    path
        The file; `[mirror] sources`.
    environ
        Holds ``MIRROR_<NAME>_USER`` and ``MIRROR_<NAME>_PASSWORD``.

    Raises
    ------
    SourceFileError
        Naming what is wrong.
    """
    if path is None:
        raise SourceFileError("no sources to mirror: [mirror] sources names no file")
    document = _read_toml(path)
    _refuse_unknown(document, ("source",), str(path))
    sources = [_source(table, environ) for table in _tables(document, "source", str(path))]
    names = [source.name for source in sources]
    if not sources or len(set(names)) != len(names):
        raise SourceFileError(f"{path} must name at least one source, each once")
    return sources


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceFileError(f"{path} cannot be read: {error}") from error


def _tables(table: Mapping[str, Any], key: str, place: str) -> list[Mapping[str, Any]]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SourceFileError(f"{place}: {key} must be tables, [[{key}]]")
    return found


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise SourceFileError(f"{place}: unknown key {unknown[0]}, expected {', '.join(known)}")


_SOURCE_KEYS = (
    *("name", "catalogue", "download", "token", "client_id", "credentials", "feed"),
    *("connections", "bandwidth_mb_s", "daily_gb", "requests_per_minute", "backlog_share"),
)
_FEED_KEYS = ("name", "collection", "since", "condition", "area", "priority")


def _source(table: Mapping[str, Any], environ: Mapping[str, str]) -> Source:
    name = _text(table, "name", "a source")
    place = f"source {name}"
    if not _NAME.fullmatch(name):
        raise SourceFileError(f"{place}: a name has small letters, digits and hyphens")
    _refuse_unknown(table, _SOURCE_KEYS, place)
    feeds = tuple(_feed(one, place) for one in _tables(table, "feed", place))
    if not feeds or len({feed.name for feed in feeds}) != len(feeds):
        raise SourceFileError(f"{place} must have at least one [[source.feed]], each name once")
    token = _address(table, "token", place) if "token" in table else ""
    share = _number(table, "backlog_share", place, 0.25)
    connections = _number(table, "connections", place, 4)
    if share > 1 or connections < 1:
        raise SourceFileError(f"{place}: backlog_share is at most 1, connections at least 1")
    return Source(
        name=name,
        catalogue=_address(table, "catalogue", place),
        download=_address(table, "download", place),
        token=token,
        client_id=_text(table, "client_id", place, "cdse-public"),
        feeds=feeds,
        connections=int(connections),
        bandwidth_mb_s=_number(table, "bandwidth_mb_s", place, 0),
        daily_gb=_number(table, "daily_gb", place, 0),
        requests_per_minute=_number(table, "requests_per_minute", place, 0),
        backlog_share=share,
        credentials=_credentials(name, table, environ) if token else None,
    )


def _feed(table: Mapping[str, Any], source: str) -> Feed:
    name = _text(table, "name", source)
    place = f"{source}, feed {name}"
    if not _NAME.fullmatch(name):
        raise SourceFileError(f"{place}: a name has small letters, digits and hyphens")
    _refuse_unknown(table, _FEED_KEYS, place)
    collection = _text(table, "collection", place)
    if not _COLLECTION.fullmatch(collection):
        raise SourceFileError(f"{place}: collection = {collection}, expected one like SENTINEL-1")
    since = table.get("since")
    if not isinstance(since, datetime) or since.tzinfo is None:
        raise SourceFileError(f"{place}: since must be a time like 2026-11-01T00:00:00Z")
    priority = table.get("priority", 0)
    if not isinstance(priority, int):
        raise SourceFileError(f"{place}: priority must be a whole number")
    area, condition = _area(table, place), _text(table, "condition", place, "")
    return Feed(name, collection, since.astimezone(UTC), condition, area, priority)


def _area(table: Mapping[str, Any], place: str) -> str:
    text = _text(table, "area", place, "")
    try:
        is_area = not text or shapely.from_wkt(text).area > 0
    except shapely.errors.ShapelyError:
        is_area = False
    if not is_area or "'" in text or len(text) > _LONGEST_AREA:
        raise SourceFileError(f"{place}: area must be a polygon in WKT, longitude first")
    return text


def _text(table: Mapping[str, Any], key: str, place: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise SourceFileError(f"{place}: {key} must be a text")
    return value


def _number(table: Mapping[str, Any], key: str, place: str, default: float) -> float:
    value = table.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise SourceFileError(f"{place}: {key} must be a number, not negative")
    return float(value)


def _address(table: Mapping[str, Any], key: str, place: str) -> str:
    """Return an address; passwords and tokens do not travel in the open."""
    text = _text(table, key, place).rstrip("/")
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (is_safe and parts.hostname and not parts.username and not parts.query):
        raise SourceFileError(f"{place}: {key} must be an address like https://host/path")
    return text


def _credentials(name: str, table: Mapping[str, Any], environ: Mapping[str, str]) -> Credentials:
    """Return user and password from the environment, else from the file of credentials."""
    prefix = f"MIRROR_{name.upper().replace('-', '_')}"
    user, password = environ.get(f"{prefix}_USER"), environ.get(f"{prefix}_PASSWORD")
    if user and password:
        return Credentials(user, password)
    if "credentials" not in table:
        sentence = f"set {prefix}_USER and {prefix}_PASSWORD, or credentials to a file"
        raise SourceFileError(f"source {name} has no credentials: {sentence}")
    path = Path(_text(table, "credentials", f"source {name}")).expanduser()
    _refuse_readable(path)
    found = _read_toml(path)
    user, password = found.get("user"), found.get("password")
    if not (isinstance(user, str) and isinstance(password, str)):
        raise SourceFileError(f"{path} must hold user and password as texts")
    return Credentials(user, password)


def _refuse_readable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SourceFileError(f"{path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SourceFileError(f"{path} can be read by others: chmod 600 {path}")
