"""Reconciliation: a source is counted day by day, and days that differ are read again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog_db.engine import Engine
from catalog_db.mirroring import mirror_queue, mirror_report
from peps_wps.mirror.hub import Hub
from peps_wps.mirror.listing import Lister, selection_of
from peps_wps.mirror.sources import Feed, Source


@dataclass(frozen=True)
class Gap:
    """A day of a feed (UTC) on which the source has not as many products as are known.

    Parameters
    ----------
    feed, day
        Which.
    theirs, ours
        Products published then: what the source counts, and what was known of before.
    reopened
        Found again by reading the day anew, and waiting now.
    """

    source: str
    feed: str
    day: datetime
    theirs: int
    ours: int
    reopened: int


@dataclass(frozen=True)
class Reconciliation:
    """What was compared, where it differed, and what was given another chance."""

    source: str
    days: int
    gaps: tuple[Gap, ...]
    retried: int


def reconcile(
    source: Source,
    hub: Hub,
    lister: Lister,
    engine: Engine,
    *,
    until: datetime,
    since: datetime | None = None,
    progress: Callable[[float, str], None] = lambda _percent, _message: None,
) -> Reconciliation:
    """Compare the counts of each day with the source; open gaps, and products given up.

    Parameters
    ----------
    source, hub, lister
        The source.
    engine
        The catalogue database.
    until, since
        Days that are compared; by default from the beginning of each feed.
    progress
        Told before each day.
    """
    wanted = [
        (feed, day)
        for feed in source.feeds
        for day in _days(max(feed.since, since or feed.since), until)
    ]
    gaps = []
    try:
        for number, (feed, (begin, end)) in enumerate(wanted):
            progress(100 * number / len(wanted), f"{source.name}, {feed.name}, {begin:%Y-%m-%d}")
            theirs = hub.count(feed, begin, end)
            ours = _known(engine, source, feed, begin, end)
            if theirs == ours:
                continue
            reopened = lister.reread(feed, begin, end)
            # Fewer of ours are no gap where another feed has the others.
            if reopened or ours > theirs:
                gaps.append(Gap(source.name, feed.name, begin, theirs, ours, reopened))
    finally:
        lister.count_requests()
    with engine.begin() as connection:
        retried = mirror_queue.reopen_failed(connection, source.name)
    return Reconciliation(source.name, len(wanted), tuple(gaps), retried)


def _known(engine: Engine, source: Source, feed: Feed, begin: datetime, end: datetime) -> int:
    selection = selection_of(source, feed)
    with engine.connect() as connection:
        return mirror_report.published_between(
            connection, selection.source, selection.name, begin, end
        )


def _days(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the days (UTC), the first and the last of them cut to what is asked."""
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        following = day + timedelta(days=1)
        yield max(day, begin), min(following, end)
        day = following
