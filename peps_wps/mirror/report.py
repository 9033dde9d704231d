"""How far the mirror is behind its sources, from rows and sums alone: no source is asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog_db.engine import Connection
from catalog_db.mirroring import mirror_days, mirror_marks, mirror_report
from catalog_db.mirroring.mirror_days import MirrorDay
from peps_wps.mirror.listing import selection_of
from peps_wps.mirror.sources import Source

PROMISE_S = 48 * 3600.0
WINDOW = timedelta(days=30)
_MOST_FAILED = 100


@dataclass(frozen=True)
class Delay:
    """How long after its publication a product was mirrored; of `number` contents, seconds.

    `share_within_48h` counts those that are late and not here yet; None where there are none.
    """

    number: int
    p50_s: float | None
    p95_s: float | None
    max_s: float | None
    share_within_48h: float | None


@dataclass(frozen=True)
class Failure:
    """A product that was given up."""

    name: str
    hub_id: str
    attempts: int
    corrupt: int
    error: str


@dataclass(frozen=True)
class SourceReport:
    """A source, and how far its mirror is; sums are of the last 30 days.

    Parameters
    ----------
    source
        Its name.
    states
        Products by state.
    listed_until
        Everything published before is known, of the feed that is furthest behind.
    closed_until
        Everything published before is here, or gone at the source.
    delay
        From publication to here.
    backlog_products, backlog_bytes, oldest_waiting
        Not here yet; when the first of them was announced.
    corrupt_downloads
        Downloads that were not what the source had announced.
    availability
        Share of the requests that the source served; None where none was sent.
    days
        What was done each day.
    failures
        Given up until the next reconciliation, the newest 100.
    """

    source: str
    states: dict[str, int]
    listed_until: datetime | None
    closed_until: datetime | None
    delay: Delay
    backlog_products: int
    backlog_bytes: int
    oldest_waiting: datetime | None
    corrupt_downloads: int
    availability: float | None
    days: list[MirrorDay]
    failures: list[Failure]


def report(connection: Connection, source: Source, now: datetime) -> SourceReport:
    """Return how far the mirror of a source is."""
    since = now - WINDOW
    marks = [
        mirror_marks.mark_of(connection, selection_of(source, feed), "published")
        for feed in source.feeds
    ]
    known = [mark for mark in marks if mark is not None]
    listed_until = min(known) if len(known) == len(marks) else None
    backlog = mirror_report.backlog(connection, source.name)
    days = mirror_days.days(connection, source.name, since)
    sent = sum(day.requests for day in days)
    refused = sum(day.refusals for day in days)
    closed = [one for one in (listed_until, backlog.oldest) if one is not None]
    return SourceReport(
        source=source.name,
        states=mirror_report.states(connection, source.name),
        listed_until=listed_until,
        closed_until=min(closed) if listed_until is not None else None,
        delay=_delay(connection, source.name, now),
        backlog_products=backlog.products,
        backlog_bytes=backlog.size_bytes,
        oldest_waiting=backlog.oldest,
        corrupt_downloads=sum(day.corrupt for day in days),
        availability=1 - refused / sent if sent else None,
        days=days,
        failures=[
            Failure(row.name, row.hub_id, row.attempts, row.corrupt, row.error or "")
            for row in mirror_report.failed(connection, source.name, _MOST_FAILED)
        ],
    )


def _delay(connection: Connection, source: str, now: datetime) -> Delay:
    since = now - WINDOW
    delays = mirror_report.delays_s(connection, source, since)
    promised = now - timedelta(seconds=PROMISE_S)
    due = len(delays) + mirror_report.late(connection, source, since, promised)
    kept = sum(delay <= PROMISE_S for delay in delays)
    return Delay(
        number=len(delays),
        p50_s=quantile(delays, 0.50),
        p95_s=quantile(delays, 0.95),
        max_s=delays[-1] if delays else None,
        share_within_48h=kept / due if due else None,
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the least of ordered values that a share of them does not exceed (nearest rank)."""
    if not ordered:
        return None
    rank = math.ceil(share * len(ordered))
    return ordered[max(rank, 1) - 1]
