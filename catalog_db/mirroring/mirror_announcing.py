"""What other archives announce and delete, taken note of.

Both want a write transaction. What a row says is decided by the announcement with the latest
modification; a content, told by its MD5, is fetched once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from catalog_db.catalogue import products
from catalog_db.locks import Subject, hold
from catalog_db.mirroring.mirror_rows import (
    LONGEST_ERROR,
    Announcement,
    Deletion,
    MirrorProduct,
    Selection,
    known,
    named,
)
from catalog_db.tables import mirror_content, mirror_product
from catalog_db.times import to_us
from catalog_db.upsert import insert_into

NO_CHECKSUM = "the source states no MD5"
SUPERSEDED = "superseded by "
WITHDRAWN_HERE = "withdrawn from this archive"


def observe(connection: Connection, selection: Selection, announced: Iterable[Announcement]) -> int:
    """Take note of what a source lists; return how many rows are to be fetched anew by that.

    Seen again, an announcement changes nothing. One with another content, not older than what is
    known, is fetched again; what was gone comes back only by a later modification.
    """
    hold(connection, Subject.CATALOGUE)
    newest = {one.hub_id: one for one in sorted(announced, key=lambda one: one.modified)}
    there = known(connection, selection.source, newest)
    added = [
        _new_row(selection, one) for hub_id, one in sorted(newest.items()) if hub_id not in there
    ]
    if added:
        statement = insert_into(connection, mirror_product)
        index = [mirror_product.c.source, mirror_product.c.hub_id]
        connection.execute(statement.on_conflict_do_nothing(index_elements=index), added)
    changes = [
        change
        for hub_id, row in sorted(there.items())
        if (change := _change(row, newest[hub_id])) is not None
    ]
    if changes:
        same = mirror_product.c.id == bindparam("row")
        connection.execute(update(mirror_product).where(same), changes)
    return len(added) + len([one for one in changes if one["state"] == "waiting"])


def _new_row(selection: Selection, one: Announcement) -> dict[str, Any]:
    return {
        "source": selection.source,
        "hub_id": one.hub_id,
        "selection": selection.name,
        "collection": one.collection,
        "name": one.name,
        "published_us": to_us(one.published),
        "priority": selection.priority,
        **_content(one, announced=one.published),
    }


def _content(one: Announcement, *, announced: datetime) -> dict[str, Any]:
    """Return the columns of a content that is to be fetched."""
    return {
        "size_bytes": one.size_bytes,
        "checksum": one.checksum,
        "modified_us": to_us(one.modified),
        "announced_us": to_us(announced),
        "state": "failed" if one.checksum is None else "waiting",
        "attempts": 0,
        "corrupt": 0,
        "not_before_us": 0,
        "error": NO_CHECKSUM if one.checksum is None else None,
    }


def _change(row: MirrorProduct, one: Announcement) -> dict[str, Any] | None:
    """Return what an announcement changes of a row, None for nothing."""
    if one.modified < row.modified:
        return None
    is_same = (one.size_bytes, one.checksum) == (row.size_bytes, row.checksum)
    if row.state == "gone":
        is_news = one.modified > row.modified and not (is_same and _is_superseded(row))
    else:
        is_news = not is_same and one.checksum is not None
    if not is_news:
        return None
    # A first checksum is part of the publication; every other one is a modification of it.
    announced = one.published if row.checksum is None else one.modified
    return {"row": row.id, **_content(one, announced=announced)}


def mark_gone(connection: Connection, source: str, deletions: Iterable[Deletion]) -> int:
    """Take note of what a source has deleted; return how many products that withdraws.

    A product is withdrawn with the last of the source's products that hold it; one that the source
    calls corrupt at once, and never fetched again as the same bytes.
    """
    latest = {one.hub_id: one for one in sorted(deletions, key=lambda one: one.deleted)}
    if not latest:
        return 0
    hold(connection, Subject.CATALOGUE)
    there = known(connection, source, latest)
    withdrawn = 0
    for hub_id, one in sorted(latest.items()):
        row = there.get(hub_id)
        if row is None or row.modified > one.deleted:
            continue
        if row.state != "gone":
            withdrawn += _withdraw(connection, row, one)
        if row.state != "gone" or _is_superseded(row):
            _set_gone(connection, [row.id], one.cause, one.deleted)
    return withdrawn


def _set_gone(connection: Connection, rows: list[int], cause: str, now: datetime) -> None:
    connection.execute(
        update(mirror_product)
        .where(mirror_product.c.id.in_(rows))
        .values(state="gone", error=cause[:LONGEST_ERROR], modified_us=to_us(now))
    )


def _withdraw(connection: Connection, row: MirrorProduct, one: Deletion) -> int:
    """Withdraw the product of a row that goes, unless another one holds it; count it."""
    others = [other for other in named(connection, row.name) if other.id != row.id]
    uids = [row.uid]
    if one.is_corrupt:
        same = [o for o in others if o.checksum == row.checksum and o.state != "gone"]
        _set_gone(connection, [other.id for other in same], one.cause, one.deleted)
        uids += [other.uid for other in same]
        end_contents(connection, [other.id for other in same], one.deleted)
        others = [other for other in others if other not in same]
    if any(other.state == "done" for other in others):
        return 0
    superseded = [other.id for other in others if other.state == "gone" and _is_superseded(other)]
    connection.execute(
        update(mirror_product)
        .where(mirror_product.c.id.in_(superseded))
        .values(state="waiting", error=None, attempts=0, not_before_us=0)
    )
    served = sorted({uid for uid in uids if uid is not None})
    for uid in served:
        products.withdraw(connection, uid)
    end_contents(connection, [row.id, *(other.id for other in others)], one.deleted)
    return len(served)


def end_contents(connection: Connection, rows: Iterable[int], now: datetime) -> None:
    """Note that what was mirrored of rows is no longer served: it stays as history."""
    contents = mirror_content.c
    connection.execute(
        update(mirror_content)
        .where(contents.product.in_(list(rows)), contents.replaced_us.is_(None))
        .values(replaced_us=to_us(now))
    )


def _is_superseded(row: MirrorProduct) -> bool:
    return (row.error or "").startswith(SUPERSEDED)
