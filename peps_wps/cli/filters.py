"""The options that say what products are meant: the same of search, download and recall."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from peps_wps.client import Filters, Peps, Product, UnreachableError
from peps_wps.client.credentials import without_credentials
from peps_wps.client.filters import PARAMETERS, TIMES, wkt_of
from peps_wps.client.products import product_of

_UNITS_S = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

_NOTES = """A last % of a text stands for any rest. Numbers: n, or intervals as [a,b] and ]a,b[.
Times: 2021-08-09, 2021-08-09T17:39, or so long ago: 12h, 7d."""


def add_filters(command: argparse.ArgumentParser) -> None:
    """Describe what a search may ask for."""
    group = command.add_argument_group("filters", _NOTES)
    group.add_argument("--collection", "-c", metavar="NAME", help="S1, S2, S2ST or S3")
    for name, known in PARAMETERS.items():
        group.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="TIME" if name in TIMES else "VALUE",
            type=_time if name in TIMES else str,
            help=known.title.replace("%", "%%"),
        )
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--box", type=_numbers(4), metavar="W,S,E,N", help="degrees; --box=-5,43,2,44"
    )
    where.add_argument("--geometry", metavar="WKT|FILE", help="WKT, GeoJSON, or a file of either")
    where.add_argument("--point", type=_numbers(2), metavar="LON,LAT", help="degrees")
    group.add_argument("--radius", type=float, metavar="M", help="about --point (default: 10000)")
    group.add_argument("--limit", type=_positive, metavar="N", help="so many at most")
    group.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other parameter of the server's search; repeat for several",
    )


def add_server(command: argparse.ArgumentParser) -> None:
    """Describe which server is meant."""
    command.add_argument("--url", type=_address, help="the server (default: PEPS_URL)")


def read_filters(arguments: argparse.Namespace) -> Filters:
    """Return what the options ask for.

    Raises
    ------
    ValueError
        When they cannot be understood.
    """
    given = {name: getattr(arguments, name) for name in PARAMETERS}
    others = {}
    for text in arguments.where:
        name, separator, value = text.partition("=")
        if not separator:
            raise ValueError(f"--where {text} is no NAME=VALUE")
        others[name] = value
    return Filters(
        collection=arguments.collection,
        box=arguments.box,
        geometry=None if arguments.geometry is None else read_geometry(arguments.geometry),
        point=arguments.point,
        radius_m=arguments.radius,
        others=others,
        **given,
    )


def read_geometry(text: str) -> str:
    """Return the WKT of a text or file with WKT or GeoJSON.

    Raises
    ------
    ValueError
        When it is none of them.
    """
    if re.match(r"\s*[A-Za-z]+\s*(Z\s*)?\(|\s*\{", text) is None:
        try:
            text = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"--geometry {text}: {error.strerror}") from error
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        return wkt_of(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"--geometry is no GeoJSON: {error}") from error


def wanted_products(arguments: argparse.Namespace, peps: Peps) -> Iterator[Product | str]:
    """Return the products that a command line means: named, searched for, or listed.

    Parameters
    ----------
    arguments
        With ``names``: titles or identifiers, ``-`` for a list on standard input. The list is one
        of titles, or what ``peps search`` writes with ``--json`` or ``--geojson``.
    peps
        Where products are searched for.

    Raises
    ------
    ValueError
        When nothing is meant.
    """
    filters = read_filters(arguments)
    is_search = filters != Filters()
    is_listed = "-" in arguments.names or not (arguments.names or is_search or sys.stdin.isatty())
    named = (name for name in arguments.names if name != "-")
    listed = _of_list(peps) if is_listed else iter(())
    found = peps.search(filters, limit=arguments.limit) if is_search else iter(())
    if not (arguments.names or is_listed or is_search):
        raise ValueError("name products, say which are searched for, or list them on stdin")
    return chain(named, listed, found)


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as ``90s``, ``30min``, ``48h`` or ``7d``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no duration such as 90s, 30min, 48h or 7d")
    return float(found[1]) * _UNITS_S[found[2]]


def deadline(text: str) -> datetime:
    """Return an instant to come: a duration from now, or a time, UTC where it has no zone."""
    if re.fullmatch(r"[\d.]+\s*[a-z]+", text):
        return datetime.now(UTC) + timedelta(seconds=duration_s(text))
    return _instant(text)


def _time(text: str) -> datetime | str:
    """Return a time of a search; a day stays a day, a duration is so long ago."""
    if re.fullmatch(r"[\d.]+\s*[a-z]+", text):
        return datetime.now(UTC) - timedelta(seconds=duration_s(text))
    _instant(text)
    return text


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        expected = "expected one like 2021-08-09T17:39, or a duration like 7d"
        raise argparse.ArgumentTypeError(f"{text} is no time: {expected}") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return int(text)


def _numbers(count: int) -> Any:
    """Return what reads so many numbers with commas between."""

    def read(text: str) -> tuple[float, ...]:
        try:
            numbers = tuple(float(part) for part in text.split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != count:
            raise argparse.ArgumentTypeError(f"{text}: expected {count} numbers, commas between")
        return numbers

    return read


def _address(text: str) -> str:
    """Return the address of a server; a password is no argument: all users of a machine see it."""
    bare, credentials = without_credentials(text)
    if credentials is not None:
        raise argparse.ArgumentTypeError(
            f"credentials for {bare} belong into PEPS_USER and PEPS_PASSWORD, or a file"
        )
    return text


def _of_list(peps: Peps) -> Iterator[Product | str]:
    """Yield the products of a list on standard input."""
    for line in sys.stdin:
        text = line.strip()
        if text[:1] in ("{", "["):
            yield from _of_document(line + sys.stdin.read(), peps.server.url)
        elif text and not text.startswith("#"):
            yield text


def _of_document(text: str, address: str) -> Iterator[Product | str]:
    """Yield the products of JSON: GeoJSON features of resto, or objects with titles."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"standard input is no JSON: {error}") from error
    entries = document.get("features", [document]) if isinstance(document, dict) else document
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif "properties" in entry:
            try:
                yield product_of(entry, address)
            except UnreachableError:
                raise ValueError("standard input has features that are no products") from None
        elif "title" in entry:
            yield str(entry["title"])
        else:
            raise ValueError("standard input has entries without a title")
