"""Storing products: rows, cells and counts change together, in the caller's transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import shapely
from sqlalchemy import ColumnElement, Connection, bindparam, case, insert, select, update

from catalog_db.catalogue import statistics
from catalog_db.catalogue.cells import HomeCell, home_cell
from catalog_db.catalogue.counts import Member, next_revision, record
from catalog_db.catalogue.footprints import placed
from catalog_db.catalogue.kinds import ensure_kinds
from catalog_db.catalogue.product import PLAIN, Product
from catalog_db.errors import UnknownProductError
from catalog_db.locks import Subject, hold
from catalog_db.tables import EXTREMES, cell, item, kind, updated_us
from catalog_db.times import to_us
from catalog_db.upsert import insert_into

_BATCH = 1000


class _Stored(NamedTuple):
    """What of a stored row decides whether it is replaced, and what of it is counted."""

    pk: int
    uid: str
    cell: int
    kind: int
    collection: str
    platform: str
    product_type: str
    t0_us: int
    size_bytes: int
    withdrawn: bool
    title: str
    orbit_number: int | None
    mission_take_id: int | None
    cycle_number: int | None
    published_us: int
    updated_us: int


def insert_products(connection: Connection, products: Iterable[Product]) -> int:
    """Add products, or replace those known in an older form; return how many rows changed.

    A product is the same when collection and title are. The form with the later `updated` wins and
    keeps its row; an equal or older one changes nothing, so ingesting twice is harmless.
    """
    remaining = iter(products)
    batch = list(islice(remaining, _BATCH))
    if not batch:
        return 0
    hold(connection, Subject.CATALOGUE)
    revision = next_revision(connection)
    changed = 0
    while batch:
        changed += _insert_batch(connection, batch, revision)
        batch = list(islice(remaining, _BATCH))
    return changed


def withdraw(connection: Connection, uid: str) -> None:
    """Take a product out of service: it is no longer found, ordered or downloaded."""
    hold(connection, Subject.CATALOGUE)
    revision = next_revision(connection)
    old = _stored(connection, [uid]).get(uid.lower())
    if old is None:
        raise UnknownProductError(uid)
    if not old.withdrawn:
        connection.execute(update(item).where(item.c.pk == old.pk).values(withdrawn=True))
        _count(connection, gone=[old], come=[], revision=revision)


def _insert_batch(connection: Connection, products: Sequence[Product], revision: int) -> int:
    oldest_first = sorted(products, key=lambda product: product.updated)
    newest = {product.uid: product for product in oldest_first}
    known = _stored(connection, list(newest))
    changed = {
        uid: product
        for uid, product in newest.items()
        if uid not in known or known[uid].updated_us < to_us(product.updated)
    }
    if not changed:
        return 0
    rows = _rows(connection, changed, revision)
    replaced = [
        {
            **row,
            "published_us": known[uid].published_us,
            "revised_us": to_us(changed[uid].updated),
            "row": known[uid].pk,
        }
        for uid, row in rows.items()
        if uid in known
    ]
    if replaced:
        connection.execute(update(item).where(item.c.pk == bindparam("row")), replaced)
    added = [row for uid, row in rows.items() if uid not in known]
    if added:
        connection.execute(insert(item), added)
    _count(
        connection,
        gone=[known[uid] for uid in changed if uid in known],
        come=_stored(connection, list(changed)).values(),
        revision=revision,
    )
    return len(rows)


def _stored(connection: Connection, uids: Sequence[str]) -> dict[str, _Stored]:
    """Return what is stored of products, by uid."""
    columns: dict[str, ColumnElement[Any]] = {
        **dict(kind.c.items()),
        **dict(item.c.items()),
        "updated_us": updated_us,
    }
    rows = connection.execute(
        select(*(columns[name] for name in _Stored._fields))
        .join_from(item, kind, kind.c.id == item.c.kind)
        .where(item.c.uid.in_(uids))
    )
    return {row.uid: _Stored(*row) for row in rows}


def _count(
    connection: Connection, *, gone: Iterable[_Stored], come: Iterable[_Stored], revision: int
) -> None:
    """Keep all counts of products in service."""
    left = [one for one in gone if not one.withdrawn]
    entered = [one for one in come if not one.withdrawn]
    record(connection, map(_member, left), map(_member, entered), revision)
    statistics.record(connection, map(_counted, left), map(_counted, entered))


def _member(one: _Stored) -> Member:
    values = tuple(getattr(one, name) for name in EXTREMES)
    return Member(one.cell, one.kind, one.t0_us, values)


def _counted(one: _Stored) -> statistics.Counted:
    return statistics.Counted(
        one.collection,
        one.platform,
        one.product_type,
        one.t0_us,
        one.published_us,
        one.size_bytes,
    )


def _rows(
    connection: Connection, products: Mapping[str, Product], revision: int
) -> dict[str, dict[str, Any]]:
    """Return the rows of products by uid; cells and kinds that they need are there then."""
    kinds = ensure_kinds(connection, {one.kind for one in products.values()}, revision)
    homes, rows = [], {}
    for uid, product in products.items():
        footprint, extent = placed(product.footprint)
        home = home_cell(extent, product.mgrs_tile)
        homes.append(home)
        rows[uid] = {
            **_columns(product),
            **extent._asdict(),
            "uid": uid,
            "kind": kinds[product.kind],
            "cell": home.name,
            "footprint": shapely.to_wkb(footprint),
        }
    ids = widen_cells(connection, homes, revision)
    return {uid: {**row, "cell": ids[row["cell"]]} for uid, row in rows.items()}


def _columns(product: Product) -> dict[str, Any]:
    """Return the columns of a product that do not depend on its place."""
    return {
        **{name: getattr(product, name) for name in PLAIN},
        "t0_us": to_us(product.start),
        "t1_us": to_us(product.end),
        "published_us": to_us(product.published),
        "revised_us": None if product.updated == product.published else to_us(product.updated),
        "properties": json.dumps(dict(product.properties), separators=(",", ":"), sort_keys=True),
    }


def widen_cells(connection: Connection, homes: Iterable[HomeCell], revision: int) -> dict[str, int]:
    """Make the cells hold the boxes of their new members; return the key of each by name.

    Parameters
    ----------
    connection
        In a write transaction.
    homes
        Cells with a box each, of a member or around several.
    revision
        Of this change.
    """
    statement = insert_into(connection, cell)
    old, new = cell.c, statement.excluded
    is_within = (old.x0 <= new.x0) & (old.y0 <= new.y0) & (old.x1 >= new.x1) & (old.y1 >= new.y1)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "x0": case((old.x0 < new.x0, old.x0), else_=new.x0),
            "y0": case((old.y0 < new.y0, old.y0), else_=new.y0),
            "x1": case((old.x1 > new.x1, old.x1), else_=new.x1),
            "y1": case((old.y1 > new.y1, old.y1), else_=new.y1),
            "revision": revision,
        },
        where=~is_within,
    )
    boxes = [
        {"name": home.name, **home.box._asdict(), "revision": revision}
        for home in sorted(homes, key=lambda home: home.name)
    ]
    connection.execute(statement, boxes)
    names = sorted({str(box["name"]) for box in boxes})
    rows = connection.execute(select(cell.c.name, cell.c.id).where(cell.c.name.in_(names)))
    return {row.name: row.id for row in rows}
