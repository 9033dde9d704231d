"""How much the installation is used, from sums by day: no event is read, and nobody is named."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func, select

from catalog_db import counters
from catalog_db.counters import DayCount
from catalog_db.tables import account, daily_use

_EPOCH = date(1970, 1, 1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = (
    counters.DOWNLOADS,
    counters.DOWNLOAD_BYTES,
    counters.STAGE_WAITS,
    counters.STAGE_WAIT_US,
    *counters.JOBS_ENDED.values(),
)
_ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class MonthUse:
    """What was done in a month.

    Parameters
    ----------
    month
        Its first day.
    downloads, download_bytes
        Products sent, and bytes, those of downloads that were broken off too.
    staged, mean_wait_s
        Files on tape that were asked for and came, and how long they took in the mean; None where
        there were none.
    jobs
        Orders that ended, well or not.
    """

    month: date
    downloads: int
    download_bytes: int
    staged: int
    mean_wait_s: float | None
    jobs: int


@dataclass(frozen=True)
class Users:
    """Users that there are, and how many did something in the last days."""

    registered: int
    active: int


@dataclass(frozen=True)
class Usage:
    """How much the installation is used.

    Parameters
    ----------
    months
        The earliest first; months without any use are left out.
    distributed
        Bytes sent, by year and satellite.
    days, recent_bytes
        Bytes sent on so many whole days before this one.
    """

    months: Sequence[MonthUse]
    distributed: Mapping[tuple[int, str], int]
    days: int
    recent_bytes: int


def usage(connection: Connection, now: datetime, *, days: int = 30) -> Usage:
    """Return how much the installation is used; the running day is not among the last days."""
    counted = counters.by_day(connection, _NAMES, _BEGINNING)
    sent = [one for one in counted if one.name == counters.DOWNLOAD_BYTES]
    today = now.astimezone(UTC).date()
    distributed: Counter[tuple[int, str]] = Counter()
    for one in sent:
        distributed[one.day.year, one.label] += one.value
    recent = (one.value for one in sent if today - timedelta(days=days) <= one.day < today)
    return Usage(_months(counted), dict(sorted(distributed.items())), days, sum(recent))


def users(connection: Connection, now: datetime, *, days: int = 30) -> Users:
    """Return how many users there are, and how many of them did something in the last days."""
    registered = select(func.count()).select_from(account).where(account.c.is_disabled.is_(False))
    since = (now.astimezone(UTC).date() - _EPOCH).days - days
    active = select(func.count(daily_use.c.user.distinct())).where(
        daily_use.c.day >= since, daily_use.c.user != _ANONYMOUS
    )
    return Users(
        connection.execute(registered).scalar_one(), connection.execute(active).scalar_one()
    )


def _months(counted: Sequence[DayCount]) -> list[MonthUse]:
    sums: dict[date, Counter[str]] = {}
    for one in counted:
        sums.setdefault(one.day.replace(day=1), Counter())[one.name] += one.value
    return [_month(month, found) for month, found in sorted(sums.items())]


def _month(month: date, found: Counter[str]) -> MonthUse:
    staged = found[counters.STAGE_WAITS]
    return MonthUse(
        month=month,
        downloads=found[counters.DOWNLOADS],
        download_bytes=found[counters.DOWNLOAD_BYTES],
        staged=staged,
        mean_wait_s=found[counters.STAGE_WAIT_US] / 1e6 / staged if staged else None,
        jobs=sum(found[name] for name in counters.JOBS_ENDED.values()),
    )
