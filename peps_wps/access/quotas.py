"""How much a user may download: the limits, whether one more file fits, and why not.

Who gave no name is counted by address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug import Request

from catalog_db.access.downloads import Download, Usage
from peps_wps.access.caller import Caller
from peps_wps.access.throttle import place_of
from peps_wps.config.archive_sections import Downloads
from peps_wps.errors import QuotaError

_GIGABYTE = 10**9
# Of a download that has sent nothing yet, nobody can say when it ends.
_UNKNOWN_END = timedelta(seconds=30)
_LATEST_END = timedelta(minutes=10)


@dataclass(frozen=True)
class Limits:
    """What one user may have; 0 is no limit.

    Parameters
    ----------
    files
        Downloads at once.
    running_bytes
        Size of the downloads at once.
    day_bytes
        What may be sent within 24 hours.
    """

    files: int = 0
    running_bytes: int = 0
    day_bytes: int = 0

    @classmethod
    def of(cls, section: Downloads) -> "Limits":
        """Return the limits of a configuration."""
        return cls(
            section.files_user,
            round(section.gb_user * _GIGABYTE),
            round(section.gb_day_user * _GIGABYTE),
        )


def subject_of(caller: Caller, request: Request, proxies: int) -> str:
    """Return whose quota a request is: the user's, or that of its address, which is no user's name.

    `proxies` is the number of proxies in front of the service.
    """
    return f"from {place_of(request, proxies)}" if caller.is_anonymous else caller.name


def check(limits: Limits, used: Usage, wanted_bytes: int, now: datetime) -> None:
    """Refuse a download that the limits do not leave room for.

    Whoever has nothing in use may have any file, however large: it could never be had otherwise.

    Raises
    ------
    QuotaError
        When there is no room; it says which limit, what is used and until when.
    """
    _check_files(limits.files, used, now)
    _check_running(limits.running_bytes, used, wanted_bytes, now)
    _check_day(limits.day_bytes, used, wanted_bytes, now)


def _check_files(limit: int, used: Usage, now: datetime) -> None:
    number = len(used.running)
    if limit and number >= limit:
        wait = _next_end(used.running, now)
        raise QuotaError(
            f"{number} of your downloads are running and {limit} at once are allowed: "
            f"one is expected to end in {_seconds(wait)} s",
            wait.total_seconds(),
        )


def _check_running(limit: int, used: Usage, wanted_bytes: int, now: datetime) -> None:
    running_bytes = _size(used.running)
    if limit and used.running and running_bytes + wanted_bytes > limit:
        wait = _next_end(used.running, now)
        raise QuotaError(
            f"your running downloads have {_gigabytes(running_bytes)} GB, this one "
            f"{_gigabytes(wanted_bytes)} GB, and {_gigabytes(limit)} GB at once are allowed: "
            f"one is expected to end in {_seconds(wait)} s",
            wait.total_seconds(),
        )


def _check_day(limit: int, used: Usage, wanted_bytes: int, now: datetime) -> None:
    sent_bytes = sum(volume.size_bytes for volume in used.volumes)
    running_bytes = _size(used.running)
    excess = sent_bytes + running_bytes + wanted_bytes - limit
    if not limit or excess <= 0 or sent_bytes + running_bytes == 0:
        return
    instant = _when_gone(used, min(excess, sent_bytes), now)
    raise QuotaError(
        f"you were sent {_gigabytes(sent_bytes)} GB in the last 24 hours, "
        f"{_gigabytes(running_bytes)} GB are under way, this download has "
        f"{_gigabytes(wanted_bytes)} GB, and {_gigabytes(limit)} GB in 24 hours are allowed: "
        f"there is room from {instant:%Y-%m-%dT%H:%M:%SZ} on",
        (instant - now).total_seconds(),
    )


def _when_gone(used: Usage, excess: int, now: datetime) -> datetime:
    """Return when so many bytes of what was sent have left the window."""
    if excess <= 0:
        return now + _next_end(used.running, now)
    for volume in used.volumes:
        excess -= volume.size_bytes
        if excess <= 0:
            break
    return max(volume.expires, now)


def _next_end(running: tuple[Download, ...], now: datetime) -> timedelta:
    """Return about how long it takes until the first of some downloads ends."""
    return min(_end(one, now) for one in running)


def _end(one: Download, now: datetime) -> timedelta:
    """Return about how long a download still takes, by how fast it has been."""
    if not one.sent_bytes:
        return _UNKNOWN_END
    left = (one.size_bytes / one.sent_bytes - 1) * (now - one.started)
    return min(max(left, timedelta(seconds=1)), _LATEST_END)


def _size(running: tuple[Download, ...]) -> int:
    return sum(one.size_bytes for one in running)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / _GIGABYTE:.3g}"


def _seconds(wait: timedelta) -> int:
    return max(1, round(wait.total_seconds()))
