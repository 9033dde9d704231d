"""What the disk pool holds, row by row, and what of it may go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, not_, select, update

from catalog_db.archive.recalls import DISK_ONLY, queue_recalls
from catalog_db.locks import Subject, hold
from catalog_db.tables import file, replica, request_file
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into


@dataclass(frozen=True)
class ReplicaRow:
    """A file in the pool; `last_access` is exact to a minute, `hits` counts no more often."""

    path: str
    size_bytes: int
    last_access: datetime
    hits: int


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


def forget_replica(connection: Connection, path: str, now: datetime) -> None:
    """Note that the pool does not hold a file after all; those who pin it wait for it again."""
    hold(connection, Subject.ARCHIVE)
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
        .values(state="waiting", pin_until_us=None)
        .returning(request_file.c.request)
    ).all()
    if pins:
        queue_recalls(connection, [file_id], now)


def note_access(connection: Connection, file_id: int, now: datetime) -> None:
    """Count a read of a replica."""
    connection.execute(
        update(replica)
        .where(replica.c.file == file_id)
        .values(last_access_us=to_us(now), hits=replica.c.hits + 1)
    )


def evictable_replicas(connection: Connection, now: datetime) -> list[ReplicaRow]:
    """Return the files that nobody pins and of which tape holds a copy, oldest access first."""
    rows = connection.execute(
        select(replica.c.path, replica.c.size_bytes, replica.c.last_access_us, replica.c.hits)
        .where(_is_evictable(now))
        .order_by(replica.c.last_access_us, replica.c.file)
    )
    return [
        ReplicaRow(row.path, row.size_bytes, from_us(row.last_access_us), row.hits) for row in rows
    ]


def remove_replicas(connection: Connection, paths: Iterable[str], now: datetime) -> list[str]:
    """Remove those that are still evictable; return their paths.

    Who calls unlinks the files before the commit: no recall can bring one back in between, and a
    crash leaves a row without a file, which `forget_replica` is for.
    """
    hold(connection, Subject.ARCHIVE)
    return list(
        connection.execute(
            delete(replica)
            .where(replica.c.path.in_(list(paths)), _is_evictable(now))
            .returning(replica.c.path)
        ).scalars()
    )


def is_orphan(connection: Connection, path: str) -> bool:
    """Tell whether the pool should hold no file of this path, not even soon.

    That stays so until the transaction ends: recalls are claimed by one transaction at a time.
    """
    hold(connection, Subject.ARCHIVE)
    recalled = select(file.c.id, replica.c.file).where(
        file.c.path == path, file.c.backend != DISK_ONLY
    )
    row = connection.execute(
        recalled.outerjoin_from(file, replica, replica.c.file == file.c.id)
    ).one_or_none()
    return row is not None and row.file is None


def _is_pin(now: datetime) -> ColumnElement[bool]:
    """Whether a requested file is pinned: released and cancelled ones have another state."""
    return and_(request_file.c.state == "ready", request_file.c.pin_until_us > to_us(now))


def _is_evictable(now: datetime) -> ColumnElement[bool]:
    on_tape = exists().where(file.c.id == replica.c.file, file.c.backend != DISK_ONLY)
    pinned = exists().where(request_file.c.file == replica.c.file, _is_pin(now))
    return and_(replica.c.state == "ready", on_tape, not_(pinned))
