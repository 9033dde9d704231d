"""How recalls are worked off: claimed with a lease and room, renewed, ended at one stroke."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    update,
)

from catalog_db import counters
from catalog_db.archive import shares
from catalog_db.archive.recalls import (
    RecallRow,
    abandon_room,
    give_room_back,
    recall_rows,
    recall_select,
)
from catalog_db.archive.replicas import pool_bytes
from catalog_db.archive.stage_events import note_staged
from catalog_db.locks import Subject, hold
from catalog_db.tables import file, pool, recall, replica, request, request_file
from catalog_db.times import to_us
from catalog_db.upsert import is_among

_RUNNING = recall.c.state == "running"
_MICROSECONDS = 1_000_000
NO_ROOM = "there is no room in the disk pool until others let go of what they keep there"


def claim_recalls(
    connection: Connection,
    recall_ids: Sequence[int],
    owner: str,
    *,
    budget_bytes: int,
    now: datetime,
    lease_s: float,
) -> list[RecallRow]:
    """Take those still queued, in this order as many as have room, and reserve that room.

    A file whose former replica is still being removed has to wait until that is done; one that was
    lost with its service has kept its room.
    """
    hold(connection, Subject.ARCHIVE)
    room = budget_bytes - pool_bytes(connection)
    claimed, reserved, left = [], [], []
    for row in _queued(connection, recall_ids):
        if row.room is None:
            if row.size_bytes > room:
                left.append(row.id)
                continue
            room -= row.size_bytes
            reserved.append(row)
        claimed.append(row)
    _say_no_room(connection, left)
    _reserve(connection, [(row.file, row.path, row.size_bytes) for row in reserved], now)
    connection.execute(
        update(recall)
        .where(is_among(connection, recall.c.id, [row.id for row in claimed]))
        .values(
            state="running",
            attempt=recall.c.attempt + 1,
            owner=owner,
            lease_until_us=_after(now, lease_s),
            started_us=to_us(now),
            bytes_done=0,
            error=None,
        )
    )
    rows = recall_rows(connection, claimed)
    return [row._replace(attempt=row.attempt + 1) for row in rows]


def _queued(connection: Connection, recall_ids: Sequence[int]) -> list[Row[Any]]:
    """Return those still queued, in this order; `room` is None where none is reserved."""
    may_come = or_(replica.c.state.is_(None), replica.c.state == "filling")
    rows = connection.execute(
        recall_select(file.c.path, file.c.size_bytes, replica.c.state.label("room"))
        .outerjoin(replica, replica.c.file == file.c.id)
        .where(is_among(connection, recall.c.id, recall_ids), recall.c.state == "queued", may_come)
    )
    queued = {row.id: row for row in rows}
    return [queued[key] for key in recall_ids if key in queued]


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
    served = serve_waiting(connection, file_id, now)
    size_bytes, backend = connection.execute(
        select(file.c.size_bytes, file.c.backend).where(file.c.id == file_id)
    ).one()
    connection.execute(
        update(replica)
        .where(replica.c.file == file_id)
        .values(
            state="ready",
            last_access_us=to_us(now),
            hits=max(1, len(served)),
            inflation=func.coalesce(select(pool.c.inflation).scalar_subquery(), 0.0),
        )
    )
    shares.charge(connection, [row.request for row in served], size_bytes, now)
    waited_s = {row.request: (to_us(now) - row.asked_us) / _MICROSECONDS for row in served}
    amounts = {(counters.RECALLS, "done"): 1, (counters.RECALL_BYTES, backend): size_bytes}
    counters.add(connection, {**amounts, **counters.waits(waited_s.values())}, now)
    note_staged(connection, file_id, size_bytes, waited_s, now)
    return True


def serve_waiting(
    connection: Connection, file_id: int, now: datetime
) -> Sequence[Row[tuple[str, int]]]:
    """Pin a file that is in the pool for all who wait; return request and when each had asked."""
    lifetime_us = (
        select(cast(request.c.pin_lifetime_s, BigInteger) * _MICROSECONDS)
        .where(request.c.id == request_file.c.request)
        .scalar_subquery()
    )
    return connection.execute(
        update(request_file)
        .where(request_file.c.file == file_id, request_file.c.state == "waiting")
        .values(state="ready", pin_until_us=to_us(now) + lifetime_us, finished_us=to_us(now))
        .returning(request_file.c.request, request_file.c.asked_us)
    ).all()


def requeue_recalls(
    connection: Connection,
    recall_ids: Sequence[int],
    owner: str,
    *,
    now: datetime,
    not_before: datetime,
    reason: str | None = None,
    is_counted: bool = False,
) -> None:
    """Queue claimed recalls again, of which nothing is left in the pool.

    Parameters
    ----------
    connection
        In a write transaction.
    recall_ids, owner
        What is held, and by whom; the others are left as they are.
    now, not_before
        The current time, and from when on they may be tried again.
    reason
        Why they did not come, for those who wait.
    is_counted
        It was an attempt, of which there are a few.
    """
    files = _requeue(connection, recall_ids, owner, not_before, reason, is_counted=is_counted)
    give_room_back(connection, files)
    if is_counted:
        counters.add(connection, {(counters.RECALLS, "retried"): len(files)}, now)


def fail_recall(
    connection: Connection, recall_id: int, owner: str | None, error: str, now: datetime
) -> bool:
    """Give up on a recall and tell all who wait.

    Returns
    -------
    False, with nothing changed, when the owner (None: nobody) does not hold it.
    """
    hold(connection, Subject.ARCHIVE)
    file_id = _close(connection, recall_id, owner, "failed", error, now)
    if file_id is None:
        return False
    abandon_room(connection, [file_id], now)
    connection.execute(
        update(request_file)
        .where(request_file.c.file == file_id, request_file.c.state == "waiting")
        .values(state="failed", error=error, finished_us=to_us(now))
    )
    counters.add(connection, {(counters.RECALLS, "failed"): 1}, now)
    return True


def recover_recalls(connection: Connection, now: datetime, max_attempts: int) -> int:
    """Take recalls from owners whose lease has run out; return how many.

    They keep their room: their files may be in the pool already, and are adopted then.
    """
    hold(connection, Subject.ARCHIVE)
    lost = connection.execute(
        select(recall.c.id, recall.c.owner, recall.c.attempt)
        .where(_RUNNING, recall.c.lease_until_us < to_us(now))
        .order_by(recall.c.id)
    ).all()
    for row in lost:
        if row.attempt < max_attempts:
            reason = f"attempt {row.attempt} was lost with its service"
            _requeue(connection, [row.id], row.owner, now, reason, is_counted=True)
        else:
            error = f"the recall was lost {row.attempt} times with the service that did it"
            fail_recall(connection, row.id, row.owner, error, now)
    counters.add(connection, {(counters.RECALLS, "retried"): len(lost)}, now)
    return len(lost)


def has_lost_recalls(connection: Connection, now: datetime) -> bool:
    """Tell whether some owner's lease has run out; reads only."""
    query = select(exists().where(_RUNNING, recall.c.lease_until_us < to_us(now)))
    return bool(connection.execute(query).scalar_one())


def has_distant_times(connection: Connection, lease_end: datetime, pause_end: datetime) -> bool:
    """Tell whether a lease or a pause ends later than any that began lately; reads only."""
    query = select(or_(*(exists().where(one) for one in _distant_times(lease_end, pause_end))))
    return bool(connection.execute(query).scalar_one())


def cut_distant_times(connection: Connection, lease_end: datetime, pause_end: datetime) -> None:
    """Have no lease and no pause end later than these: the clock was set back since they began."""
    hold(connection, Subject.ARCHIVE)
    long_lease, long_pause = _distant_times(lease_end, pause_end)
    connection.execute(update(recall).where(long_lease).values(lease_until_us=to_us(lease_end)))
    connection.execute(update(recall).where(long_pause).values(not_before_us=to_us(pause_end)))


def _distant_times(
    lease_end: datetime, pause_end: datetime
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    is_queued = recall.c.state == "queued"
    return (
        and_(_RUNNING, recall.c.lease_until_us > to_us(lease_end)),
        and_(is_queued, recall.c.not_before_us > to_us(pause_end)),
    )


def _say_no_room(connection: Connection, recall_ids: Sequence[int]) -> None:
    """Tell those who wait that it is for room; once, for a recall may wait long."""
    is_new = or_(recall.c.error.is_(None), recall.c.error != NO_ROOM)
    if recall_ids:
        connection.execute(
            update(recall)
            .where(is_among(connection, recall.c.id, recall_ids), is_new)
            .values(error=NO_ROOM)
        )


def _requeue(
    connection: Connection,
    recall_ids: Sequence[int],
    owner: str,
    not_before: datetime,
    reason: str | None,
    *,
    is_counted: bool,
) -> list[int]:
    """Queue claimed recalls again; return their files."""
    hold(connection, Subject.ARCHIVE)
    return list(
        connection.execute(
            update(recall)
            .where(is_among(connection, recall.c.id, recall_ids), recall.c.owner == owner, _RUNNING)
            .values(
                state="queued",
                attempt=recall.c.attempt - (0 if is_counted else 1),
                not_before_us=to_us(not_before),
                owner=None,
                lease_until_us=None,
                bytes_done=0,
                error=reason,
            )
            .returning(recall.c.file)
        ).scalars()
    )


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


def _reserve(connection: Connection, files: Iterable[tuple[int, str, int]], now: datetime) -> None:
    """Reserve room in the pool for files (key, path, size) that are going to be read."""
    rows = [
        {
            "file": file_id,
            "path": path,
            "state": "filling",
            "size_bytes": size_bytes,
            "last_access_us": to_us(now),
        }
        for file_id, path, size_bytes in files
    ]
    if rows:
        connection.execute(replica.insert(), rows)


def _after(now: datetime, seconds: float) -> int:
    return to_us(now + timedelta(seconds=seconds))
