"""The queue of a mirror: which product is fetched next, and how its fetching ended.

Functions that write want a write transaction; those that write several rows hold the catalogue, so
that no two wait for each other. A row that is announced anew or deleted while it is
fetched leaves the state ``fetching``; the end of that fetching then changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog_db.locks import Subject, hold
from catalog_db.mirroring import mirror_days
from catalog_db.mirroring.mirror_announcing import SUPERSEDED, end_contents
from catalog_db.mirroring.mirror_rows import LONGEST_ERROR, MirrorProduct, get, named, select_rows
from catalog_db.tables import mirror_content, mirror_product
from catalog_db.times import to_us


def claim(
    connection: Connection, source: str, *, oldest: bool, room_bytes: int, now: datetime
) -> MirrorProduct | None:
    """Return the product to be fetched next, which then counts as being fetched.

    Parameters
    ----------
    connection
        In a write transaction.
    source
        Its name.
    oldest
        The one that was announced first; else by priority, and the newest of these.
    room_bytes
        The largest that may be fetched.
    now
        Those put off until later are left alone.
    """
    hold(connection, Subject.CATALOGUE)  # or two of one name would be claimed at once
    rows = mirror_product.c
    others = mirror_product.alias()
    # One of the same name has to wait for its end: it may be the same product.
    twins = select(others.c.id).where(others.c.name == rows.name, others.c.state == "fetching")
    newest = (rows.priority.desc(), rows.announced_us.desc(), rows.id.desc())
    order = (rows.announced_us, rows.id) if oldest else newest
    query = select_rows().where(
        rows.source == source,
        rows.state == "waiting",
        rows.not_before_us <= to_us(now),
        rows.size_bytes <= room_bytes,
        ~twins.exists(),
    )
    row = connection.execute(query.order_by(*order).limit(1)).first()
    if row is None:
        return None
    claimed = connection.execute(
        update(mirror_product)
        .where(rows.id == row.id, rows.state == "waiting")
        .values(state="fetching", attempts=rows.attempts + 1)
    ).rowcount
    return get(connection, row.id) if claimed else None


def settle(
    connection: Connection,
    row: MirrorProduct,
    state: str,
    *,
    error: str | None = None,
    uid: str | None = None,
    is_corrupt: bool = False,
) -> bool:
    """End the fetching of a row, unless it has meanwhile been announced anew or deleted."""
    values: dict[str, Any] = {
        "state": state,
        "error": error and error[:LONGEST_ERROR],
        "corrupt": row.corrupt + is_corrupt,
    }
    if uid is not None:
        values["uid"] = uid
    return _leave(connection, row, values)


def put_off(
    connection: Connection,
    row: MirrorProduct,
    until: datetime,
    *,
    error: str,
    is_counted: bool = True,
    is_corrupt: bool = False,
) -> bool:
    """Let a row wait again; an attempt that is not counted was no fault of the product."""
    values = {
        "state": "waiting",
        "error": error[:LONGEST_ERROR],
        "attempts": row.attempts if is_counted else row.attempts - 1,
        "corrupt": row.corrupt + is_corrupt,
        "not_before_us": to_us(until),
    }
    return _leave(connection, row, values)


def _leave(connection: Connection, row: MirrorProduct, values: Mapping[str, Any]) -> bool:
    same = (mirror_product.c.id == row.id, mirror_product.c.checksum == row.checksum)
    left = connection.execute(
        update(mirror_product).where(*same, mirror_product.c.state == "fetching").values(**values)
    )
    return left.rowcount == 1


def complete(
    connection: Connection, row: MirrorProduct, *, uid: str, file_id: int, now: datetime
) -> bool:
    """Note that the content of a row is in the archive; what it replaces stays as history.

    Returns
    -------
    Whether the row still wanted this content; if not, the caller rolls back.
    """
    if not settle(connection, row, "done", uid=uid):
        return False
    twins = [other.id for other in named(connection, row.name) if other.id != row.id]
    connection.execute(
        update(mirror_product)
        .where(mirror_product.c.id.in_(twins), mirror_product.c.state == "done")
        .values(state="gone", error=SUPERSEDED + row.hub_id)
    )
    end_contents(connection, [row.id, *twins], now)
    content = {
        "product": row.id,
        "file": file_id,
        "checksum": row.checksum,
        "announced_us": to_us(row.announced),
        "mirrored_us": to_us(now),
    }
    connection.execute(insert(mirror_content).values(**content))
    mirror_days.count(
        connection, row.source, row.collection, now, products=1, size_bytes=row.size_bytes
    )
    return True


def was_withdrawn_by_source(connection: Connection, name: str) -> bool:
    """Tell whether what was mirrored under a title has been served, and is no longer."""
    ends = connection.scalars(
        select(mirror_content.c.replaced_us)
        .join_from(mirror_content, mirror_product)
        .where(mirror_product.c.name == name)
    ).all()
    return bool(ends) and None not in ends


def reopen_interrupted(connection: Connection, source: str) -> int:
    """Let wait what a run that was killed was fetching; return how many."""
    hold(connection, Subject.CATALOGUE)
    rows = mirror_product.c
    reopened = connection.execute(
        update(mirror_product)
        .where(rows.source == source, rows.state == "fetching")
        .values(state="waiting", attempts=rows.attempts - 1)
    )
    return reopened.rowcount


def reopen_failed(connection: Connection, source: str) -> int:
    """Let wait what was given up and could be fetched; return how many."""
    hold(connection, Subject.CATALOGUE)
    rows = mirror_product.c
    reopened = connection.execute(
        update(mirror_product)
        .where(rows.source == source, rows.state == "failed", rows.checksum.is_not(None))
        .values(state="waiting", attempts=0, corrupt=0, not_before_us=0)
    )
    return reopened.rowcount
