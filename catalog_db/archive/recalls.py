"""The queue of recalls: one active recall a file, claimed with a lease, ended at one stroke.

What changes requests, recalls or the pool holds `Subject.ARCHIVE`: a recall that ends must see
every request that waits for it, and a claim every byte that is promised.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    cast,
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

from catalog_db.locks import Subject, hold
from catalog_db.tables import file, item, placement, recall, replica, request, request_file
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into, is_among

# In the words of the partial unique index, no parameters: else SQLite could not use that index.
ACTIVE = recall.c.state.in_(
    [literal_column(f"'{state}'") for state in ("queued", "running", "verifying")]
)
_ACTIVE_INDEX = text("state IN ('queued', 'running', 'verifying')")
_RUNNING = recall.c.state == "running"
JOB_PURPOSE = "job:"  # begins the purpose of the requests of jobs
DISK_ONLY = "disk"  # backend of files without a copy on tape
_PENDING_LIMIT = 10_000


@dataclass(frozen=True)
class RecallRow:
    """A recall and the file that it is for.

    Parameters
    ----------
    id, attempt, created
        The recall.
    demand
        How many requests wait for it.
    is_urgent
        A job is among them.
    path, size_bytes, checksum_algorithm, checksum, backend, tape, position
        The file, as in `catalog_db.archive.staging.FileRow`.
    """

    id: int
    attempt: int
    created: datetime
    demand: int
    is_urgent: bool
    path: str
    size_bytes: int
    checksum_algorithm: str
    checksum: str
    backend: str
    tape: str | None
    position: int | None


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
    """Return the recalls from a tape backend that may be started now, oldest first."""
    rows = connection.execute(
        _recall_select()
        .where(
            recall.c.state == "queued",
            recall.c.not_before_us <= to_us(now),
            file.c.backend == backend,
        )
        .order_by(recall.c.created_us, recall.c.id)
        .limit(_PENDING_LIMIT)
    )
    return [_recall_row(row) for row in rows]


def pool_bytes(connection: Connection) -> int:
    """Return the bytes that recalled files take in the pool, or will take.

    Files without a copy on tape lie there too, for ever: the budget is not for them.
    """
    used = (
        select(func.coalesce(func.sum(replica.c.size_bytes), 0))
        .join_from(replica, file, file.c.id == replica.c.file)
        .where(file.c.backend != DISK_ONLY)
    )
    return int(connection.execute(used).scalar_one())


def claim_recalls(
    connection: Connection,
    recall_ids: Sequence[int],
    owner: str,
    *,
    budget_bytes: int,
    now: datetime,
    lease_s: float,
) -> list[RecallRow]:
    """Take those still queued, as many as have room in the pool, and reserve that room."""
    hold(connection, Subject.ARCHIVE)
    room = budget_bytes - pool_bytes(connection)
    claimed = []
    queued = connection.execute(
        _recall_select(file.c.id.label("file_id"))
        .where(is_among(connection, recall.c.id, recall_ids), recall.c.state == "queued")
        .order_by(recall.c.created_us, recall.c.id)
    ).all()
    for row in queued:
        if row.size_bytes <= room:
            room -= row.size_bytes
            _reserve(connection, row.file_id, row.path, row.size_bytes, now)
            claimed.append(row.id)
    connection.execute(
        update(recall)
        .where(is_among(connection, recall.c.id, claimed), recall.c.state == "queued")
        .values(
            state="running",
            attempt=recall.c.attempt + 1,
            owner=owner,
            lease_until_us=_after(now, lease_s),
            bytes_done=0,
        )
    )
    rows = connection.execute(
        _recall_select()
        .where(is_among(connection, recall.c.id, claimed), recall.c.owner == owner)
        .order_by(recall.c.created_us, recall.c.id)
    )
    return [_recall_row(row) for row in rows]


def renew_leases(
    connection: Connection,
    owner: str,
    bytes_done: Mapping[int, int],
    *,
    now: datetime,
    lease_s: float,
) -> set[int]:
    """Prolong the lease of what the owner still holds; note the progress; return what it holds."""
    hold(connection, Subject.ARCHIVE)
    held = set(
        connection.execute(
            update(recall)
            .where(recall.c.owner == owner, _RUNNING)
            .values(lease_until_us=_after(now, lease_s))
            .returning(recall.c.id)
        ).scalars()
    )
    for recall_id, count in bytes_done.items():
        if recall_id in held and count:
            connection.execute(
                update(recall).where(recall.c.id == recall_id).values(bytes_done=count)
            )
    return held


def complete_recall(connection: Connection, recall_id: int, owner: str, now: datetime) -> bool:
    """Close a recall: the replica is ready and pinned for all who wait, all at once.

    Returns
    -------
    False, with nothing changed, when the owner does not hold the recall any more.
    """
    hold(connection, Subject.ARCHIVE)
    file_id = _close(connection, recall_id, owner, "done", None, now)
    if file_id is None:
        return False
    connection.execute(
        update(replica)
        .where(replica.c.file == file_id)
        .values(state="ready", last_access_us=to_us(now))
    )
    lifetime_us = (
        select(cast(request.c.pin_lifetime_s, BigInteger) * 1_000_000)
        .where(request.c.id == request_file.c.request)
        .scalar_subquery()
    )
    connection.execute(
        update(request_file)
        .where(request_file.c.file == file_id, request_file.c.state == "waiting")
        .values(state="ready", pin_until_us=to_us(now) + lifetime_us)
    )
    return True


def requeue_recalls(
    connection: Connection,
    recall_ids: Sequence[int],
    owner: str,
    *,
    not_before: datetime,
    error: str | None = None,
) -> None:
    """Queue claimed recalls again; without an `error` the attempt is not counted."""
    hold(connection, Subject.ARCHIVE)
    files = connection.execute(
        update(recall)
        .where(is_among(connection, recall.c.id, recall_ids), recall.c.owner == owner, _RUNNING)
        .values(
            state="queued",
            attempt=recall.c.attempt - (1 if error is None else 0),
            not_before_us=to_us(not_before),
            owner=None,
            lease_until_us=None,
            bytes_done=0,
            error=error,
        )
        .returning(recall.c.file)
    ).scalars()
    _unreserve(connection, list(files))


def fail_recall(
    connection: Connection, recall_id: int, owner: str | None, error: str, now: datetime
) -> bool:
    """Give up on a recall and tell all who wait; False when the owner does not hold it."""
    hold(connection, Subject.ARCHIVE)
    file_id = _close(connection, recall_id, owner, "failed", error, now)
    if file_id is None:
        return False
    _unreserve(connection, [file_id])
    connection.execute(
        update(request_file)
        .where(request_file.c.file == file_id, request_file.c.state == "waiting")
        .values(state="failed", error=error)
    )
    return True


def recover_recalls(connection: Connection, now: datetime, max_attempts: int) -> int:
    """Take recalls from owners whose lease has run out; return how many."""
    hold(connection, Subject.ARCHIVE)
    lost = connection.execute(
        select(recall.c.id, recall.c.owner, recall.c.attempt)
        .where(_RUNNING, recall.c.lease_until_us < to_us(now))
        .order_by(recall.c.id)
    ).all()
    for row in lost:
        if row.attempt < max_attempts:
            error = f"attempt {row.attempt} was lost with its service"
            requeue_recalls(connection, [row.id], row.owner, not_before=now, error=error)
        else:
            error = f"the recall was lost {row.attempt} times with the service that did it"
            fail_recall(connection, row.id, row.owner, error, now)
    return len(lost)


def has_lost_recalls(connection: Connection, now: datetime) -> bool:
    """Tell whether some owner's lease has run out; reads only."""
    query = select(exists().where(_RUNNING, recall.c.lease_until_us < to_us(now)))
    return bool(connection.execute(query).scalar_one())


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
    cancelled = connection.execute(
        update(recall)
        .where(is_among(connection, recall.c.file, file_ids), ACTIVE, not_(wanted))
        .values(state="cancelled", finished_us=to_us(now), owner=None, lease_until_us=None)
        .returning(recall.c.file)
    ).scalars()
    _unreserve(connection, list(cancelled))


def _close(
    connection: Connection,
    recall_id: int,
    owner: str | None,
    state: str,
    error: str | None,
    now: datetime,
) -> int | None:
    """End a recall that `owner` holds (None: that is queued); return its file."""
    held = recall.c.state == "queued" if owner is None else and_(_RUNNING, recall.c.owner == owner)
    return connection.execute(
        update(recall)
        .where(recall.c.id == recall_id, held)
        .values(state=state, error=error, finished_us=to_us(now), owner=None, lease_until_us=None)
        .returning(recall.c.file)
    ).scalar_one_or_none()


def _reserve(
    connection: Connection, file_id: int, path: str, size_bytes: int, now: datetime
) -> None:
    """Reserve room in the pool for a file that is going to be read."""
    statement = insert_into(connection, replica).values(
        file=file_id, path=path, state="filling", size_bytes=size_bytes, last_access_us=to_us(now)
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=[replica.c.file]))


def _unreserve(connection: Connection, file_ids: Sequence[int]) -> None:
    """Give back the room of files that did not come; a ready replica stays."""
    connection.execute(
        delete(replica).where(
            is_among(connection, replica.c.file, file_ids),
            replica.c.state == "filling",
        )
    )


def _after(now: datetime, seconds: float) -> int:
    return to_us(now + timedelta(seconds=seconds))


def _recall_select(*more: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    """Return the query of `RecallRow`."""
    demand = (
        select(func.count())
        .where(request_file.c.file == recall.c.file, request_file.c.state == "waiting")
        .correlate(recall)
        .scalar_subquery()
    )
    of_job = (
        exists()
        .where(
            request_file.c.file == recall.c.file,
            request_file.c.state == "waiting",
            request.c.id == request_file.c.request,
            request.c.purpose.startswith(JOB_PURPOSE),
        )
        .correlate(recall)
    )
    return select(
        recall.c.id,
        recall.c.attempt,
        recall.c.created_us,
        demand.label("demand"),
        of_job.label("is_urgent"),
        file.c.path,
        file.c.size_bytes,
        file.c.checksum_algorithm,
        file.c.checksum,
        file.c.backend,
        file.c.tape,
        file.c.position,
        *more,
    ).join_from(recall, file, file.c.id == recall.c.file)


def _recall_row(row: Row[*tuple[Any, ...]]) -> RecallRow:
    values = dict(row._mapping)
    created = from_us(values.pop("created_us"))
    is_urgent = bool(values.pop("is_urgent"))
    return RecallRow(created=created, is_urgent=is_urgent, **values)
