"""Rows that may meet a search, read by an index, and those of them that do.

Candidates come by home cell (``ix_item_cell``) or by time (``ix_item_time``). Both indexes hold the
columns that are filtered often, so that rows are read for the page only, and footprints only where
boxes do not tell.

Building a statement costs as much as running it: each form is built once, with named parameters.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    null,
    or_,
    select,
)

from catalog_db.catalogue.census import Census
from catalog_db.catalogue.footprints import TURN
from catalog_db.catalogue.scope import Scope
from catalog_db.catalogue.timeline import Span
from catalog_db.tables import item
from catalog_db.upsert import among, integer_rows, numbers, row_values

Condition = ColumnElement[bool]
Integers = NDArray[np.int64]

# Footprints decoded at once: bounds the memory.
_FOOTPRINTS_AT_ONCE = 5000
# What it costs to look for a cell in its index, and to read an entry, both measured in entries.
_SEEK_COST = 10.0
_DRAW = ("number", "cell", "first", "last")
_SIDES = ("x0", "y0", "x1", "y1")


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
        values: dict[str, Any] = {**_span(span), "most": most + 1}
        conditions = list(self.scope.conditions)
        if self.scope.keys is not None:
            conditions.append(self.scope.keys)
        is_by_cell = self.scope.keys is None and self._is_by_cell(expected)
        if is_by_cell:
            values["cells"] = self._cell_keys
        rows = self._rows(_candidates(self._form, is_by_cell=is_by_cell), conditions, values)
        return None if len(rows) > most else _integers(rows, 2)[self._meets(rows)]

    def count(self, span: Span) -> int:
        """Return how many products meet the conditions and started within a span."""
        ((number,),) = self._rows(_count(self._form), self.scope.conditions, _span(span))
        return int(number)

    def ordered(self, span: Span, *, is_descending: bool, skip: int, most: int) -> Integers:
        """Return start and key of products in order, some passed over; without regard to place."""
        values = {**_span(span), "skip": skip, "most": most}
        statement = _ordered(self._form, is_descending=is_descending)
        return _integers(self._rows(statement, self.scope.conditions, values), 2)

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
        values = row_values(self._form.dialect, _DRAW, draws)
        rows = self._rows(_sampled(self._form), self.scope.conditions, values)
        numbers_met = np.array([row[0] for row in rows], np.int64)[self._meets(rows)]
        return np.bincount(numbers_met, minlength=max(one[0] for one in draws) + 1)

    def _meets(self, rows: Sequence[Any]) -> NDArray[np.bool_]:
        """Say which rows meet the region: those that bring a footprint are in doubt."""
        met = np.ones(len(rows), bool)
        region = self.scope.region
        if region is None:
            return met
        doubtful = np.array([place for place, row in enumerate(rows) if row[-1] is not None], int)
        for start in range(0, len(doubtful), _FOOTPRINTS_AT_ONCE):
            chosen = doubtful[start : start + _FOOTPRINTS_AT_ONCE]
            footprints = shapely.from_wkb([rows[place][-1] for place in chosen.tolist()])
            met[chosen] = region.intersects(footprints)
        return met

    def _is_by_cell(self, expected: float) -> bool:
        """Say whether cells cost less than reading all that started meanwhile anywhere."""
        cells = self.scope.cells
        if cells is None:
            return False
        here = float(self.census.of_kind @ self.scope.shares)
        by_time = expected * float(self.census.of_kind.sum()) / max(here, 1.0)
        return len(cells) * _SEEK_COST + expected < by_time

    def _rows(
        self,
        statement: Select[Any],
        conditions: Sequence[Condition],
        values: Mapping[str, Any],
    ) -> Sequence[Any]:
        statement = statement.where(*conditions) if conditions else statement
        return self.connection.execute(statement, {**self._values, **values}).all()

    @cached_property
    def _cell_keys(self) -> str:
        return numbers(self._form.dialect, self.census.cell_keys[self.scope.cells].tolist())

    @cached_property
    def _boxes(self) -> NDArray[np.float64]:
        """Boxes of the region where a stored box may lie, shape (box, 4)."""
        if self.scope.region is None:
            return np.empty((0, 4))
        return self.scope.region.boxes_within(-TURN // 2, TURN // 2 + self.census.widest)

    @cached_property
    def _form(self) -> "_Form":
        region = self.scope.region
        return _Form(
            dialect=self.connection.dialect.name,
            boxes=None if region is None else len(self._boxes),
            is_box=region is not None and region.is_box,
            has_kinds=len(self.scope.kinds) < len(self.census.kinds),
        )

    @cached_property
    def _values(self) -> dict[str, Any]:
        """Values of the parameters that all statements of the search have."""
        values: dict[str, Any] = {}
        if self._form.has_kinds:
            keys = self.census.kind_keys[self.scope.kinds].tolist()
            values["kinds"] = numbers(self._form.dialect, keys)
        for number, box in enumerate(self._boxes.tolist()):
            for side, edge in zip(_SIDES, box, strict=True):
                values[f"{side}_below_{number}"] = math.floor(edge)
                values[f"{side}_above_{number}"] = math.ceil(edge)
        return values


class _Form(NamedTuple):
    """What the texts of the statements of a search depend on.

    `boxes` is the number of boxes of its region, None where it has no region; `is_box` that what
    lies within one of them needs no look at its footprint.
    """

    dialect: str
    boxes: int | None
    is_box: bool
    has_kinds: bool


def _span(span: Span) -> dict[str, int]:
    return dict(zip(("first", "last"), span, strict=True))


def _started() -> Condition:
    return item.c.t0_us.between(bindparam("first"), bindparam("last"))


@cache
def _candidates(form: _Form, *, is_by_cell: bool) -> Select[Any]:
    """Return the statement of `Candidates.read`: start, key and, in doubt, footprint."""
    conditions = [*_filters(form), _started()]
    if is_by_cell:
        conditions.append(among(form.dialect, item.c.cell, "cells"))
    columns = [item.c.t0_us, item.c.pk, *_footprint(form)]
    return select(*columns).where(*conditions).limit(bindparam("most"))


@cache
def _count(form: _Form) -> Select[Any]:
    return select(func.count()).select_from(item).where(*_filters(form), _started())


@cache
def _ordered(form: _Form, *, is_descending: bool) -> Select[Any]:
    keys = [item.c.t0_us, item.c.pk]
    return (
        select(*keys)
        .where(*_filters(form), _started())
        .order_by(*(key.desc() if is_descending else key for key in keys))
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


@cache
def _sampled(form: _Form) -> Select[Any]:
    """Return the statement of `Candidates.sampled`: number of the draw and, in doubt, footprint."""
    draw = integer_rows(form.dialect, _DRAW)
    within = item.c.t0_us.between(draw.c.first, draw.c.last)
    return (
        select(draw.c.number, *_footprint(form))
        .join_from(draw, item, and_(item.c.cell == draw.c.cell, within))
        .where(*_filters(form))
    )


def _filters(form: _Form) -> list[Condition]:
    """Return the conditions that every candidate meets, but for time and cell."""
    conditions: list[Condition] = [item.c.withdrawn.is_(False)]
    if form.has_kinds:
        conditions.append(among(form.dialect, item.c.kind, "kinds"))
    if form.boxes is not None:
        conditions.append(or_(false(), *(_overlaps(number) for number in range(form.boxes))))
    return conditions


def _overlaps(number: int) -> Condition:
    """Return the condition that a stored box meets a box of the region."""
    return and_(
        item.c.x0 <= bindparam(f"x1_above_{number}"),
        item.c.x1 >= bindparam(f"x0_below_{number}"),
        item.c.y0 <= bindparam(f"y1_above_{number}"),
        item.c.y1 >= bindparam(f"y0_below_{number}"),
    )


def _lies_within(number: int) -> Condition:
    """Return the condition that a stored box lies within a box of the region."""
    return and_(
        item.c.x0 >= bindparam(f"x0_above_{number}"),
        item.c.x1 <= bindparam(f"x1_below_{number}"),
        item.c.y0 >= bindparam(f"y0_above_{number}"),
        item.c.y1 <= bindparam(f"y1_below_{number}"),
    )


def _footprint(form: _Form) -> list[ColumnElement[Any]]:
    """Return the column of the footprint, NULL where the box tells; none without a region.

    By a query of its own: the index then still holds all that is read of the others.
    """
    if form.boxes is None:
        return []
    row = item.alias("row")
    footprint = select(row.c.footprint).where(row.c.pk == item.c.pk).scalar_subquery()
    if not form.is_box:
        return [footprint]
    held = or_(false(), *(_lies_within(number) for number in range(form.boxes)))
    return [case((held, null()), else_=footprint)]


def _integers(rows: Sequence[Any], width: int) -> Integers:
    """Return the first columns of rows, shape (row, width)."""
    if not rows:
        return np.empty((0, width), np.int64)
    columns = list(zip(*rows, strict=True))[:width]
    return np.array(columns, np.int64).T
