"""What happened in the whole installation, counted by day in the transactions where it happened.

A count is right whatever the number of processes and machines, survives them, and costs a row a
day. Sizes are counted in bytes, times in microseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func, select

from catalog_db.tables import counter
from catalog_db.upsert import insert_into

# Recalls that ended, by state: done, failed, retried, cancelled.
RECALLS = "recalls"
# What came from tape, and how often a tape was mounted and drives were at work for it, by backend.
RECALL_BYTES = "recall_bytes"
MOUNTS = "mounts"
DRIVE_BUSY_US = "drive_busy_us"
# Files asked for that were on disk, and those that were not.
CACHE_HITS = "cache_hits"
CACHE_MISSES = "cache_misses"
# Files removed from the pool for others.
EVICTIONS = "evictions"
EVICTED_BYTES = "evicted_bytes"
# Files whose content was not the one archived, by where it was found: recall.
CHECKSUM_FAILURES = "checksum_failures"
# Downloads by how they ended; their bytes by satellite.
DOWNLOADS = "downloads"
DOWNLOAD_BYTES = "download_bytes"
# Files asked for that became ready, by the longest time in seconds that their wait fits in, and
# the time that all of them waited together.
STAGE_WAITS = "stage_waits"
STAGE_WAIT_US = "stage_wait_us"

# Searches, by class and longest time that they fit in, and the time that they took together.
SEARCHES = "searches"
SEARCH_US = "search_us"
# Jobs that ended so, by process.
JOBS_ENDED = {
    "succeeded": "jobs_succeeded",
    "failed": "jobs_failed",
    "dismissed": "jobs_dismissed",
}

# The table keeps this much of a label.
LONGEST_LABEL = 32

# Bounds of waits, seconds: from what lies on disk to what PEPS told as its mean, 48 h.
WAIT_BOUNDS_S = (1, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800)
BEYOND = "+Inf"

_EPOCH = date(1970, 1, 1)

# (name, label) -> amount
Amounts = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class DayCount:
    """What was counted on one day."""

    day: date
    name: str
    label: str
    value: int


def add(connection: Connection, amounts: Amounts, now: datetime) -> None:
    """Count amounts; what is nothing leaves no row."""
    day = _day(now)
    # Sorted: two writers then lock rows in the same order.
    rows = [
        {"name": name, "label": label, "day": day, "value": amount}
        for (name, label), amount in sorted(amounts.items())
        if amount
    ]
    if not rows:
        return
    statement = insert_into(connection, counter)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "label", "day"],
            set_={"value": counter.c.value + statement.excluded.value},
        ),
        rows,
    )


def waits(waited_s: Iterable[float]) -> dict[tuple[str, str], int]:
    """Return the amounts of files that became ready after these waits, seconds."""
    amounts: dict[tuple[str, str], int] = {}
    for seconds in waited_s:
        bound = next((str(one) for one in WAIT_BOUNDS_S if seconds <= one), BEYOND)
        for key, amount in (((STAGE_WAITS, bound), 1), ((STAGE_WAIT_US, ""), round(seconds * 1e6))):
            amounts[key] = amounts.get(key, 0) + amount
    return amounts


def totals(connection: Connection) -> dict[tuple[str, str], int]:
    """Return all that was ever counted, by name and label."""
    query = select(counter.c.name, counter.c.label, func.sum(counter.c.value).label("value"))
    rows = connection.execute(query.group_by(counter.c.name, counter.c.label))
    # PostgreSQL sums 64-bit integers as decimals.
    return {(row.name, row.label): int(row.value) for row in rows}


def by_day(connection: Connection, names: Iterable[str], since: datetime) -> list[DayCount]:
    """Return what was counted on each day from that of `since`, the earliest first."""
    columns = counter.c
    query = (
        select(columns.day, columns.name, columns.label, columns.value)
        .where(columns.name.in_(list(names)), columns.day >= _day(since))
        .order_by(columns.day, columns.name, columns.label)
    )
    return [
        DayCount(_EPOCH + timedelta(days=row.day), row.name, row.label, row.value)
        for row in connection.execute(query)
    ]


def _day(instant: datetime) -> int:
    return (instant.astimezone(UTC).date() - _EPOCH).days
