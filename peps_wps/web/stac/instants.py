"""Instants and intervals as STAC writes them: RFC 3339, open ends as ``..`` or nothing."""

import re
from datetime import UTC, datetime

from peps_wps.web.problem import ProblemError

# RFC 3339, 5.6; digits beyond the microsecond are read over.
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,30}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_OPEN = ("", "..")


def read_instant(name: str, text: str) -> datetime:
    """Return the instant of a text, in UTC.

    Raises
    ------
    ProblemError
        400 when it is none; `name` says of which parameter.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise _no_time(name, text)
    day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in "Zz" else zone
    digits = (fraction or "0")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{digits}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _no_time(name, text) from error


def _no_time(name: str, text: str) -> ProblemError:
    detail = f"{name} {text[:40]} is no time, expected one like 2021-08-09T17:39:53Z"
    return ProblemError(400, detail, locator=name)


def read_interval(name: str, text: str) -> tuple[datetime | None, datetime | None]:
    """Return the bounds of an instant or an interval; None is open.

    Raises
    ------
    ProblemError
        400 when it is none, open on both sides, or ends before it begins.
    """
    first, slash, last = text.partition("/")
    if not slash:
        instant = read_instant(name, first)
        return instant, instant
    start = None if first in _OPEN else read_instant(name, first)
    end = None if last in _OPEN else read_instant(name, last)
    if start is None and end is None:
        raise ProblemError(400, f"{name} is open on both sides", locator=name)
    if start is not None and end is not None and end < start:
        raise ProblemError(400, f"{name} ends before it begins", locator=name)
    return start, end
