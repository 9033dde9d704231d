"""The counts of the catalogue, in the memory of a process.

A search is planned on them: which cells a region may meet, how many products to expect there and
then. They are a few megabytes. Before each search the number of the last change is read, and where
it is new, the rows that changed. What is in memory is therefore never older than what the search
sees; where it is newer, cells have only grown.
"""

import threading
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, Table, select

from catalog_db.catalogue.counts import is_changing
from catalog_db.catalogue.kinds import Kind
from catalog_db.tables import EXTREMES, catalogue_revision, cell, cell_count, day_count, kind

_Integers = NDArray[np.int64]
# Extremes that are numbers: unknown ones are NaN. Microseconds are exact as float64 until 2255.
_NUMBERS = tuple(name for name in EXTREMES if name != "title")


@dataclass
class Days:
    """Rows of `day_count`, by day, then kind; `kind` is a position in `Census.kinds`."""

    day: _Integers = field(default_factory=lambda: np.empty(0, np.int64))
    kind: _Integers = field(default_factory=lambda: np.empty(0, np.int64))
    products: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    low: dict[str, NDArray[Any]] = field(default_factory=dict)
    high: dict[str, NDArray[Any]] = field(default_factory=dict)


class Census:
    """Cells, kinds and counts of one database; arrays are replaced, or grow in place.

    Attributes
    ----------
    kinds
        All kinds; arrays refer to them by position.
    kind_keys
        Their keys in the database.
    cell_keys, cell_names
        All home cells, in no order.
    boxes
        Shape (4, cell): their boxes in 1e-4 degrees, a row a side.
    widest
        The width of the widest box.
    counts
        Shape (cell, kind), int32: products in service.
    days
        Products in service by day and kind, with their extremes.
    by_day, first_day
        The same as a table, shape (day, kind), and the day of its first row.
    of_kind
        Products in service of each kind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._cell_place: dict[int, int] = {}
        self._kind_place: dict[int, int] = {}
        self._by_name: list[tuple[str, int]] = []
        self._day_place: dict[tuple[int, int], int] = {}
        self.kinds: list[Kind] = []
        self.kind_keys: _Integers = np.empty(0, np.int64)
        self.cell_keys: _Integers = np.empty(0, np.int64)
        self.cell_names: list[str] = []
        self.boxes: _Integers = np.empty((4, 0), np.int64)
        self.widest = 0
        self.counts: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self.days = Days()
        self.by_day: NDArray[np.float64] = np.empty((0, 0))
        self.of_kind: NDArray[np.float64] = np.empty(0)
        self.first_day = 0

    def refresh(self, connection: Connection) -> None:
        """Read what has changed since the last time."""
        number = connection.scalar(select(catalogue_revision.c.revision)) or 0
        if number <= self._revision:
            return
        with self._lock:
            if number <= self._revision:
                return
            since = self._revision
            self._read_kinds(connection, since)
            self._read_cells(connection, since)
            self._read_counts(connection, since)
            self._read_days(connection, since)
            self.first_day = int(self.days.day[0]) if len(self.days.day) else 0
            self.by_day = self.table()
            self.of_kind = self.by_day.sum(axis=0)
            self._revision = number

    def named_cells(self, first: str, last: str) -> _Integers:
        """Return the positions of cells whose names lie between two, both included."""
        low = bisect_left(self._by_name, (first,))
        high = bisect_right(self._by_name, last, key=itemgetter(0))
        return np.array([place for _, place in self._by_name[low:high]], np.int64)

    def _read_kinds(self, connection: Connection, since: int) -> None:
        for row in _changed(connection, kind, since):
            self._kind_place[row.id] = len(self.kinds)
            self.kinds.append(Kind(*(getattr(row, name) for name in Kind._fields)))
            self.kind_keys = np.append(self.kind_keys, row.id)

    def _read_cells(self, connection: Connection, since: int) -> None:
        rows = _changed(connection, cell, since)
        new = [row for row in rows if row.id not in self._cell_place]
        first = len(self.cell_names)
        self._cell_place |= {row.id: first + place for place, row in enumerate(new)}
        self.cell_names += [row.name for row in new]
        boxes = np.hstack([self.boxes, np.zeros((4, len(new)), np.int64)])
        places = [self._cell_place[row.id] for row in rows]
        boxes[:, places] = np.array([row[2:6] for row in rows], np.int64).reshape(-1, 4).T
        self.boxes = boxes
        self.widest = int((boxes[2] - boxes[0]).max(initial=0))
        self.cell_keys = np.append(self.cell_keys, np.array([row.id for row in new], np.int64))
        if new:
            self._by_name = sorted((name, place) for place, name in enumerate(self.cell_names))

    def _read_counts(self, connection: Connection, since: int) -> None:
        shape = (len(self.cell_names), len(self.kinds))
        if self.counts.shape != shape:
            counts = np.zeros(shape, np.int32)
            counts[: self.counts.shape[0], : self.counts.shape[1]] = self.counts
            self.counts = counts
        rows = _changed(connection, cell_count, since)
        places = [self._cell_place[row.cell] for row in rows]
        kinds = [self._kind_place[row.kind] for row in rows]
        self.counts[places, kinds] = [row.products for row in rows]

    def _read_days(self, connection: Connection, since: int) -> None:
        rows = _changed(connection, day_count, since)
        if all((row.day, row.kind) in self._day_place for row in rows):
            for row in rows:
                self._change_day(self._day_place[row.day, row.kind], row)
            return
        changed = {(row.day, row.kind) for row in rows}
        kept = [place for key, place in self._day_place.items() if key not in changed]
        self.days = self._joined(np.array(kept, np.int64), rows)
        keys = self.kind_keys[self.days.kind].tolist()
        self._day_place = {
            key: place for place, key in enumerate(zip(self.days.day.tolist(), keys, strict=True))
        }

    def table(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return `by_day`, of some rows of `days` or of all."""
        days = self.days
        length = int(days.day[-1]) - self.first_day + 1 if len(days.day) else 0
        table = np.zeros((length, len(self.kinds)))
        rows = slice(None) if chosen is None else chosen
        table[days.day[rows] - self.first_day, days.kind[rows]] = days.products[rows]
        return table

    def _change_day(self, place: int, row: Row[Any]) -> None:
        days, values = self.days, row._mapping
        days.products[place] = values["products"]
        for name in _NUMBERS:
            for end, extremes in (("low", days.low), ("high", days.high)):
                value = values[f"{name}_{end}"]
                extremes[name][place] = np.nan if value is None else value
        days.low["title"][place] = values["title_low"]
        days.high["title"][place] = values["title_high"]

    def _joined(self, kept: _Integers, rows: list[Row[Any]]) -> Days:
        """Return the days that are kept and those of rows, in order."""
        old, columns = self.days, list(zip(*rows, strict=True))
        by_name = dict(zip(day_count.columns.keys(), columns, strict=True))
        day = np.append(old.day[kept], np.array(by_name["day"], np.int64))
        places = [self._kind_place[int(str(key))] for key in by_name["kind"]]
        of_kind = np.append(old.kind[kept], np.array(places, np.int64))
        order = np.lexsort((of_kind, day))
        low, high = (
            {
                name: np.append(
                    extremes[name][kept] if name in extremes else np.empty(0, of_type),
                    np.array(by_name[f"{name}_{end}"], of_type),
                )[order]
                for name in EXTREMES
                for of_type in [object if name == "title" else np.float64]
            }
            for end, extremes in (("low", old.low), ("high", old.high))
        )
        products = np.append(old.products[kept], np.array(by_name["products"], np.float64))
        return Days(day[order], of_kind[order], products[order], low, high)


_censuses: "WeakKeyDictionary[Engine, Census]" = WeakKeyDictionary()


def census_of(connection: Connection) -> Census:
    """Return the census of the database that a connection reads, up to date with it."""
    if is_changing(connection):  # what may be taken back is for this transaction only
        census = Census()
    else:
        census = _censuses.setdefault(connection.engine, Census())
    census.refresh(connection)
    return census


def _changed(connection: Connection, table: Table, since: int) -> list[Row[Any]]:
    return list(connection.execute(select(table).where(table.c.revision > since)))
