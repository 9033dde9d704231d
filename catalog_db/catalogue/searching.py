"""The search: counts plan it, an index gives candidates, the exact geometry decides.

Where few products are expected, all candidates are read at once: page and total are exact. Where
many are, time is cut into slices that hold about a page each, read in the order asked for until the
page is full, and the total comes from the counts: exact if they tell all that is asked, else
estimated. What a search may read is bounded, so that one for what hardly exists costs no more than
another: it ends its page early, and the cursor goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select

from catalog_db.catalogue.candidates import Candidates
from catalog_db.catalogue.census import census_of
from catalog_db.catalogue.counts import DAY_US
from catalog_db.catalogue.estimating import estimated_total
from catalog_db.catalogue.paging import page_memory, search_name
from catalog_db.catalogue.product import Product
from catalog_db.catalogue.products import products_of, select_products
from catalog_db.catalogue.query import Position, SearchQuery, SearchResult
from catalog_db.catalogue.scope import Scope, scope_of
from catalog_db.catalogue.sorting import sorted_page
from catalog_db.catalogue.timeline import Timeline
from catalog_db.errors import QueryError
from catalog_db.tables import item
from catalog_db.upsert import among, numbers

Integers = NDArray[np.int64]

# Up to so many products expected, each is looked at: the total is exact.
EXACT_UP_TO = 800
# Where the counts were wrong: read no more than this at once.
_MOST_AT_ONCE = 40_000
# Entries of an index, and rows of the table, that one page may read.
_MOST_ENTRIES = 60_000
_MOST_ROWS = 10_000
# Products that a page may have before it and after the last one that is remembered.
MOST_SKIPPED = 20_000
_LAST_KEY = 2**62


def search(connection: Connection, query: SearchQuery) -> SearchResult:
    """Return a page of the products that meet the query: in its order, then by row.

    Raises
    ------
    QueryError
        When the region or the cursor has no meaning, the order is for fewer products, or the page
        is too far from the first.
    """
    census = census_of(connection)
    scope = scope_of(connection, census, query)
    found = _Search(query, scope, Candidates(connection, census, scope)).page()
    items = _products(connection, found.keys[: query.limit])
    return SearchResult(
        items=items,
        total=found.total,
        total_is_exact=found.total_is_exact,
        cursor=found.cursor,
        cursor_before=found.cursor_before,
    )


@dataclass(frozen=True)
class _Page:
    """Keys of the rows of a page, and the rest of its result."""

    keys: Sequence[int] = ()
    total: int = 0
    total_is_exact: bool = True
    cursor: str | None = None
    cursor_before: str | None = None


@dataclass(frozen=True)
class _Walk:
    """What slices of time held.

    Parameters
    ----------
    rows
        Start and key of products, in order.
    expected
        Products that were expected there.
    is_to_the_end
        All time was walked.
    frontier
        Where the walk was given up; None when all time was walked, or enough was found.
    """

    rows: Integers
    expected: float
    is_to_the_end: bool = False
    frontier: Position | None = None


@dataclass(frozen=True)
class _Search:
    query: SearchQuery
    scope: Scope
    candidates: Candidates

    def page(self) -> _Page:
        """Return the page of the search."""
        if self.query.cursor is not None and self._is_by_start:
            Position.from_cursor(self.query.cursor)  # refuse it also where nothing is found
        if self._whole.total <= 0.0:
            return _Page()
        rows = self._all_rows()
        if not self._is_by_start:
            return self._sorted(rows)
        if rows is not None:
            return self._exact(rows)
        return self._sliced()

    @property
    def _is_by_start(self) -> bool:
        return self.query.sort.field == "start"

    @property
    def _is_descending(self) -> bool:
        return self.query.sort.is_descending

    @cached_property
    def _whole(self) -> Timeline:
        return self.scope.timeline()

    def _all_rows(self) -> Integers | None:
        """Return start and key of all products of the search, None when they are many."""
        whole = self._whole
        if self.scope.keys is None and whole.total > EXACT_UP_TO:
            return None
        rows = [np.empty((0, 2), np.int64)]
        for span in whole.spans(0.0, whole.total, is_broken=self.scope.is_broken):
            found = self.candidates.read(span, expected=whole.total, most=_MOST_AT_ONCE)
            if found is None:
                return None
            rows.append(found)
        return self._in_order(np.concatenate(rows))

    def _in_order(self, rows: Integers) -> Integers:
        ordered: Integers = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        return ordered[::-1] if self._is_descending else ordered

    def _after(self, rows: Integers, cursor: Position | None) -> Integers:
        """Return the rows that come after a cursor."""
        if cursor is None:
            return rows
        later = (rows[:, 0] > cursor.t0_us) | (
            (rows[:, 0] == cursor.t0_us) & (rows[:, 1] > cursor.pk)
        )
        same = (rows[:, 0] == cursor.t0_us) & (rows[:, 1] == cursor.pk)
        chosen: Integers = rows[~later & ~same if self._is_descending else later]
        return chosen

    @property
    def _cursor(self) -> Position | None:
        return None if self.query.cursor is None else Position.from_cursor(self.query.cursor)

    def _sorted(self, rows: Integers | None) -> _Page:
        """Return a page in the order of another field."""
        if rows is None:
            raise QueryError(
                f"too many products to sort them by {self.query.sort.field}: narrow the search"
            )
        page = sorted_page(self.candidates.connection, self.query, rows[:, 1].tolist())
        return _Page(page.keys, len(rows), cursor=page.cursor, cursor_before=page.cursor_before)

    def _exact(self, rows: Integers) -> _Page:
        """Return a page of rows that are all there are."""
        return self._cut(self._after(rows, self._cursor)[self.query.offset :], len(rows))

    def _cut(
        self, rows: Integers, total: int, *, is_exact: bool = True, frontier: Position | None = None
    ) -> _Page:
        """Return the page that starts with these rows."""
        limit = self.query.limit
        following = frontier
        if 0 < limit < len(rows):
            following = Position(*rows[limit - 1].tolist())
        page = rows[:limit]
        is_first = self.query.cursor is None and self.query.offset == 0
        return _Page(
            keys=page[:, 1].tolist(),
            total=total,
            total_is_exact=is_exact,
            cursor=None if following is None else following.to_cursor(),
            cursor_before=None
            if is_first or not len(page)
            else Position(*page[0].tolist()).to_cursor(),
        )

    def _sliced(self) -> _Page:
        """Return a page of a search that meets many products."""
        if self.scope.is_counted:
            total = int(self._counted_days[1].sum())
            return self._cut(self._counted_rows(), total)
        skipped, cursor = 0, self._cursor
        memory, name = page_memory(self.candidates.connection), search_name(self.query)
        if cursor is None:
            skipped, cursor = memory.nearest(name, self.query.offset)
        skip = self.query.offset - skipped
        if skip > MOST_SKIPPED:
            raise QueryError(
                f"a page after {self.query.offset} products is too far: narrow the search, or "
                "follow the links from page to page"
            )
        walk = self._walk(cursor, skip + self.query.limit + 1)
        is_exact = walk.is_to_the_end and cursor is None
        total = len(walk.rows)
        if not is_exact:
            total = estimated_total(
                self.candidates, self._whole, seen=skipped + total, seen_of=walk.expected
            )
        page = self._cut(walk.rows[skip:], total, is_exact=is_exact, frontier=walk.frontier)
        if page.cursor and self.query.cursor is None:
            end = self.query.offset + len(page.keys)
            memory.remember(name, end, Position.from_cursor(page.cursor))
        return page

    def _rest(self, cursor: Position | None) -> Timeline:
        """Return the timeline of what comes at a cursor and after it."""
        if cursor is None:
            return self._whole
        if self._is_descending:
            return self.scope.timeline(last_us=cursor.t0_us)
        return self.scope.timeline(first_us=cursor.t0_us)

    def _walk(self, cursor: Position | None, wanted: int) -> _Walk:
        """Read slices of time, in order, until so many products are found."""
        rest = self._rest(cursor)
        most = _MOST_ENTRIES if self.scope.is_covered else _MOST_ROWS
        rows, found, done, step = [np.empty((0, 2), np.int64)], 0, 0.0, 1.5 * wanted + 50
        while found < wanted and done < rest.total:
            if done > most:
                return _Walk(np.concatenate(rows), done, frontier=self._frontier(rest, done))
            step = min(step, rest.total - done, most - done + 1.0)
            if rest.total - done - step < 0.3 * step:
                step = rest.total - done
            slice_rows = self._slice(rest, done, step)
            if slice_rows is None:
                step = max(step / 8, 1e-3)
                continue
            rows.append(self._after(slice_rows, cursor))
            found, done = found + len(rows[-1]), done + step
            rate = max(found, 0.5) / done
            step = float(np.clip(1.3 * (wanted - found) / rate, step / 4, 4 * step))
        return _Walk(np.concatenate(rows), done, is_to_the_end=done >= rest.total)

    def _slice(self, rest: Timeline, done: float, step: float) -> Integers | None:
        """Return the rows of a slice, in order; None when there are far more than expected."""
        low, high = done, done + step
        if self._is_descending:
            low, high = rest.total - high, rest.total - low
        is_small = step < 10.0  # no smaller slice would help: all started at the same instant
        rows = [np.empty((0, 2), np.int64)]
        for span in rest.spans(max(low, 0.0), high, is_broken=self.scope.is_broken):
            most = 2**31 if is_small else _MOST_AT_ONCE
            found = self.candidates.read(span, expected=step, most=most)
            if found is None:
                return None
            rows.append(found)
        return self._in_order(np.concatenate(rows))

    def _frontier(self, rest: Timeline, done: float) -> Position:
        """Return the position after all that a walk has read."""
        if self._is_descending:
            return Position(int(rest.instants(np.array([rest.total - done]))[0]), 0)
        return Position(int(rest.instants(np.array([done]))[0]) - 1, _LAST_KEY)

    @cached_property
    def _counted_days(self) -> tuple[Integers, Integers]:
        """Return days and the products on each, exactly: parts of days are counted in the index."""
        first, last = self.scope.first_us, self.scope.last_us
        rows = self.scope.days_within(first, last)
        products = np.rint(self.scope.by_day[rows] @ self.scope.shares).astype(np.int64)
        days = np.arange(rows.start, rows.stop) + self.scope.first_day
        for index in {0, len(days) - 1}:
            start = int(days[index]) * DAY_US
            span = max(start, first), min(start + DAY_US - 1, last)
            if span != (start, start + DAY_US - 1):
                products[index] = self.candidates.count(span)
        return days, products

    def _counted_rows(self) -> Integers:
        """Return the rows of the page, and one more, of a search that the counts know all about."""
        wanted = self.query.limit + 1
        if self.query.cursor is not None or self.query.offset == 0:
            return self._walk(self._cursor, self.query.offset + wanted).rows[self.query.offset :]
        days, products = self._counted_days
        if self._is_descending:
            days, products = days[::-1], products[::-1]
        until = np.cumsum(products)
        first = int(np.searchsorted(until, self.query.offset, side="right"))
        if first == len(days):
            return np.empty((0, 2), np.int64)
        last = min(int(np.searchsorted(until, self.query.offset + wanted)), len(days) - 1)
        edges = sorted((int(days[first]), int(days[last])))
        return self.candidates.ordered(
            (
                max(edges[0] * DAY_US, self.scope.first_us),
                min((edges[1] + 1) * DAY_US - 1, self.scope.last_us),
            ),
            is_descending=self._is_descending,
            skip=self.query.offset - int(until[first] - products[first]),
            most=wanted,
        )


def _products(connection: Connection, keys: Sequence[int]) -> tuple[Product, ...]:
    """Return the products of these rows, in this order."""
    if not keys:
        return ()
    dialect = connection.dialect.name
    rows = connection.execute(_of_keys(dialect), {"keys": numbers(dialect, keys)}).all()
    found = dict(zip((row.pk for row in rows), products_of(rows), strict=True))
    return tuple(found[key] for key in keys)


@cache
def _of_keys(dialect: str) -> Select[Any]:
    """Return the statement that reads products by their keys, built once."""
    return select_products().where(among(dialect, item.c.pk, "keys"))
