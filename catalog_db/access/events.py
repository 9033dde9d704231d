"""Events: who searched, staged, downloaded and ordered, one row each, and their sums by day."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from sqlalchemy import Connection

from catalog_db import counters
from catalog_db.tables import daily_use, event
from catalog_db.times import to_us
from catalog_db.upsert import insert_into

Kind = Literal["search", "stage", "download", "wps"]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Event:
    """Something that a user did.

    Parameters
    ----------
    instant
        When it ended.
    kind
        What it was.
    user
        Who: a user of the service, or ``anonymous``.
    collection, platform
        Of the product it was about; empty where it was about none.
    size_bytes
        How much was sent or recalled for it.
    status
        How it ended, one word of its kind.
    wait_s, duration_s
        How long it waited and how long it took, seconds; None where that means nothing.
    """

    instant: datetime
    kind: Kind
    user: str
    collection: str = ""
    platform: str = ""
    size_bytes: int = 0
    status: str = "done"
    wait_s: float | None = None
    duration_s: float | None = None


def record(connection: Connection, happened: Iterable[Event]) -> None:
    """Append events, and add them to the sums of their days, in a write transaction."""
    events = list(happened)
    if not events:
        return
    rows = [
        {
            "t_us": to_us(one.instant),
            **{name: value for name, value in vars(one).items() if name != "instant"},
        }
        for one in events
    ]
    connection.execute(event.insert(), rows)
    _add_to_days(connection, events)
    _count_downloads(connection, [one for one in events if one.kind == "download"])


def _add_to_days(connection: Connection, events: Iterable[Event]) -> None:
    sums: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in events:
        day = (one.instant.astimezone(UTC).date() - _EPOCH).days
        total = sums[day, one.kind, one.user]
        total[0] += 1
        total[1] += one.size_bytes
    statement = insert_into(connection, daily_use)
    statement = statement.on_conflict_do_update(
        index_elements=["day", "kind", "user"],
        set_={
            name: daily_use.c[name] + statement.excluded[name] for name in ("events", "size_bytes")
        },
    )
    # Sorted: two writers then lock rows in the same order.
    rows = [
        {"day": day, "kind": kind, "user": user, "events": number, "size_bytes": size}
        for (day, kind, user), (number, size) in sorted(sums.items())
    ]
    connection.execute(statement, rows)


def _count_downloads(connection: Connection, downloads: Iterable[Event]) -> None:
    for one in downloads:
        amounts = {
            (counters.DOWNLOADS, one.status): 1,
            (counters.DOWNLOAD_BYTES, one.platform): one.size_bytes,
        }
        counters.add(connection, amounts, one.instant)
