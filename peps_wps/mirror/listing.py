"""Listing: what a source has published, modified and deleted becomes rows.

A slice of time is read to its end before the mark of its feed moves past it, so a run that is
broken off anywhere goes on where everything was known. What was published before the mark and
appears only later is found because the time before the mark is read again: a short while at each
pass, and the whole overlap now and then.
"""

import logging
import time
from datetime import datetime, timedelta

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.mirroring import mirror_announcing, mirror_days, mirror_marks
from catalog_db.mirroring.mirror_rows import Selection
from peps_wps.config.archive_sections import Mirror
from peps_wps.mirror.hub import Hub, Subject
from peps_wps.mirror.sources import Feed, Source
from peps_wps.mirror.transport import Transport

logger = logging.getLogger(__name__)

_SHORT_OVERLAP = timedelta(minutes=15)
_FIRST_SLICE = timedelta(days=1)
_LONGEST_SLICE = timedelta(days=32)
# Slices are halved above and doubled below; a page has 1000 entries at most.
_MANY = 5000
_FEW = 1000


class Lister:
    """Keeps the rows of a source as the source is.

    Parameters
    ----------
    source, hub, transport
        The source.
    engine
        The catalogue database.
    settings
        Overlap, and how often it is read.
    """

    def __init__(
        self, source: Source, hub: Hub, transport: Transport, engine: Engine, settings: Mirror
    ) -> None:
        self._source = source
        self._hub = hub
        self._transport = transport
        self._engine = engine
        self._settings = settings
        self._whole_overlap_at = 0.0

    def run(self) -> int:
        """Read what is new of all feeds; return how many products are to be fetched by that.

        Raises
        ------
        HubUnavailableError, HubAnswerError
            What was read until then is kept.
        """
        is_whole = time.monotonic() >= self._whole_overlap_at
        overlap = timedelta(hours=self._settings.overlap_hours) if is_whole else _SHORT_OVERLAP
        found = 0
        try:
            for feed in self._source.feeds:
                found += self._follow(feed, "published", overlap)
                found += self._follow(feed, "modified", overlap)
                self._follow(feed, "deleted", overlap)
        finally:
            self.count_requests()
        if is_whole:
            self._whole_overlap_at = time.monotonic() + self._settings.rescan_s
        return found

    def reread(self, feed: Feed, begin: datetime, end: datetime) -> int:
        """Read a day or more again, without moving a mark; return how much is to be fetched."""
        return self._read(selection_of(self._source, feed), feed, "published", begin, end)[1]

    def count_requests(self) -> None:
        """Add the requests since the last time to the sums of the day."""
        sent, refused = self._transport.tally()
        with self._engine.begin() as connection:
            mirror_days.count(
                connection, self._source.name, "", times.now(), requests=sent, refusals=refused
            )

    def _follow(self, feed: Feed, subject: Subject, overlap: timedelta) -> int:
        selection = selection_of(self._source, feed)
        now = times.now()
        with self._engine.connect() as connection:
            mark = mirror_marks.mark_of(connection, selection, subject)
        if mark is None:
            # The first listing shows everything as it is: only later changes are news.
            mark = feed.since if subject == "published" else now
        begin, width, found = max(feed.since, mark - overlap), _FIRST_SLICE, 0
        while begin < now:
            is_last = begin + width >= now
            end = now if is_last else begin + width
            # The last slice is open: the source's clock may be ahead of ours.
            seen, fresh = self._read(selection, feed, subject, begin, None if is_last else end)
            with self._engine.begin() as connection:
                known_until = min(end, self._hub.clock)
                mirror_marks.advance(connection, selection, subject, known_until)
            begin, width, found = end, _next_width(width, seen), found + fresh
        return found

    def _read(
        self,
        selection: Selection,
        feed: Feed,
        subject: Subject,
        begin: datetime,
        end: datetime | None,
    ) -> tuple[int, int]:
        """Take note of a slice; return its entries, and how many are to be fetched."""
        seen, fresh = 0, 0
        if subject == "deleted":
            for deletions in self._hub.deleted(feed, begin, end):
                with self._engine.begin() as connection:
                    gone = mirror_announcing.mark_gone(connection, selection.source, deletions)
                if gone:
                    logger.info("%s: %d products withdrawn", selection.source, gone)
                seen += len(deletions)
            return seen, 0
        for page in self._hub.announced(feed, subject, begin, end):
            with self._engine.begin() as connection:
                fresh += mirror_announcing.observe(connection, selection, page)
            seen += len(page)
        if fresh:
            logger.info("%s, %s: %d products %s", selection.source, feed.name, fresh, subject)
        return seen, fresh


def selection_of(source: Source, feed: Feed) -> Selection:
    """Return what the rows of a feed are known by."""
    return Selection(source.name, feed.name, feed.priority)


def _next_width(width: timedelta, seen: int) -> timedelta:
    if seen > _MANY:
        return width / 2
    return min(2 * width, _LONGEST_SLICE) if seen < _FEW else width
