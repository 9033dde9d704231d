"""The queue of recalls as it is shown: places, and the ground on which ends are foretold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Subquery, case, func, select

from catalog_db.archive.recalls import ACTIVE, IS_WAITING
from catalog_db.tables import file, item, placement, recall, request, request_file
from catalog_db.times import from_us
from catalog_db.upsert import is_among


@dataclass(frozen=True)
class Backlog:
    """What is to be read from its backend before a recall is done, itself included.

    Parameters
    ----------
    backend
        Name of the backend.
    position
        Its place in the queue, from 1.
    size_bytes, tapes
        How much is to be read, from how many tapes.
    not_before
        It is not tried before that.
    """

    backend: str
    position: int
    size_bytes: int
    tapes: int
    not_before: datetime


@dataclass(frozen=True)
class ListedRecall:
    """A recall, what it is for and how far it is; times are None where they have not come.

    Parameters
    ----------
    id, state, attempt, error
        The recall: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``; why the last
        attempt failed.
    created, started, finished, not_before
        Asked for; last begun; ended; not tried before.
    uid, title, path, backend, tape, size_bytes, bytes_done
        The product and its file, and how much of it has come.
    users
        How many wait for it.
    backlog
        What is before it, while it is active.
    """

    id: int
    state: str
    attempt: int
    error: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    not_before: datetime
    uid: str | None
    title: str | None
    path: str
    backend: str
    tape: str | None
    size_bytes: int
    bytes_done: int
    users: int
    backlog: Backlog | None


def backlogs(connection: Connection, recall_ids: Iterable[int]) -> dict[int, Backlog]:
    """Return what is read before each active recall is done, were they read in order of age."""
    queue = _queue()
    rows = connection.execute(select(queue).where(is_among(connection, queue.c.id, recall_ids)))
    return {row.id: _backlog(row) for row in rows}


def list_recalls(
    connection: Connection, *, states: Iterable[str], user: str | None = None, limit: int = 1000
) -> list[ListedRecall]:
    """Return recalls in some states, those of a user only or all: the oldest `limit`."""
    waits = (
        select(func.count(request_file.c.user.distinct()))
        .where(request_file.c.file == recall.c.file, IS_WAITING)
        .correlate(recall)
        .scalar_subquery()
    )
    # A file may belong to several products: one of them names it.
    product = (
        select(func.min(placement.c.item)).where(placement.c.file == recall.c.file)
    ).scalar_subquery()
    query = (
        select(
            recall,
            item.c.uid,
            item.c.title,
            file.c.path,
            file.c.backend,
            file.c.tape,
            file.c.size_bytes,
            waits.label("users"),
        )
        .join_from(recall, file, file.c.id == recall.c.file)
        .outerjoin(item, item.c.pk == product)
        .where(recall.c.state.in_(list(states)))
        .order_by(recall.c.created_us, recall.c.id)
        .limit(limit)
    )
    if user is not None:
        asked_for = (
            select(request_file.c.file)
            .join_from(request, request_file, request_file.c.request == request.c.id)
            .where(request.c.user == user)
        )
        query = query.where(recall.c.file.in_(asked_for))
    rows = connection.execute(query).all()
    places = backlogs(connection, [row.id for row in rows])
    return [_listed(row, places.get(row.id)) for row in rows]


def _queue() -> Subquery:
    """Return the active recalls of each backend with all that is read until each is done."""
    age = (recall.c.created_us, recall.c.id)
    tape = (file.c.backend, file.c.tape)
    first_of_tape = func.row_number().over(partition_by=tape, order_by=age) == 1
    active = (
        select(
            recall.c.id,
            recall.c.created_us,
            recall.c.not_before_us,
            file.c.backend,
            (file.c.size_bytes - recall.c.bytes_done).label("size_bytes"),
            case((first_of_tape, 1), else_=0).label("new_tapes"),
        )
        .join_from(recall, file, file.c.id == recall.c.file)
        .where(ACTIVE)
        .subquery()
    )
    before: dict[str, Any] = {
        "partition_by": active.c.backend,
        "order_by": (active.c.created_us, active.c.id),
    }
    return select(
        active.c.id,
        active.c.backend,
        active.c.not_before_us,
        func.row_number().over(**before).label("position"),
        func.sum(active.c.size_bytes).over(**before).label("size_bytes"),
        func.sum(active.c.new_tapes).over(**before).label("tapes"),
    ).subquery()


def _backlog(row: Any) -> Backlog:
    return Backlog(
        row.backend,
        int(row.position),
        int(row.size_bytes),
        int(row.tapes),
        from_us(row.not_before_us),
    )


def _listed(row: Any, backlog: Backlog | None) -> ListedRecall:
    return ListedRecall(
        id=row.id,
        state=row.state,
        attempt=row.attempt,
        error=row.error,
        created=from_us(row.created_us),
        started=None if row.started_us is None else from_us(row.started_us),
        finished=None if row.finished_us is None else from_us(row.finished_us),
        not_before=from_us(row.not_before_us),
        uid=row.uid,
        title=row.title,
        path=row.path,
        backend=row.backend,
        tape=row.tape,
        size_bytes=row.size_bytes,
        bytes_done=row.bytes_done,
        users=row.users,
        backlog=backlog,
    )
