"""Bodies of the tape service's requests, read strictly: what is malformed is refused as a whole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from peps_wps.web.problem import ProblemError

MOST_FILES = 10_000
_LONGEST_PATH = 512
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
# ISO 8601-1, 5.5.2.4; a year is taken for 365 days, a month for 30.
_DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?"
    r"(?:(?P<days>\d{1,6}(?:\.\d{1,9})?)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,8}(?:\.\d{1,9})?)H)?(?:(?P<minutes>\d{1,9}(?:\.\d{1,9})?)M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_SECONDS = {
    "years": 31_536_000,
    "months": 2_592_000,
    "weeks": 604_800,
    "days": 86_400,
    "hours": 3600,
    "minutes": 60,
    "seconds": 1,
}


@dataclass(frozen=True)
class StageOrder:
    """What a client wants staged.

    Parameters
    ----------
    paths
        The files, as `clean_path` leaves them.
    disk_lifetime_s
        The longest time that any of them is wanted on disk, seconds; None where none is given.
    deadline
        What is not on disk by then is not wanted any more: an extension.
    """

    paths: tuple[str, ...]
    disk_lifetime_s: float | None
    deadline: datetime | None


def read_stage(body: Any) -> StageOrder:
    """Return what the body of a stage request asks for; members it does not know are ignored.

    Raises
    ------
    ProblemError
        When it has not the form of the interface, or names too many files.
    """
    files = _array(body, "files")
    paths = []
    lifetimes = []
    for number, one in enumerate(files):
        place = f"files[{number}]"
        if not isinstance(one, dict):
            raise _bad(place, "is not an object")
        paths.append(clean_path(one.get("path"), f"{place}.path"))
        if (lifetime := one.get("diskLifetime")) is not None:
            lifetimes.append(duration_s(lifetime, f"{place}.diskLifetime"))
    return StageOrder(tuple(paths), max(lifetimes, default=None), _deadline(body.get("deadline")))


def read_paths(body: Any, *, are_cut: bool = False) -> list[str]:
    """Return the paths of a body; `are_cut` takes the first ones where there are too many."""
    paths = _array(body, "paths", are_cut=are_cut)
    return [clean_path(one, f"paths[{number}]") for number, one in enumerate(paths)]


def clean_path(value: Any, place: str) -> str:
    """Return a path with single slashes and none at its end; it is taken by the letter.

    Raises
    ------
    ProblemError
        When it is no text, empty, too long, or says something else than names below each other.
    """
    if not isinstance(value, str):
        raise _bad(place, "is not a text")
    if len(value) > _LONGEST_PATH:
        raise _bad(place, f"has {len(value)} characters, {_LONGEST_PATH} are allowed")
    if _UNPRINTABLE.search(value):
        raise _bad(place, "has a character that no path has")
    parts = [part for part in value.split("/") if part]
    if not parts:
        raise _bad(place, "is empty")
    if any(part in (".", "..") for part in parts):
        raise _bad(place, "goes up or stays where it is")
    return ("/" if value.startswith("/") else "") + "/".join(parts)


def duration_s(value: Any, place: str) -> float:
    """Return an ISO 8601 duration in seconds."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _bad(place, "is not a duration such as PT8H or P2D")
    return sum(float(text) * _SECONDS[unit] for unit, text in found.groupdict().items() if text)


def _deadline(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        deadline = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _bad("deadline", "is not a time such as 2026-01-31T12:00:00Z") from error
    if deadline.tzinfo is None:
        raise _bad("deadline", "has no time zone")
    try:
        deadline = deadline.astimezone(UTC)
    except OverflowError as error:
        raise _bad("deadline", "is no time") from error
    if deadline < datetime.now(UTC) - timedelta(seconds=1):
        raise _bad("deadline", "has passed")
    return deadline


def _array(body: Any, name: str, *, are_cut: bool = False) -> list[Any]:
    """Return the one member that counts, a list with something in it."""
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, list) or not found:
        raise _bad(name, "is not a list with something in it")
    if len(found) > MOST_FILES and not are_cut:
        sentence = f"{name} has {len(found)} entries, {MOST_FILES} are allowed"
        raise ProblemError(413, sentence, locator=name)
    return found[:MOST_FILES]


def _bad(place: str, reason: str) -> ProblemError:
    return ProblemError(400, f"{place} {reason}", locator=place)


def distinct(paths: Iterable[str]) -> list[str]:
    """Return paths once each, in their order."""
    return list(dict.fromkeys(paths))
