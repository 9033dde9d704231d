"""Products that are staged for themselves: where each stands, as a report lists them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from catalog_db.archive.recalls import ACTIVE, DISK_ONLY
from catalog_db.tables import file, item, kind, placement, recall, replica, request_file
from catalog_db.times import from_us


@dataclass(frozen=True)
class StagedProduct:
    """A product that is to be on disk.

    Parameters
    ----------
    uid, title, collection, withdrawn
        The product.
    path, size_bytes
        Its file in the archive; None where there is none.
    is_lost
        It lay on disk only, and is there no more.
    state
        Of the request, ``waiting``, ``ready``, ``failed``, ``cancelled`` or ``released``; None
        where it asks not for this product.
    error
        Why its recall failed.
    pinned_until
        How long it stays on disk.
    """

    uid: str
    title: str
    collection: str
    withdrawn: bool
    path: str | None
    size_bytes: int | None
    is_lost: bool
    state: str | None
    error: str | None
    pinned_until: datetime | None


@dataclass(frozen=True)
class StagedCount:
    """How far a request is: its products by state, and their bytes on disk and in all."""

    waiting: int
    ready: int
    others: int
    bytes_done: int
    size_bytes: int


def staged_products(
    connection: Connection, uids: Iterable[str], request_id: str | None
) -> list[StagedProduct]:
    """Return what is known of products and of what a request has made of them, by title."""
    columns = request_file.c
    rows = connection.execute(
        select(
            item.c.uid,
            item.c.title,
            kind.c.collection,
            item.c.withdrawn,
            file.c.path,
            file.c.size_bytes,
            func.coalesce(and_(file.c.backend == DISK_ONLY, replica.c.file.is_(None)), False).label(
                "is_lost"
            ),
            columns.state,
            columns.error,
            columns.pin_until_us,
        )
        .join_from(item, kind, kind.c.id == item.c.kind)
        .outerjoin(placement, placement.c.item == item.c.pk)
        .outerjoin(file, file.c.id == placement.c.file)
        .outerjoin(replica, and_(replica.c.file == file.c.id, replica.c.state == "ready"))
        .outerjoin(request_file, and_(columns.file == file.c.id, columns.request == request_id))
        .where(item.c.uid.in_(list(uids)))
        .order_by(item.c.title, item.c.pk)
    )
    found = []
    for row in rows:
        values = row._asdict()
        until_us = values.pop("pin_until_us")
        until = None if until_us is None else from_us(until_us)
        found.append(StagedProduct(**values, pinned_until=until))
    return found


def count_staged(connection: Connection, request_id: str) -> StagedCount:
    """Return how far a request is."""
    state = request_file.c.state
    done = case(
        (state == "ready", file.c.size_bytes),
        (state == "waiting", func.coalesce(recall.c.bytes_done, 0)),
        else_=0,
    )
    row = connection.execute(
        select(
            func.count(case((state == "waiting", 1))).label("waiting"),
            func.count(case((state == "ready", 1))).label("ready"),
            func.count(case((state.not_in(("waiting", "ready")), 1))).label("others"),
            func.coalesce(func.sum(done), 0).label("bytes_done"),
            func.coalesce(func.sum(file.c.size_bytes), 0).label("size_bytes"),
        )
        .join_from(request_file, file, file.c.id == request_file.c.file)
        .outerjoin(recall, and_(recall.c.file == file.c.id, ACTIVE))
        .where(request_file.c.request == request_id)
    ).one()
    # PostgreSQL sums 64-bit integers as decimals.
    return StagedCount(row.waiting, row.ready, row.others, int(row.bytes_done), int(row.size_bytes))
