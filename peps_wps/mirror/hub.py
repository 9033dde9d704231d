"""A source as the mirror asks it: what was published, modified, deleted, and the products.

OData of the Copernicus Data Space (documentation.dataspace.copernicus.eu, APIs, OData): `$top` is
at most 1000 and `$skip` at most 10,000, so pages go on from the time of their last entry, and skip
only among entries of one instant.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal

import requests

from catalog_db.mirroring.mirror_rows import Announcement, Deletion
from peps_wps.mirror.answers import (
    announcement_of,
    count_of,
    deletion_of,
    entries_of,
    time_of,
)
from peps_wps.mirror.errors import HubAnswerError
from peps_wps.mirror.sources import Feed, Source
from peps_wps.mirror.transport import Transport

PAGE = 1000
MOST_SKIPPED = 10_000

Subject = Literal["published", "modified", "deleted"]
_KEYS: dict[Subject, str] = {
    "published": "PublicationDate",
    "modified": "ModificationDate",
    "deleted": "DeletionDate",
}


class Hub:
    """The services of a source.

    Parameters
    ----------
    source
        Its addresses.
    transport
        Sends the requests.
    page
        Entries a page.
    """

    def __init__(self, source: Source, transport: Transport, *, page: int = PAGE) -> None:
        self._source = source
        self._transport = transport
        self._page = page

    @property
    def clock(self) -> datetime:
        """The source's time at its last answer."""
        return self._transport.clock

    def announced(
        self, feed: Feed, subject: Subject, begin: datetime, end: datetime | None
    ) -> Iterator[list[Announcement]]:
        """Yield pages of the products published or modified from `begin` until before `end`."""
        for entries in self._pages("Products", feed, subject, begin, end):
            yield [announcement_of(entry, feed.collection) for entry in entries]

    def deleted(
        self, feed: Feed, begin: datetime, end: datetime | None
    ) -> Iterator[list[Deletion]]:
        """Yield pages of the products deleted from `begin` until before `end`."""
        for entries in self._pages("DeletedProducts", feed, "deleted", begin, end):
            yield [deletion_of(entry) for entry in entries]

    def count(self, feed: Feed, begin: datetime, end: datetime) -> int:
        """Return how many products were published from `begin` until before `end`."""
        condition = _filter(feed, "published", begin, end)
        parameters = {"$filter": condition, "$top": "1", "$count": "true"}
        return count_of(self._transport.json(self._address("Products"), parameters))

    def open(
        self, hub_id: str, *, offset: int, etag: str
    ) -> AbstractContextManager[requests.Response]:
        """Open the zip of a product, from a byte on if it is still the same."""
        headers = {}
        if offset:
            headers = {"Range": f"bytes={offset}-", **({"If-Range": etag} if etag else {})}
        url = f"{self._source.download}/Products({hub_id})/$zip"
        return self._transport.download(url, headers)

    def _address(self, entity: str) -> str:
        return f"{self._source.catalogue}/{entity}"

    def _pages(
        self, entity: str, feed: Feed, subject: Subject, begin: datetime, end: datetime | None
    ) -> Iterator[list[Mapping[str, Any]]]:
        key = _KEYS[subject]
        position, skipped = begin, 0
        while True:
            parameters = {
                "$filter": _filter(feed, subject, position, end),
                "$orderby": f"{key} asc",
                "$top": str(self._page),
                "$skip": str(skipped),
            }
            document = self._transport.json(self._address(entity), parameters)
            entries = entries_of(document)
            times = [time_of(entry, key) for entry in entries]
            if times != sorted(times) or (times and times[0] < position):
                raise HubAnswerError(f"entries are not in the order of {key}")
            yield entries
            # A source may give shorter pages than it is asked for; then it says that there is more.
            has_more = len(entries) >= self._page or "@odata.nextLink" in document
            if not entries or not has_more:
                return
            if times[-1] > position:
                position, skipped = times[-1], 0
            else:
                skipped += len(entries)
            if skipped > MOST_SKIPPED:
                raise HubAnswerError(f"more than {MOST_SKIPPED} entries at {position.isoformat()}")


def _filter(feed: Feed, subject: Subject, begin: datetime, end: datetime | None) -> str:
    key = _KEYS[subject]
    conditions = [f"Collection/Name eq '{feed.collection}'", f"{key} ge {_odata_time(begin)}"]
    if end is not None:
        conditions.append(f"{key} lt {_odata_time(end)}")
    if subject == "modified":
        conditions.append(f"PublicationDate ge {_odata_time(feed.since)}")
    # Deletions are matched by identifier: the row that is known says whether they concern us.
    if feed.condition and subject != "deleted":
        conditions.append(f"({feed.condition})")
    if feed.area and subject != "deleted":
        conditions.append(f"OData.CSC.Intersects(area=geography'SRID=4326;{feed.area}')")
    return " and ".join(conditions)


def _odata_time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
