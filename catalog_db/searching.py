"""The search: an index gives candidates by box and time, the exact geometry decides.

A region goes through the home cells that it may meet (``ix_item_cell``); one that meets very many
cells, and a search without region, goes through time (``ix_item_time``). Both indexes hold every
column that is filtered often, so rows are read for the page only, and footprints only for
candidates that reach over the border of the region. Totals are exact.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)

from catalog_db.products import Product, product_of, select_products
from catalog_db.query import Interval, OneOf, Position, SearchQuery, SearchResult, TextFilter
from catalog_db.regions import Region
from catalog_db.tables import NARROW_CELL, NARROWEST_WIDE_CELL, WIDE_CELL, cell, item
from catalog_db.times import to_us
from catalog_db.upsert import integers

# Beyond this many cells a scan in the order of time reads less than seeks in each cell.
_MOST_CELLS = 1500
# Footprints decoded at once: bounds the memory.
_FOOTPRINTS_AT_ONCE = 5000

Condition = ColumnElement[bool]


def search(connection: Connection, query: SearchQuery) -> SearchResult:
    """Return a page of the products that meet the query: latest start first, then latest row.

    Raises
    ------
    QueryError
        When the region or the cursor has no meaning.
    """
    conditions = _conditions(connection, query)
    region = None if query.region is None else Region.of(query.region)
    if region is None or region.is_everywhere:
        total, page = _by_columns(connection, query, conditions)
    else:
        total, page = _by_region(connection, query, conditions, region)
    return SearchResult(
        items=_products(connection, [position.pk for position in page[: query.limit]]),
        total=total,
        total_is_exact=True,
        cursor=page[query.limit - 1].to_cursor() if 0 < query.limit < len(page) else None,
    )


def _by_columns(
    connection: Connection, query: SearchQuery, conditions: Sequence[Condition]
) -> tuple[int, list[Position]]:
    """Return the total, and the positions of the page and of one product after it."""
    total = connection.scalar(select(func.count()).select_from(item).where(*conditions))
    page = (
        select(item.c.t0_us, item.c.pk)
        .where(*conditions, *_after(query))
        .order_by(item.c.t0_us.desc(), item.c.pk.desc())
        .limit(query.limit + 1)
        .offset(query.offset)
    )
    return total or 0, [Position(*row) for row in connection.execute(page)]


def _by_region(
    connection: Connection, query: SearchQuery, conditions: Sequence[Condition], region: Region
) -> tuple[int, list[Position]]:
    """Return the total, and the positions of the page and of one product after it."""
    columns = (item.c.t0_us, item.c.pk, item.c.x0, item.c.y0, item.c.x1, item.c.y1)
    candidates = select(*columns).where(
        *conditions,
        *_in_cells_of(connection, region),
        or_(*(_overlaps(box, item.c) for box in region.boxes)),
    )
    found = [tuple(row) for row in connection.execute(candidates)]
    rows = np.array(found, np.int64).reshape(-1, len(columns))
    rows = rows[_meets(connection, region, rows)]
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))[::-1]]
    total = len(rows)
    if query.cursor is not None:
        t0_us, pk = Position.from_cursor(query.cursor)
        rows = rows[(rows[:, 0] < t0_us) | ((rows[:, 0] == t0_us) & (rows[:, 1] < pk))]
    page = rows[query.offset : query.offset + query.limit + 1]
    return total, [Position(int(row[0]), int(row[1])) for row in page]


def _in_cells_of(connection: Connection, region: Region) -> list[Condition]:
    """Return the condition on the home cell, none when too many cells meet the region."""
    key = select(cell.c.id)
    lookups = [
        lookup
        for box in region.boxes
        for lookup in (
            key.where(text(NARROW_CELL), _starts_near(box), _overlaps(box, cell.c)),
            key.where(text(WIDE_CELL), _overlaps(box, cell.c)),
        )
    ]
    found = connection.scalars(union_all(*lookups).limit(_MOST_CELLS + 1)).all()
    if len(found) > _MOST_CELLS:
        return []
    return [item.c.cell.in_(integers(connection, found))]


def _starts_near(box: NDArray[np.float64]) -> Condition:
    """Return the condition that a narrow cell starts where it may still reach the box."""
    return cell.c.x0.between(math.floor(box[0]) - NARROWEST_WIDE_CELL, math.ceil(box[2]))


def _overlaps(box: NDArray[np.float64], columns: Any) -> Condition:
    """Return the condition that a stored box meets a box of the region."""
    x0, y0, x1, y1 = box
    return and_(
        columns.x0 <= math.ceil(x1),
        columns.x1 >= math.floor(x0),
        columns.y0 <= math.ceil(y1),
        columns.y1 >= math.floor(y0),
    )


def _meets(connection: Connection, region: Region, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which candidates meet the region; footprints are read only where boxes do not tell."""
    meets = region.surely_holds(rows[:, 2:])
    doubtful = np.flatnonzero(~meets)
    for start in range(0, len(doubtful), _FOOTPRINTS_AT_ONCE):
        chosen = doubtful[start : start + _FOOTPRINTS_AT_ONCE]
        keys = rows[chosen, 1]
        found = connection.execute(
            select(item.c.pk, item.c.footprint).where(item.c.pk.in_(integers(connection, keys)))
        )
        footprint = {row.pk: row.footprint for row in found}
        shapes = shapely.from_wkb([footprint[int(key)] for key in keys])
        meets[chosen] = region.intersects(shapes)
    return meets


def _conditions(connection: Connection, query: SearchQuery) -> list[Condition]:
    """Return the conditions on columns, all but the page and the region."""
    conditions: list[Condition] = [item.c.withdrawn.is_(False)]
    if query.collections:
        conditions.append(item.c.collection.in_(query.collections))
    if query.identifiers:
        uids = [identifier.lower() for identifier in query.identifiers]
        titles = [identifier.removesuffix(".SAFE") for identifier in query.identifiers]
        conditions.append(or_(item.c.uid.in_(uids), item.c.title.in_(titles)))
    conditions += _between(item.c.t0_us, query.start_from, query.start_to)
    conditions += _between(item.c.published_us, query.published_from, query.published_to)
    conditions += _between(item.c.updated_us, query.updated_from, None)
    conditions += [_text(item.c[name], wanted) for name, wanted in query.texts.items()]
    conditions += [
        condition
        for name, wanted in query.numbers.items()
        for condition in _number(item.c[name], wanted)
    ]
    if "mgrs_tile" in query.texts:
        # A gridded product lives in the cell of its tile: one seek.
        named = select(cell.c.id).where(_text(cell.c.name, query.texts["mgrs_tile"]))
        found = connection.scalars(named).all()
        conditions.append(item.c.cell.in_(integers(connection, found)))
    return conditions


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
    """Return a condition that an index can serve, and that minds case on every engine."""
    if not wanted.is_prefix:
        return column == wanted.value
    starts = func.substr(column, 1, len(wanted.value)) == wanted.value
    return and_(column >= wanted.value, column < wanted.value + "\U0010ffff", starts)


def _number(column: ColumnElement[float], wanted: Interval | OneOf) -> list[Condition]:
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


def _after(query: SearchQuery) -> list[Condition]:
    """Return the condition that a product comes after the cursor."""
    if query.cursor is None:
        return []
    position = Position.from_cursor(query.cursor)
    return [tuple_(item.c.t0_us, item.c.pk) < tuple_(position.t0_us, position.pk)]


def _products(connection: Connection, keys: Sequence[int]) -> tuple[Product, ...]:
    """Return the products of these rows, in this order."""
    if not keys:
        return ()
    rows = connection.execute(
        select_products().where(item.c.pk.in_(integers(connection, keys))).order_by(item.c.pk)
    )
    found = {row.pk: product_of(row) for row in rows}
    return tuple(found[key] for key in keys)
