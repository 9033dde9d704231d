"""Counts that plan a search, kept in the transactions that change products.

`cell_count` says how many products of each kind a home cell has, `day_count` how many of each kind
started on a day and between which titles, orbits and instants they lie.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from sqlalchemy import (
    ColumnElement,
    Connection,
    RootTransaction,
    Table,
    case,
    delete,
    func,
    insert,
    literal,
    select,
)

from catalog_db.tables import EXTREMES, catalogue_revision, cell_count, day_count, item, updated_us
from catalog_db.times import now, to_us
from catalog_db.upsert import insert_into

DAY_US = 86_400_000_000

_changing: "WeakSet[RootTransaction]" = WeakSet()


@dataclass(frozen=True)
class Member:
    """What of a product in service is counted.

    Parameters
    ----------
    cell, kind
        Keys of its rows.
    t0_us
        Start of sensing.
    values
        Of EXTREMES, in that order.
    """

    cell: int
    kind: int
    t0_us: int
    values: tuple[str | int | None, ...]


def next_revision(connection: Connection) -> int:
    """Return the number of this change, greater than any before; call it before reading.

    Its row stays locked until the transaction ends, so changes are numbered in the order of their
    commits. Numbers follow the clock (microseconds) where they can: the number of a change that was
    taken back is then not given again, to something else, in the next instant.
    """
    statement = insert_into(connection, catalogue_revision).values(id=1, revision=to_us(now()))
    old, new = catalogue_revision.c.revision, statement.excluded.revision
    later = case((old >= new, old + 1), else_=new)
    upsert = statement.on_conflict_do_update(index_elements=["id"], set_={"revision": later})
    transaction = connection.get_transaction()
    if transaction is not None:
        _changing.add(transaction)
    return int(connection.execute(upsert.returning(catalogue_revision.c.revision)).scalar_one())


def is_changing(connection: Connection) -> bool:
    """Say whether the transaction of a connection has changes that may yet be taken back."""
    return connection.get_transaction() in _changing


def record(
    connection: Connection, gone: Iterable[Member], come: Iterable[Member], revision: int
) -> None:
    """Take products out of the counts and others in."""
    in_cells: Counter[tuple[int, int]] = Counter()
    on_days: Counter[tuple[int, int]] = Counter()
    values: dict[tuple[int, int], list[tuple[str | int | None, ...]]] = {}
    for sign, members in ((-1, gone), (1, come)):
        for member in members:
            day = (member.t0_us // DAY_US, member.kind)
            in_cells[member.cell, member.kind] += sign
            on_days[day] += sign
            values.setdefault(day, []).append(member.values)
    cells = [
        {"cell": key[0], "kind": key[1], "products": in_cells[key], "revision": revision}
        for key in sorted(in_cells)
        if in_cells[key]
    ]
    days = [
        {
            "day": key[0],
            "kind": key[1],
            "products": on_days[key],
            "revision": revision,
            **_extremes(values[key]),
        }
        for key in sorted(on_days)
    ]
    _add(connection, cell_count, ("cell", "kind"), cells)
    _add(connection, day_count, ("day", "kind"), days)


def rebuild(connection: Connection, revision: int) -> None:
    """Count all products anew: after a bulk load that recorded none.

    Day by day, along the index of time: nothing large is sorted.
    """
    connection.execute(delete(cell_count))
    connection.execute(delete(day_count))
    in_service = item.c.withdrawn.is_(False)
    by_cell = (
        select(item.c.cell, item.c.kind, func.count(), literal(revision))
        .where(in_service)
        .group_by(item.c.cell, item.c.kind)
    )
    connection.execute(
        insert(cell_count).from_select(["cell", "kind", "products", "revision"], by_cell)
    )
    columns = {**dict(item.c.items()), "updated_us": updated_us}
    extremes = [extreme(columns[name]) for name in EXTREMES for extreme in (func.min, func.max)]
    names = [f"{name}_{end}" for name in EXTREMES for end in ("low", "high")]
    for day in _days(connection):
        by_kind = (
            select(literal(day), item.c.kind, func.count(), *extremes, literal(revision))
            .where(in_service, item.c.t0_us.between(day * DAY_US, (day + 1) * DAY_US - 1))
            .group_by(item.c.kind)
        )
        connection.execute(
            insert(day_count).from_select(["day", "kind", "products", *names, "revision"], by_kind)
        )


def _days(connection: Connection) -> range:
    """Return the days from the first product to the last."""
    first = connection.scalar(select(func.min(item.c.t0_us)))
    last = connection.scalar(select(func.max(item.c.t0_us)))
    if first is None or last is None:
        return range(0)
    return range(first // DAY_US, last // DAY_US + 1)


def _extremes(rows: Sequence[tuple[str | int | None, ...]]) -> dict[str, Any]:
    """Return the least and the greatest value of each of EXTREMES."""
    found: dict[str, Any] = {}
    for name, column in zip(EXTREMES, zip(*rows, strict=True), strict=True):
        known: list[Any] = [value for value in column if value is not None]
        found[f"{name}_low"] = min(known, default=None)
        found[f"{name}_high"] = max(known, default=None)
    return found


def _add(
    connection: Connection, table: Table, key: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    """Add rows to a table of counts, sorted: two writers then lock rows in the same order."""
    if not rows:
        return
    statement = insert_into(connection, table)
    old, new = table.c, statement.excluded
    changes: dict[str, ColumnElement[Any]] = {
        "products": old.products + new.products,
        "revision": new.revision,
    }
    for name in rows[0]:
        if name.endswith("_low"):
            changes[name] = case((old[name] <= new[name], old[name]), else_=new[name])
        elif name.endswith("_high"):
            changes[name] = case((old[name] >= new[name], old[name]), else_=new[name])
        else:
            continue
        changes[name] = func.coalesce(changes[name], old[name])
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=changes), rows
    )
