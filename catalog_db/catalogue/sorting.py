"""Pages of few products in the order of a field other than the start of sensing."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from sqlalchemy import Connection, select

from catalog_db.catalogue.query import SearchQuery
from catalog_db.errors import QueryError
from catalog_db.tables import item, updated_us
from catalog_db.upsert import is_among

_COLUMNS = {
    "end": item.c.t1_us,
    "title": item.c.title,
    "cloud_cover": item.c.cloud_cover,
    "snow_cover": item.c.snow_cover,
    "published": item.c.published_us,
    "updated": updated_us,
    "size_bytes": item.c.size_bytes,
}
Value = str | float | None
Entry = tuple[Value, int]


@dataclass(frozen=True)
class SortedPage:
    """Keys of the rows of a page, and where it ends and starts."""

    keys: Sequence[int]
    cursor: str | None
    cursor_before: str | None


def sorted_page(connection: Connection, query: SearchQuery, keys: Sequence[int]) -> SortedPage:
    """Return the page of these rows that a search asks for.

    Raises
    ------
    QueryError
        When the cursor has no meaning.
    """
    column = _COLUMNS[query.sort.field]
    rows = connection.execute(
        select(column, item.c.pk).where(is_among(connection, item.c.pk, keys))
    )
    sign = -1 if query.sort.is_descending else 1

    def order(one: Entry, other: Entry) -> int:
        return _order(one, other, sign)

    entries = sorted(((row[0], row[1]) for row in rows), key=cmp_to_key(order))
    if query.cursor is not None:
        before = _entry(query.cursor, is_text=query.sort.field == "title")
        entries = [entry for entry in entries if order(entry, before) > 0]
    entries = entries[query.offset :]
    page = entries[: query.limit]
    is_first = query.cursor is None and query.offset == 0
    return SortedPage(
        keys=[key for _, key in page],
        cursor=_cursor(page[-1]) if page and len(entries) > len(page) else None,
        cursor_before=_cursor(page[0]) if page and not is_first else None,
    )


def _order(one: Entry, other: Entry, sign: int) -> int:
    """Compare two entries: what has no value comes last whatever the order; then the rows."""
    missing = (one[0] is None) - (other[0] is None)
    if missing:
        return missing
    first, second = (one, other) if one[0] is not None else ((0, one[1]), (0, other[1]))
    return sign * ((first > second) - (first < second))


def _cursor(entry: Entry) -> str:
    """Return an entry as opaque text for a client."""
    return base64.urlsafe_b64encode(json.dumps(entry).encode()).decode().rstrip("=")


def _entry(cursor: str, *, is_text: bool) -> Entry:
    """Return the entry of a cursor."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    types = str if is_text else (int, float)
    match found:
        case [value, int(key)] if value is None or isinstance(value, types):
            return value, key
    raise QueryError(f"{cursor[:40]} is no cursor of this search")
