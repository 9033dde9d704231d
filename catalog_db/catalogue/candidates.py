"""Rows that may meet a search, read by an index, and those of them that do.

Candidates come by home cell (``ix_item_cell``) or by time (``ix_item_time``). Both indexes hold the
columns that are filtered often, so that rows are read for the page only, and footprints only where
boxes do not tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from catalog_db.catalogue.census import Census
from catalog_db.catalogue.footprints import TURN
from catalog_db.catalogue.scope import Scope
from catalog_db.catalogue.timeline import Span
from catalog_db.tables import item
from catalog_db.upsert import integer_rows, is_among

Condition = ColumnElement[bool]
Integers = NDArray[np.int64]

_COLUMNS = (item.c.t0_us, item.c.pk, item.c.x0, item.c.y0, item.c.x1, item.c.y1)
# Footprints decoded at once: bounds the memory.
_FOOTPRINTS_AT_ONCE = 5000
# What it costs to look for a cell in its index, and to read an entry, both measured in entries.
_SEEK_COST = 10.0


@dataclass(frozen=True)
class Candidates:
    """Reads candidates of one search."""

    connection: Connection
    census: Census
    scope: Scope

    def read(self, span: Span, *, expected: float, most: int) -> Integers | None:
        """Return what meets the search and started within a span.

        Parameters
        ----------
        span
            First and last instant.
        expected
            Products that the counts expect in these kinds and cells: decides the index.
        most
            Give up when there are more candidates.

        Returns
        -------
        Start and key of each, shape (product, 2), in no order; None when given up.
        """
        conditions: list[Condition] = [item.c.t0_us.between(*span)]
        if self.scope.keys is not None:
            conditions.append(self.scope.keys)
        elif self._is_by_cell(expected):
            conditions.append(is_among(self.connection, item.c.cell, self._cell_keys))
        rows = self._rows([*self._filters, *conditions], most + 1)
        return None if len(rows) > most else rows[self.meets(rows)][:, :2]

    def count(self, span: Span) -> int:
        """Return how many products meet the conditions and started within a span."""
        statement = select(func.count()).select_from(item)
        return int(
            self.connection.scalar(statement.where(*self._filters, item.c.t0_us.between(*span)))
            or 0
        )

    def ordered(self, span: Span, *, is_descending: bool, skip: int, most: int) -> Integers:
        """Return start and key of products in order, some passed over; without regard to place."""
        keys = [item.c.t0_us, item.c.pk]
        statement = (
            select(*keys)
            .where(*self._filters, item.c.t0_us.between(*span))
            .order_by(*(key.desc() if is_descending else key for key in keys))
            .limit(most)
            .offset(skip)
        )
        return _array(self.connection.execute(statement).all(), len(keys))

    def sampled(self, draws: Sequence[tuple[int, int, int, int]]) -> Integers:
        """Return how many products meet the search in spans of single cells.

        Parameters
        ----------
        draws
            Number of the draw, key of the cell, first and last instant. A number may be there
            several times.

        Returns
        -------
        Products by the number of the draw.
        """
        draw = integer_rows(self.connection, ("number", "cell", "first", "last"), draws)
        within = item.c.t0_us.between(draw.c.first, draw.c.last)
        statement = select(*_COLUMNS, draw.c.number).join_from(
            draw, item, and_(item.c.cell == draw.c.cell, within)
        )
        rows = _array(
            self.connection.execute(statement.where(*self._filters)).all(), len(_COLUMNS) + 1
        )
        met = rows[self.meets(rows[:, :-1])]
        return np.bincount(met[:, -1], minlength=max(one[0] for one in draws) + 1)

    def meets(self, rows: Integers) -> NDArray[np.bool_]:
        """Say which candidates meet the region; footprints are read where boxes do not tell."""
        region = self.scope.region
        if region is None:
            return np.ones(len(rows), bool)
        meets = region.surely_holds(rows[:, 2:].T)
        doubtful = np.flatnonzero(~meets)
        for start in range(0, len(doubtful), _FOOTPRINTS_AT_ONCE):
            chosen = doubtful[start : start + _FOOTPRINTS_AT_ONCE]
            keys = rows[chosen, 1].tolist()
            found = self.connection.execute(
                select(item.c.pk, item.c.footprint).where(
                    is_among(self.connection, item.c.pk, keys)
                )
            ).all()
            footprint = dict(map(tuple, found))
            meets[chosen] = region.intersects(shapely.from_wkb([footprint[key] for key in keys]))
        return meets

    def _is_by_cell(self, expected: float) -> bool:
        """Say whether cells cost less than reading all that started meanwhile anywhere."""
        cells = self.scope.cells
        if cells is None:
            return False
        here = float(self.census.of_kind @ self.scope.shares)
        by_time = expected * float(self.census.of_kind.sum()) / max(here, 1.0)
        return len(cells) * _SEEK_COST + expected < by_time

    def _rows(self, conditions: Sequence[Condition], most: int) -> Integers:
        statement = select(*_COLUMNS).where(*conditions).limit(most)
        return _array(self.connection.execute(statement).all(), len(_COLUMNS))

    @cached_property
    def _cell_keys(self) -> list[int]:
        keys: list[int] = self.census.cell_keys[self.scope.cells].tolist()
        return keys

    @cached_property
    def _filters(self) -> list[Condition]:
        """Conditions that every candidate meets, but for time and cell."""
        conditions: list[Condition] = [item.c.withdrawn.is_(False), *self.scope.conditions]
        if len(self.scope.kinds) < len(self.census.kinds):
            conditions.append(item.c.kind.in_(self.census.kind_keys[self.scope.kinds].tolist()))
        if self.scope.region is not None:
            boxes = self.scope.region.boxes_within(-TURN // 2, TURN // 2 + self.census.widest)
            conditions.append(or_(*(_overlaps(box) for box in boxes)))
        return conditions


def _overlaps(box: NDArray[np.float64]) -> Condition:
    """Return the condition that a stored box meets a box of the region."""
    x0, y0, x1, y1 = box
    columns = item.c
    return and_(
        columns.x0 <= math.ceil(x1),
        columns.x1 >= math.floor(x0),
        columns.y0 <= math.ceil(y1),
        columns.y1 >= math.floor(y0),
    )


def _array(rows: Sequence[Any], width: int) -> Integers:
    return np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * width).reshape(-1, width)
