"""The archive's rows: files of products, and requests with their pins.

Recalls are in `recalls`, the pool in `replicas`. Every function takes a connection; those that
write want a write transaction, and what must happen together happens in one call.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    literal,
    select,
    update,
)

from catalog_db.archive.recalls import ACTIVE, cancel_unwanted, queue_recalls
from catalog_db.errors import UnknownProductError
from catalog_db.locks import Subject, hold
from catalog_db.tables import file, item, kind, placement, recall, replica, request, request_file
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into, is_among


@dataclass(frozen=True)
class FileRow:
    """A file of the archive, with its key."""

    id: int
    path: str
    size_bytes: int
    checksum_algorithm: str
    checksum: str
    backend: str
    tape: str | None
    position: int | None


@dataclass(frozen=True)
class ProductFile:
    """The file of a product, and whether it can be read now.

    Parameters
    ----------
    uid, title, collection, platform, withdrawn
        The product.
    file
        What the archive holds of it.
    created
        When the file was archived.
    is_ready
        The pool has a verified replica.
    last_access
        When that was last read, about; None without a replica.
    """

    uid: str
    title: str
    collection: str
    platform: str
    withdrawn: bool
    file: FileRow
    created: datetime
    is_ready: bool
    last_access: datetime | None


@dataclass(frozen=True)
class RequestedFile:
    """What a request knows of one of its products.

    Parameters
    ----------
    uid, title, withdrawn
        The product.
    state
        ``waiting``, ``ready``, ``failed``, ``cancelled`` or ``released``.
    is_ready
        The pool has a verified replica.
    size_bytes, bytes_done
        Size of the file and how much of it has come from tape.
    recall
        Key of the active recall, if there is one.
    error
        Why it failed.
    """

    uid: str
    title: str
    withdrawn: bool
    state: str
    is_ready: bool
    size_bytes: int
    bytes_done: int
    recall: int | None
    error: str | None


# -------------------------------------------------------------------------------- files


def insert_file(connection: Connection, row: FileRow, now: datetime) -> FileRow:
    """Insert a file under its path unless that exists; return what is there. `row.id` is ignored.

    Whether it is the same file is seen in the row returned, and stays so: paths are never reused.
    """
    values = {name: value for name, value in vars(row).items() if name != "id"}
    statement = insert_into(connection, file).values(**values, created_us=to_us(now))
    connection.execute(statement.on_conflict_do_nothing(index_elements=[file.c.path]))
    there = select(*_file_columns()).where(file.c.path == row.path)
    return _file_row(connection.execute(there).one())


def product_files(connection: Connection, uids: Sequence[str]) -> list[ProductFile]:
    """Return the files of products, in the order asked.

    Raises
    ------
    UnknownProductError
        When a product is not in the catalogue or has no file.
    """
    rows = connection.execute(
        select(
            item.c.uid,
            item.c.title,
            kind.c.collection,
            kind.c.platform,
            item.c.withdrawn,
            file.c.created_us,
            _is_ready().label("is_ready"),
            replica.c.last_access_us,
            *_file_columns(),
        )
        .join_from(item, kind, kind.c.id == item.c.kind)
        .join(placement, placement.c.item == item.c.pk)
        .join(file, file.c.id == placement.c.file)
        .outerjoin(replica, replica.c.file == file.c.id)
        .where(item.c.uid.in_(list(uids)))
    )
    found = {
        row.uid: ProductFile(
            uid=row.uid,
            title=row.title,
            collection=row.collection,
            platform=row.platform,
            withdrawn=row.withdrawn,
            file=_file_row(row),
            created=from_us(row.created_us),
            is_ready=bool(row.is_ready),
            last_access=None if row.last_access_us is None else from_us(row.last_access_us),
        )
        for row in rows
    }
    for uid in uids:
        if uid not in found:
            raise UnknownProductError(uid)
    return [found[uid] for uid in dict.fromkeys(uids)]


def modes(connection: Connection, uids: Sequence[str]) -> dict[str, str]:
    """Return ``disk``, ``staging`` or ``tape`` for each known product, in one query.

    A ready replica is ``disk`` also while another recall of the file is active.
    """
    rows = connection.execute(
        select(
            item.c.uid,
            case((_is_ready(), "disk"), (recall.c.id.is_not(None), "staging"), else_="tape").label(
                "mode"
            ),
        )
        .outerjoin_from(item, placement, placement.c.item == item.c.pk)
        .outerjoin(replica, replica.c.file == placement.c.file)
        .outerjoin(recall, and_(recall.c.file == placement.c.file, ACTIVE))
        .where(item.c.uid.in_(list(uids)))
    )
    return {row.uid: row.mode for row in rows}


# ----------------------------------------------------------------------------- requests


def open_request(
    connection: Connection,
    *,
    user: str,
    purpose: str,
    file_ids: Iterable[int],
    pin_lifetime_s: int,
    now: datetime,
) -> str:
    """Ask for files: those ready are pinned at once, the others are recalled once for all who ask.

    The same user asking again for the same purpose gets the request that is still open, its pins
    prolonged; a file that failed for it stays failed until the request is released.
    """
    hold(connection, Subject.ARCHIVE)
    request_id = connection.execute(
        select(request.c.id)
        .where(
            request.c.user == user, request.c.purpose == purpose, request.c.released_us.is_(None)
        )
        .order_by(request.c.created_us)
        .limit(1)
    ).scalar_one_or_none()
    if request_id is None:
        request_id = str(uuid.uuid4())
        connection.execute(
            request.insert().values(
                id=request_id,
                user=user,
                purpose=purpose,
                created_us=to_us(now),
                pin_lifetime_s=pin_lifetime_s,
            )
        )
    _want(connection, request_id, file_ids, pin_lifetime_s, now)
    return str(request_id)


def _want(
    connection: Connection,
    request_id: str,
    file_ids: Iterable[int],
    pin_lifetime_s: int,
    now: datetime,
) -> None:
    """Pin the ready files for a request, let the others wait for a recall."""
    pin_until_us = to_us(now + timedelta(seconds=pin_lifetime_s))
    wanted = (
        select(
            literal(request_id),
            file.c.id,
            case((_is_ready(), "ready"), else_="waiting"),
            case((_is_ready(), pin_until_us), else_=None),
        )
        .outerjoin_from(file, replica, replica.c.file == file.c.id)
        .where(is_among(connection, file.c.id, file_ids))
    )
    statement = insert_into(connection, request_file).from_select(
        ["request", "file", "state", "pin_until_us"], wanted
    )
    rows = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[request_file.c.request, request_file.c.file],
            set_={
                "state": statement.excluded.state,
                "pin_until_us": statement.excluded.pin_until_us,
            },
            where=request_file.c.state.in_(["waiting", "ready"]),
        ).returning(request_file.c.file, request_file.c.state)
    ).all()
    queue_recalls(connection, [row.file for row in rows if row.state == "waiting"], now)


def requested_files(connection: Connection, request_id: str) -> list[RequestedFile]:
    """Return the products of a request, ordered by title; none where it is unknown."""
    rows = connection.execute(
        select(
            item.c.uid,
            item.c.title,
            item.c.withdrawn,
            request_file.c.state,
            _is_ready().label("is_ready"),
            file.c.size_bytes,
            func.coalesce(recall.c.bytes_done, 0).label("bytes_done"),
            recall.c.id.label("recall"),
            request_file.c.error,
        )
        .join_from(request_file, file, file.c.id == request_file.c.file)
        .join(placement, placement.c.file == file.c.id)
        .join(item, item.c.pk == placement.c.item)
        .outerjoin(replica, replica.c.file == file.c.id)
        .outerjoin(recall, and_(recall.c.file == file.c.id, ACTIVE))
        .where(request_file.c.request == request_id)
        .order_by(item.c.title, item.c.pk)
    )
    return [RequestedFile(**row._asdict()) for row in rows]


def release_request(connection: Connection, request_id: str, now: datetime) -> None:
    """End a request: its pins go, and recalls that nobody else waits for are cancelled.

    One that is unknown, or was released before, is left as it is.
    """
    hold(connection, Subject.ARCHIVE)
    connection.execute(
        update(request)
        .where(request.c.id == request_id, request.c.released_us.is_(None))
        .values(released_us=to_us(now))
    )
    waiting = _end(connection, request_id, "waiting", "cancelled")
    _end(connection, request_id, "ready", "released")
    cancel_unwanted(connection, waiting, now)


def _end(connection: Connection, request_id: str, state: str, end: str) -> list[int]:
    """Take the files of a request from one state to a final one; return them."""
    return list(
        connection.execute(
            update(request_file)
            .where(request_file.c.request == request_id, request_file.c.state == state)
            .values(state=end, pin_until_us=None)
            .returning(request_file.c.file)
        ).scalars()
    )


def _is_ready() -> ColumnElement[bool]:
    return func.coalesce(replica.c.state == "ready", False)


def _file_columns() -> tuple[ColumnElement[Any], ...]:
    return tuple(file.c[name] for name in FileRow.__dataclass_fields__)


def _file_row(row: Row[*tuple[Any, ...]]) -> FileRow:
    return FileRow(**{name: getattr(row, name) for name in FileRow.__dataclass_fields__})
