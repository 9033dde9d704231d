"""Query parameters, read strictly: one that cannot be what it says is refused with its name.

An unknown parameter means nothing here and is ignored; an empty one is none.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from werkzeug import Request

from peps_wps.web.ogcapi.errors import invalid

LARGEST_LIMIT = 1000
DEFAULT_LIMIT = 10
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
# Documents show times to the millisecond: an instant stands for all of its own.
_MILLISECOND = timedelta(microseconds=999)
_LATEST = datetime.max.replace(tzinfo=UTC)

Interval = tuple[datetime | None, datetime | None]


def words(request: Request, name: str, allowed: Collection[str] = ()) -> list[str]:
    """Return the values of a list, given as several parameters or between commas."""
    found = [word for text in request.args.getlist(name) for word in text.split(",") if word]
    for word in found:
        if allowed and word not in allowed:
            raise invalid(name, f"{name} is {word[:40]}, expected one of {', '.join(allowed)}")
    return found


def numbers(request: Request, name: str) -> list[int]:
    """Return whole numbers, not below zero."""
    found = words(request, name)
    for word in found:
        if not _DIGITS.fullmatch(word):
            raise invalid(name, f"{name} is {word[:40]}, expected a number of seconds")
    return [int(word) for word in found]


def number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    """Return one whole number within bounds."""
    text = request.args.get(name) or str(default)
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
        raise invalid(name, f"{name} is {text[:40]}, expected {least} to {most}")
    return int(text)


def limit(request: Request) -> int:
    """Return how many entries a page holds at most."""
    return number(request, "limit", DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)


def interval(request: Request, name: str) -> Interval:
    """Return an instant or interval, both ends included; None where it is open."""
    text = request.args.get(name) or ""
    if not text:
        return None, None
    begin, slash, end = text.partition("/")
    first = _instant(name, begin)
    last = _instant(name, end) if slash else first
    if first is None and last is None:
        raise invalid(name, f"{name} is {text[:80]}, expected an instant or an interval")
    if first is not None and last is not None and first > last:
        raise invalid(name, f"{name} ends before it begins")
    return first, None if last is None else min(last, _LATEST - _MILLISECOND) + _MILLISECOND


def _instant(name: str, text: str) -> datetime | None:
    """Return an RFC 3339 instant, None for an open end."""
    if text in ("", ".."):
        return None
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise invalid(
            name, f"{name} has {text[:40]}, expected an instant such as 2021-08-09T17:39:53Z"
        )
    try:
        instant = datetime.fromisoformat(text.upper())
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(name, f"{name} has {text[:40]}, which is no day or time") from error
