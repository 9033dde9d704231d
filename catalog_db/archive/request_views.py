"""Requests as they are shown: what became of each file, and lists of requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, not_, select

from catalog_db.archive.recalls import ACTIVE, DISK_ONLY
from catalog_db.tables import file, item, placement, recall, replica, request, request_file
from catalog_db.times import from_us
from catalog_db.upsert import is_among


@dataclass(frozen=True)
class RequestRow:
    """A request; `released` is when it ended."""

    id: str
    user: str
    purpose: str
    created: datetime
    deadline: datetime | None
    released: datetime | None


@dataclass(frozen=True)
class ListedRequest:
    """A request, how many of its files are in each state, and their size."""

    request: RequestRow
    files: dict[str, int]
    size_bytes: int


@dataclass(frozen=True)
class RequestedFile:
    """What a request knows of one of its products.

    Parameters
    ----------
    uid, title, withdrawn
        The product.
    file, path
        Key and archive path of its file.
    state
        ``waiting``, ``ready``, ``failed``, ``cancelled`` or ``released``.
    is_ready, is_lost
        The pool has a verified replica; it should have the only copy, and has not.
    size_bytes, bytes_done
        Size of the file and how much of it has come from tape.
    recall, attempt, recall_error
        Key of the active recall, if there is one, its attempts and why the last one failed.
    asked, started, finished
        When it was asked for, its recall was last begun, and it stopped to wait.
    pin_until
        Until when it stays.
    error
        Why it failed.
    """

    uid: str
    title: str
    withdrawn: bool
    file: int
    path: str
    state: str
    is_ready: bool
    is_lost: bool
    size_bytes: int
    bytes_done: int
    recall: int | None
    attempt: int
    recall_error: str | None
    asked: datetime
    started: datetime | None
    finished: datetime | None
    pin_until: datetime | None
    error: str | None


def find_request(connection: Connection, request_id: str) -> RequestRow | None:
    """Return a request, None where it is unknown."""
    rows = connection.execute(select(request).where(request.c.id == request_id))
    found = rows.mappings().one_or_none()
    return None if found is None else _request_row(dict(found))


def list_requests(
    connection: Connection,
    *,
    user: str | None = None,
    purpose: str | None = None,
    only_open: bool = True,
    limit: int = 100,
) -> list[ListedRequest]:
    """Return requests, the newest first.

    Parameters
    ----------
    connection
        To the catalogue database.
    user
        Whose; None: everybody's.
    purpose
        How their purpose begins.
    only_open
        Without those that have ended.
    limit
        At most so many.
    """
    conditions: list[ColumnElement[bool]] = []
    if only_open:
        conditions.append(request.c.released_us.is_(None))
    if user is not None:
        conditions.append(request.c.user == user)
    if purpose is not None:
        conditions.append(request.c.purpose.startswith(purpose, autoescape=True))
    rows = connection.execute(
        select(request)
        .where(*conditions)
        .order_by(request.c.created_us.desc(), request.c.id)
        .limit(limit)
    ).mappings()
    found = [_request_row(dict(row)) for row in rows]
    states: dict[str, dict[str, int]] = {row.id: {} for row in found}
    sizes = dict.fromkeys(states, 0)
    counted = connection.execute(
        select(
            request_file.c.request,
            request_file.c.state,
            func.count().label("files"),
            func.sum(file.c.size_bytes).label("size_bytes"),
        )
        .join_from(request_file, file, file.c.id == request_file.c.file)
        .where(request_file.c.request.in_(list(states)))
        .group_by(request_file.c.request, request_file.c.state)
        .order_by(request_file.c.state)
    )
    for row in counted:
        states[row.request][row.state] = row.files
        sizes[row.request] += int(row.size_bytes)
    return [ListedRequest(row, states[row.id], sizes[row.id]) for row in found]


def requested_files(connection: Connection, request_id: str) -> list[RequestedFile]:
    """Return the products of a request, ordered by title; none where it is unknown."""
    is_ready = func.coalesce(replica.c.state == "ready", False)
    is_running = recall.c.state == "running"
    rows = connection.execute(
        select(
            item.c.uid,
            item.c.title,
            item.c.withdrawn,
            file.c.id.label("file"),
            file.c.path,
            request_file.c.state,
            is_ready.label("is_ready"),
            and_(file.c.backend == DISK_ONLY, not_(is_ready)).label("is_lost"),
            file.c.size_bytes,
            func.coalesce(recall.c.bytes_done, 0).label("bytes_done"),
            recall.c.id.label("recall"),
            func.coalesce(recall.c.attempt, 0).label("attempt"),
            recall.c.error.label("recall_error"),
            request_file.c.asked_us,
            case((is_running, recall.c.started_us)).label("started_us"),
            request_file.c.finished_us,
            request_file.c.pin_until_us,
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
    return [RequestedFile(**_with_times(dict(row._mapping))) for row in rows]


def files_of_products(
    connection: Connection, request_id: str, uids: Sequence[str]
) -> dict[str, int]:
    """Return the keys of the files of those products that belong to a request."""
    rows = connection.execute(
        select(item.c.uid, request_file.c.file)
        .join_from(request_file, placement, placement.c.file == request_file.c.file)
        .join(item, item.c.pk == placement.c.item)
        .where(request_file.c.request == request_id, item.c.uid.in_(list(uids)))
    )
    return {row.uid: row.file for row in rows}


def requests_for_files(
    connection: Connection, file_ids: Iterable[int], *, user: str, purpose: str
) -> dict[str, list[int]]:
    """Return the open requests of a user that wait for files or pin them, and these files of each.

    Parameters
    ----------
    connection
        To the catalogue database.
    file_ids
        The files.
    user
        Whose requests.
    purpose
        How their purpose begins.
    """
    rows = connection.execute(
        select(request_file.c.request, request_file.c.file)
        .join_from(request_file, request, request.c.id == request_file.c.request)
        .where(
            is_among(connection, request_file.c.file, file_ids),
            request_file.c.state.in_(("waiting", "ready")),
            request.c.user == user,
            request.c.purpose.startswith(purpose, autoescape=True),
            request.c.released_us.is_(None),
        )
        .order_by(request_file.c.request, request_file.c.file)
    )
    found: dict[str, list[int]] = {}
    for request_id, file_id in rows:
        found.setdefault(request_id, []).append(file_id)
    return found


def _request_row(values: dict[str, Any]) -> RequestRow:
    named = _with_times(values)
    return RequestRow(**{name: named[name] for name in RequestRow.__dataclass_fields__})


def _with_times(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with instants in the place of microseconds."""
    return {
        name.removesuffix("_us"): from_us(value)
        if name.endswith("_us") and isinstance(value, int)
        else value
        for name, value in values.items()
    }
