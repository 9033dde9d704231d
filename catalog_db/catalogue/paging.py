"""Pages: where one starts and ends, and what is remembered of the pages before it."""

import threading
from collections import OrderedDict
from dataclasses import replace
from weakref import WeakKeyDictionary

import shapely
from sqlalchemy import Connection, Engine

from catalog_db.catalogue.query import Position, SearchQuery

# Searches whose pages are remembered, and pages of each.
_MOST_SEARCHES = 200
_MOST_PAGES = 200


class PageMemory:
    """Where the pages of recent searches ended: the next one starts there, not from the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searches: OrderedDict[str, dict[int, Position]] = OrderedDict()

    def remember(self, search: str, offset: int, position: Position) -> None:
        """Remember that so many products of a search end at a position."""
        with self._lock:
            pages = self._searches.setdefault(search, {})
            self._searches.move_to_end(search)
            pages[offset] = position
            if len(pages) > _MOST_PAGES:
                del pages[next(iter(pages))]
            if len(self._searches) > _MOST_SEARCHES:
                self._searches.popitem(last=False)

    def nearest(self, search: str, offset: int) -> tuple[int, Position | None]:
        """Return the last remembered number of products up to an offset, and where they end."""
        with self._lock:
            pages = self._searches.get(search, {})
            nearest = max((one for one in pages if one <= offset), default=0)
            return nearest, pages.get(nearest)


def search_name(query: SearchQuery) -> str:
    """Return a text that is the same for all pages of a search."""
    region = None if query.region is None else shapely.to_wkb(query.region, hex=True)
    asked = replace(query, region=None, offset=0, limit=0, cursor=None)
    return f"{region}{asked}"


_memories: "WeakKeyDictionary[Engine, PageMemory]" = WeakKeyDictionary()


def page_memory(connection: Connection) -> PageMemory:
    """Return the memory of the searches of a database, in this process."""
    return _memories.setdefault(connection.engine, PageMemory())
