"""What the disk pool holds, row by row, and what of it may go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    not_,
    select,
    update,
)

from catalog_db import counters
from catalog_db.archive.recalls import DISK_ONLY, queue_recalls
from catalog_db.groups import groups
from catalog_db.locks import Subject, hold
from catalog_db.tables import file, pool, replica, request_file
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into


@dataclass(frozen=True)
class ReplicaRow:
    """A file in the pool; `last_access` is exact to a minute, `hits` counts no more often."""

    path: str
    size_bytes: int
    last_access: datetime
    hits: int
    inflation: float


@dataclass(frozen=True)
class PoolBytes:
    """Room in the pool, bytes.

    Parameters
    ----------
    recalled
        What recalled files take, or will take; the budget is for these.
    files
        How many these are.
    coming
        Of `recalled`, what is reserved for files that are on their way.
    pinned
        Of `recalled`, what must stay for now.
    disk_only
        Files without a copy on tape, beside the budget.
    """

    recalled: int
    files: int
    coming: int
    pinned: int
    disk_only: int


def add_replica(connection: Connection, file_id: int, path: str, size: int, now: datetime) -> None:
    """Note that the pool holds a verified file."""
    statement = insert_into(connection, replica).values(
        file=file_id, path=path, state="ready", size_bytes=size, last_access_us=to_us(now)
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=[replica.c.file], set_={"state": "ready"})
    )


def ready_replicas(connection: Connection) -> list[tuple[str, int]]:
    """Return path and size of every file that the pool is said to hold."""
    rows = connection.execute(
        select(replica.c.path, replica.c.size_bytes)
        .where(replica.c.state == "ready")
        .order_by(replica.c.file)
    )
    return [(row.path, row.size_bytes) for row in rows]


def is_ready(connection: Connection, file_id: int) -> bool:
    """Tell whether the pool has a verified replica of a file."""
    there = exists().where(replica.c.file == file_id, replica.c.state == "ready")
    return bool(connection.execute(select(there)).scalar_one())


def forget_replica(connection: Connection, path: str, now: datetime) -> None:
    """Note that the pool does not hold a file after all; those who pin it wait for it again.

    The row of an only copy stays, as that of a file to come: nothing can bring it but whoever took
    it away, with the disk that it lies on perhaps.
    """
    hold(connection, Subject.ARCHIVE)
    is_only_copy = _is_only_copy(path, "ready")
    if connection.execute(update(replica).where(is_only_copy).values(state="filling")).rowcount:
        return
    file_id = connection.execute(
        delete(replica)
        .where(replica.c.path == path, replica.c.state == "ready")
        .returning(replica.c.file)
    ).scalar_one_or_none()
    if file_id is None:
        return
    pins = connection.execute(
        update(request_file)
        .where(request_file.c.file == file_id, _is_pin(now))
        .values(state="waiting", pin_until_us=None, finished_us=None)
        .returning(request_file.c.request)
    ).all()
    if pins:
        queue_recalls(connection, [file_id], now)


def lost_replicas(connection: Connection) -> list[tuple[str, int]]:
    """Return path and size of the only copies that the pool was seen to hold no more."""
    rows = connection.execute(
        select(replica.c.path, replica.c.size_bytes)
        .join_from(replica, file, file.c.id == replica.c.file)
        .where(replica.c.state == "filling", file.c.backend == DISK_ONLY)
        .order_by(replica.c.file)
    )
    return [(row.path, row.size_bytes) for row in rows]


def note_found(connection: Connection, path: str) -> None:
    """Note that the pool holds an only copy again."""
    hold(connection, Subject.ARCHIVE)
    is_lost = _is_only_copy(path, "filling")
    connection.execute(update(replica).where(is_lost).values(state="ready"))


def note_access(connection: Connection, file_id: int, now: datetime) -> None:
    """Count a read of a replica."""
    connection.execute(
        update(replica)
        .where(replica.c.file == file_id, replica.c.state == "ready")
        .values(
            last_access_us=to_us(now),
            hits=replica.c.hits + 1,
            inflation=func.coalesce(select(pool.c.inflation).scalar_subquery(), 0.0),
        )
    )


# ------------------------------------------------------------------------------------ room


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


def pool_state(connection: Connection, now: datetime) -> PoolBytes:
    """Return what the pool holds, by what may become of it."""
    pinned = exists().where(request_file.c.file == replica.c.file, _is_pin(now))
    recalled = file.c.backend != DISK_ONLY
    size = replica.c.size_bytes

    def total(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, size), else_=0)), 0)

    row = connection.execute(
        select(
            total(recalled),
            func.coalesce(func.sum(case((recalled, 1), else_=0)), 0),
            total(and_(recalled, replica.c.state == "filling")),
            total(and_(recalled, replica.c.state == "ready", pinned)),
            total(not_(recalled)),
        ).join_from(replica, file, file.c.id == replica.c.file)
    ).one()
    return PoolBytes(*(int(value) for value in row))


def inflation(connection: Connection) -> float:
    """Return what the pool's eviction remembers."""
    found = connection.execute(select(pool.c.inflation)).scalar_one_or_none()
    return 0.0 if found is None else float(found)


# -------------------------------------------------------------------------------- evictions


def evictable_replicas(connection: Connection, now: datetime) -> list[ReplicaRow]:
    """Return the files that nobody pins and of which tape holds a copy, oldest access first."""
    rows = connection.execute(
        select(
            replica.c.path,
            replica.c.size_bytes,
            replica.c.last_access_us,
            replica.c.hits,
            replica.c.inflation,
        )
        .where(_is_evictable(now))
        .order_by(replica.c.last_access_us, replica.c.file)
    )
    return [
        ReplicaRow(row.path, row.size_bytes, from_us(row.last_access_us), row.hits, row.inflation)
        for row in rows
    ]


def condemn_replicas(connection: Connection, paths: Iterable[str], now: datetime) -> list[str]:
    """Say of those that are still evictable that they are being removed; return their paths.

    From then on nobody is told that the pool has them, and none can be brought back before
    `discard_replica`. A crash leaves rows that say what is still to be done.
    """
    hold(connection, Subject.ARCHIVE)
    evicting = (
        update(replica)
        .where(_is_evictable(now))
        .values(state="evicting", last_access_us=to_us(now))
        .returning(replica.c.path, replica.c.size_bytes)
    )
    condemned = [
        row
        for some in groups(paths)
        for row in connection.execute(evicting.where(replica.c.path.in_(some)))
    ]
    amounts = {
        (counters.EVICTIONS, ""): len(condemned),
        (counters.EVICTED_BYTES, ""): sum(row.size_bytes for row in condemned),
    }
    counters.add(connection, amounts, now)
    return [row.path for row in condemned]


def inflate(connection: Connection, value: float) -> None:
    """Let the pool's inflation rise to a value; it never falls."""
    statement = insert_into(connection, pool).values(name=DISK_ONLY, inflation=value)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[pool.c.name],
            set_={"inflation": value},
            where=pool.c.inflation < value,
        )
    )


def condemned_replicas(connection: Connection, before: datetime) -> list[str]:
    """Return what has been left half removed since before an instant."""
    rows = connection.execute(
        select(replica.c.path)
        .where(replica.c.state == "evicting", replica.c.last_access_us <= to_us(before))
        .order_by(replica.c.file)
    )
    return list(rows.scalars())


def has_no_place(connection: Connection, path: str) -> bool:
    """Tell whether the pool should hold no file of this path, not even soon.

    That stays so until the transaction ends: recalls are claimed by one transaction at a time. Who
    calls removes the file and then says so by `discard_replica`.
    """
    hold(connection, Subject.ARCHIVE)
    recalled = select(file.c.id, replica.c.state).where(
        file.c.path == path, file.c.backend != DISK_ONLY
    )
    row = connection.execute(
        recalled.outerjoin_from(file, replica, replica.c.file == file.c.id)
    ).one_or_none()
    return row is not None and row.state in (None, "evicting")


def discard_replica(connection: Connection, path: str) -> None:
    """Free the room of a file that has been removed."""
    connection.execute(delete(replica).where(replica.c.path == path, replica.c.state == "evicting"))


def without_row(connection: Connection, paths: Iterable[str]) -> list[str]:
    """Return which of these files of the pool came from tape and have no replica."""
    rows = connection.execute(
        select(file.c.path)
        .outerjoin_from(file, replica, replica.c.file == file.c.id)
        .where(file.c.path.in_(list(paths)), file.c.backend != DISK_ONLY, replica.c.file.is_(None))
        .order_by(file.c.path)
    )
    return list(rows.scalars())


def _is_only_copy(path: str, state: str) -> ColumnElement[bool]:
    """Whether a replica in a state is of a file without a copy on tape."""
    only_here = exists().where(file.c.id == replica.c.file, file.c.backend == DISK_ONLY)
    return and_(replica.c.path == path, replica.c.state == state, only_here)


def _is_pin(now: datetime) -> ColumnElement[bool]:
    """Whether a requested file is pinned: released and cancelled ones have another state."""
    return and_(request_file.c.state == "ready", request_file.c.pin_until_us > to_us(now))


def _is_evictable(now: datetime) -> ColumnElement[bool]:
    on_tape = exists().where(file.c.id == replica.c.file, file.c.backend != DISK_ONLY)
    pinned = exists().where(request_file.c.file == replica.c.file, _is_pin(now))
    return and_(replica.c.state == "ready", on_tape, not_(pinned))
