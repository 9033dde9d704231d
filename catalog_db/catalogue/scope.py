"""What a search may meet: kinds, home cells and days, narrowed before any row is read.

What the counts cannot tell is left as conditions on the rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, select

from catalog_db.catalogue.census import Census
from catalog_db.catalogue.conditions import clause
from catalog_db.catalogue.counts import DAY_US
from catalog_db.catalogue.footprints import UNITS_PER_DEGREE
from catalog_db.catalogue.kinds import Kind
from catalog_db.catalogue.products import possible_uids
from catalog_db.catalogue.query import Interval, OneOf, SearchQuery, TextFilter
from catalog_db.catalogue.regions import Region
from catalog_db.catalogue.timeline import Timeline
from catalog_db.tables import item, updated_us
from catalog_db.times import to_us
from catalog_db.upsert import is_among

Condition = ColumnElement[bool]

# Up to so many rows are read at once by a key of their own: identifier or time of publication.
MOST_KEYS = 2000
# Cells are compared with the region itself up to so many; beyond it, with its boxes.
_MOST_EXACT_CELLS = 3000
_LAST_TEXT = "\U0010ffff"
# Columns beside kind, place and time that the indexes of a search hold.
_COVERED = frozenset({"relative_orbit", "cloud_cover"})
_INSTANTS = {"published_us": ("published_from", "published_to"), "updated_us": ("updated_from",)}


@dataclass(frozen=True)
class Scope:
    """Where the products of a search are.

    Parameters
    ----------
    kinds
        Positions of kinds in the census.
    cells
        Positions of home cells in the census; None: wherever.
    region
        What a footprint must meet; None: wherever.
    first_us, last_us
        Bounds of the start of sensing, inclusive.
    by_day, first_day
        Products of the catalogue by day and kind, shape (day, kind), zero where the search can
        have none; and the day of its first row.
    shares
        Of each kind, the part that is in these cells.
    is_broken
        The values asked for are found on some days only, with others in between.
    keys
        Condition on a key of few rows, where there is one.
    conditions
        On columns that neither cell nor time tells.
    is_covered
        The indexes hold the columns of all conditions.
    """

    kinds: NDArray[np.int64]
    cells: NDArray[np.int64] | None
    region: Region | None
    first_us: int
    last_us: int
    by_day: NDArray[np.float64]
    first_day: int
    shares: NDArray[np.float64]
    is_broken: bool
    keys: Condition | None
    conditions: tuple[Condition, ...]
    is_covered: bool

    def timeline(self, first_us: int | None = None, last_us: int | None = None) -> Timeline:
        """Return the expected products along time, within further bounds where given."""
        first = self.first_us if first_us is None else max(self.first_us, first_us)
        last = self.last_us if last_us is None else min(self.last_us, last_us)
        days = self.days_within(first, last)
        expected = self.by_day[days] @ self.shares
        return Timeline.of(self.first_day + days.start, expected, first, last)

    def days_within(self, first_us: int, last_us: int) -> slice:
        """Return the rows of `by_day` of the days from one instant to another."""
        low, high = (
            min(max(day - self.first_day, 0), len(self.by_day))
            for day in (first_us // DAY_US, last_us // DAY_US + 1)
        )
        return slice(low, max(low, high))

    @property
    def is_counted(self) -> bool:
        """The counts know exactly what meets the search, but for parts of days."""
        return self.cells is None and not self.conditions and self.keys is None


def scope_of(connection: Connection, census: Census, query: SearchQuery) -> Scope:
    """Return the scope of a search."""
    kinds = _kinds(census, query)
    region = None if query.region is None else Region.of(query.region)
    region = None if region is not None and region.is_everywhere else region
    cells = _cells(census, query.texts.get("mgrs_tile"), region)
    conditions, is_covered = _conditions(connection, query)
    by_day, is_broken = _days(census, query)
    first_us = census.first_day * DAY_US
    return Scope(
        kinds=kinds,
        cells=cells,
        region=region,
        first_us=first_us if query.start_from is None else to_us(query.start_from),
        last_us=first_us + len(by_day) * DAY_US - 1
        if query.start_to is None
        else to_us(query.start_to),
        by_day=by_day,
        first_day=census.first_day,
        shares=_shares(census, kinds, cells),
        is_broken=is_broken,
        keys=_keys(connection, query),
        conditions=tuple(conditions),
        is_covered=is_covered,
    )


def _kinds(census: Census, query: SearchQuery) -> NDArray[np.int64]:
    """Return the positions of kinds that meet the collections and texts of a search."""
    texts = {name: wanted for name, wanted in query.texts.items() if name in Kind._fields}
    return np.array(
        [
            place
            for place, one in enumerate(census.kinds)
            if (not query.collections or one.collection in query.collections)
            and all(_is_met(getattr(one, name), wanted) for name, wanted in texts.items())
        ],
        np.int64,
    )


def _is_met(value: str | None, wanted: TextFilter) -> bool:
    if value is None:
        return False
    return value.startswith(wanted.value) if wanted.is_prefix else value == wanted.value


def _cells(
    census: Census, tile: TextFilter | None, region: Region | None
) -> NDArray[np.int64] | None:
    """Return the home cells that a search may meet."""
    cells = None
    if region is not None:
        cells = np.flatnonzero(region.may_meet(census.boxes))
        if not region.is_box and len(cells) <= _MOST_EXACT_CELLS:
            corners = census.boxes[:, cells] / UNITS_PER_DEGREE
            cells = cells[region.meets_boxes(corners)]
    if tile is not None:
        # A gridded product lives in the cell of its tile.
        named = census.named_cells(tile.value, tile.value + (_LAST_TEXT if tile.is_prefix else ""))
        named = np.array(
            [one for one in named.tolist() if _is_tile(census.cell_names[one])], np.int64
        )
        cells = named if cells is None else np.intersect1d(cells, named)
    return cells


def _is_tile(name: str) -> bool:
    """Say whether a home cell is a tile of the grid; the others are level, column and row."""
    return "/" not in name


def _shares(
    census: Census, kinds: NDArray[np.int64], cells: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return which part of the products of each kind is of these kinds and in these cells.

    A kind is taken to be spread over time in a cell as it is in all of them.
    """
    shares = np.zeros(len(census.kinds))
    shares[kinds] = 1.0
    if cells is not None:
        there = census.counts[cells].sum(axis=0, dtype=np.float64)
        shares *= there / np.maximum(census.of_kind, 1.0)
    return shares


def _days(census: Census, query: SearchQuery) -> tuple[NDArray[np.float64], bool]:
    """Return products by day and kind, and whether days are left out that cannot meet a search."""
    extremes = _wanted_extremes(query)
    if not extremes:
        return census.by_day, False
    days = census.days
    chosen = np.ones(len(days.day), np.bool_)
    for name, low, high in extremes:
        if low is not None:
            chosen[chosen] = (days.high[name][chosen] >= low).astype(np.bool_)
        if high is not None:
            chosen[chosen] = (days.low[name][chosen] <= high).astype(np.bool_)
    return census.table(chosen), True


def _wanted_extremes(
    query: SearchQuery,
) -> list[tuple[str, str | float | None, str | float | None]]:
    """Return what `day_count` can rule out: column, least and greatest value asked for."""
    found: list[tuple[str, str | float | None, str | float | None]] = []
    for name in ("orbit_number", "mission_take_id", "cycle_number"):
        wanted = query.numbers.get(name)
        if isinstance(wanted, OneOf):
            low, high = min(wanted.values, default=math.inf), max(wanted.values, default=-math.inf)
            found.append((name, low, high))
        elif wanted is not None:
            found.append((name, wanted.minimum, wanted.maximum))
    title = query.texts.get("title")
    if title is not None:
        found.append(("title", title.value, title.value + (_LAST_TEXT if title.is_prefix else "")))
    for name, bounds in _INSTANTS.items():
        values = [getattr(query, bound) for bound in bounds]
        first, last = (None if one is None else float(to_us(one)) for one in [*values, None][:2])
        if first is not None or last is not None:
            found.append((name, first, last))
    return found


def _keys(connection: Connection, query: SearchQuery) -> Condition | None:
    """Return the condition on a key that few rows have, where the search gives one."""
    names = list(query.identifiers)
    title = query.texts.get("title")
    if not names and title is not None and not title.is_prefix:
        names = [title.value]
    if names:
        return item.c.uid.in_(possible_uids(connection, names))
    published = _between(item.c.published_us, query.published_from, query.published_to)
    if published:
        found = connection.scalars(select(item.c.pk).where(*published).limit(MOST_KEYS + 1)).all()
        if len(found) <= MOST_KEYS:
            return is_among(connection, item.c.pk, found)
    return None


def _conditions(connection: Connection, query: SearchQuery) -> tuple[list[Condition], bool]:
    """Return the conditions on columns that counts do not tell, and whether indexes hold them."""
    conditions: list[Condition] = []
    for name, wanted in query.numbers.items():
        conditions += _number(item.c[name], wanted)
    is_covered = query.numbers.keys() <= _COVERED
    others = [
        *_between(item.c.published_us, query.published_from, query.published_to),
        *_between(updated_us, query.updated_from, None),
    ]
    if "title" in query.texts:
        others.append(_text(item.c.title, query.texts["title"]))
    if query.where is not None:
        others.append(clause(query.where, connection.dialect.name))
    return [*conditions, *others], is_covered and not others


def _between(
    column: ColumnElement[int], first: datetime | None, last: datetime | None
) -> list[Condition]:
    conditions = []
    if first is not None:
        conditions.append(column >= to_us(first))
    if last is not None:
        conditions.append(column <= to_us(last))
    return conditions


def _text(column: ColumnElement[str], wanted: TextFilter) -> Condition:
    if not wanted.is_prefix:
        return column == wanted.value
    starts = func.substr(column, 1, len(wanted.value)) == wanted.value
    return and_(column >= wanted.value, column < wanted.value + _LAST_TEXT, starts)


def _number(column: ColumnElement[float], wanted: Interval | OneOf) -> Sequence[Condition]:
    if isinstance(wanted, OneOf):
        return [column.in_(wanted.values)]
    conditions: list[Condition] = [column.is_not(None)]
    if wanted.minimum is not None:
        low = wanted.minimum
        conditions.append(column >= low if wanted.includes_minimum else column > low)
    if wanted.maximum is not None:
        high = wanted.maximum
        conditions.append(column <= high if wanted.includes_maximum else column < high)
    return conditions
