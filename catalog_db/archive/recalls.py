"""The queue of recalls: at most one active recall a file, however many ask.

What changes requests, recalls or the pool holds `Subject.ARCHIVE`: a recall that ends must see
every request that waits for it, and a claim every byte that is promised. How recalls are worked off
is in `catalog_db.archive.claims`.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    literal_column,
    not_,
    select,
    text,
    update,
)

from catalog_db import counters
from catalog_db.tables import file, item, placement, recall, replica, request, request_file
from catalog_db.times import from_us, to_us
from catalog_db.upsert import begins_with, insert_into, is_among

# In the words of the partial unique index, no parameters: else SQLite could not use that index.
ACTIVE = recall.c.state.in_([literal_column(f"'{state}'") for state in ("queued", "running")])
_ACTIVE_INDEX = text("state IN ('queued', 'running')")
JOB_PURPOSE = "job:"  # begins the purpose of the requests of jobs
DISK_ONLY = "disk"  # backend of files without a copy on tape
# No parameters either: the index of pins is partial.
IS_WAITING = request_file.c.state == literal_column("'waiting'")
IS_PINNED = request_file.c.state == literal_column("'ready'")
_PENDING_LIMIT = 50_000
_SEPARATOR = "\n"  # of names, which hold none


class RecallRow(NamedTuple):
    """A recall and who waits for it.

    Parameters
    ----------
    id, attempt, created
        The recall.
    file
        Key of the file that it is for (`catalog_db.archive.staging.files`).
    demand
        How many requests wait for it.
    is_urgent
        A job is among them.
    users
        Who waits for it, each once.
    """

    id: int
    file: int
    attempt: int
    created: datetime
    demand: int
    is_urgent: bool
    users: tuple[str, ...]


def queue_recalls(connection: Connection, file_ids: Iterable[int], now: datetime) -> None:
    """Queue recalls of files of which none is active: the database refuses a second one."""
    new = select(file.c.id, literal("queued"), literal(to_us(now)), literal(to_us(now))).where(
        is_among(connection, file.c.id, file_ids)
    )
    statement = insert_into(connection, recall).from_select(
        ["file", "state", "created_us", "not_before_us"], new.order_by(file.c.id)
    )
    connection.execute(
        statement.on_conflict_do_nothing(index_elements=[recall.c.file], index_where=_ACTIVE_INDEX)
    )


def pending_recalls(connection: Connection, backend: str, now: datetime) -> list[RecallRow]:
    """Return the recalls from a tape backend that may be started now."""
    rows = connection.execute(
        recall_select()
        .where(
            recall.c.state == "queued",
            recall.c.not_before_us <= to_us(now),
            file.c.backend == backend,
        )
        .order_by(recall.c.not_before_us, recall.c.id)  # as the index has them
        .limit(_PENDING_LIMIT)
    )
    return recall_rows(connection, rows)


def withdrawn_recalls(connection: Connection) -> list[tuple[int, str]]:
    """Return queued recalls, with the title, of files whose products were all withdrawn."""
    of_file = and_(placement.c.file == recall.c.file, placement.c.item == item.c.pk)
    served = exists().where(of_file, not_(item.c.withdrawn))
    rows = connection.execute(
        select(recall.c.id, func.min(item.c.title).label("title"))
        .join(placement, placement.c.file == recall.c.file)
        .join(item, item.c.pk == placement.c.item)
        .where(recall.c.state == "queued", item.c.withdrawn, not_(served.correlate(recall)))
        .group_by(recall.c.id)
        .order_by(recall.c.id)
    )
    return [(row.id, row.title) for row in rows]


def cancel_unwanted(connection: Connection, file_ids: Iterable[int], now: datetime) -> None:
    """Cancel the active recalls of files that no request waits for."""
    wanted = exists().where(request_file.c.file == recall.c.file, request_file.c.state == "waiting")
    cancelled = list(
        connection.execute(
            update(recall)
            .where(is_among(connection, recall.c.file, file_ids), ACTIVE, not_(wanted))
            .values(state="cancelled", finished_us=to_us(now), owner=None, lease_until_us=None)
            .returning(recall.c.file)
        ).scalars()
    )
    abandon_room(connection, cancelled, now)
    counters.add(connection, {(counters.RECALLS, "cancelled"): len(cancelled)}, now)


def abandon_room(connection: Connection, file_ids: Iterable[int], now: datetime) -> None:
    """Say of files that are not to come that whatever has come of them is to be removed.

    Their room is not free yet: who recalled them may still be writing, or have died after it wrote.
    """
    connection.execute(
        update(replica)
        .where(is_among(connection, replica.c.file, file_ids), replica.c.state == "filling")
        .values(state="evicting", last_access_us=to_us(now))
    )


def give_room_back(connection: Connection, file_ids: Iterable[int]) -> None:
    """Free the room of files that did not come and of which nothing is left."""
    connection.execute(
        delete(replica).where(
            is_among(connection, replica.c.file, file_ids), replica.c.state == "filling"
        )
    )


def recall_select(*more: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Return the query of `RecallRow`, joined with the file, with more columns at the end."""
    users = (
        select(func.aggregate_strings(request_file.c.user, _SEPARATOR))
        .where(request_file.c.file == recall.c.file, IS_WAITING)
        .correlate(recall)
    )
    return select(
        recall.c.id,
        recall.c.file,
        recall.c.attempt,
        recall.c.created_us,
        users.scalar_subquery().label("users"),
        *more,
    ).join_from(recall, file, file.c.id == recall.c.file)


def recall_rows(connection: Connection, rows: Iterable[Row[*tuple[Any, ...]]]) -> list[RecallRow]:
    """Return what `recall_select` found."""
    urgent = _files_of_jobs(connection)
    return [
        _recall_row(recall_id, file_id, attempt, created_us, users, is_urgent=file_id in urgent)
        for recall_id, file_id, attempt, created_us, users, *_more in rows
    ]


@lru_cache(maxsize=_PENDING_LIMIT)
def _recall_row(  # the same ones are looked at over and over
    recall_id: int,
    file_id: int,
    attempt: int,
    created_us: int,
    users: str | None,
    *,
    is_urgent: bool,
) -> RecallRow:
    """Return a row; a user who waits twice counts twice, and is named once."""
    names = users.split(_SEPARATOR) if users else []
    who = tuple(dict.fromkeys(names))
    created = from_us(created_us)
    return RecallRow(recall_id, file_id, attempt, created, len(names), is_urgent, who)


def _files_of_jobs(connection: Connection) -> set[int]:
    """Return the files that jobs wait for."""
    of_jobs = begins_with(connection, request.c.purpose, JOB_PURPOSE)
    rows = connection.execute(
        select(request_file.c.file)
        .join_from(request, request_file, request_file.c.request == request.c.id)
        .where(request.c.released_us.is_(None), of_jobs, IS_WAITING)
    )
    return set(rows.scalars())
