"""Downloads in progress, in the database: every web process and machine counts the same ones.

A download is a row from its admission to its end; who sends it renews its lease now and then, and
one without a lease has ended, as lost. What was sent adds up in slots of `SLOT`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from catalog_db.access import events
from catalog_db.access.events import Event
from catalog_db.locks import Subject, hold
from catalog_db.tables import download, download_volume
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into

WINDOW = timedelta(days=1)
SLOT = timedelta(minutes=10)

Status = Literal["done", "broken", "lost"]


@dataclass(frozen=True)
class Download:
    """A file, or a part of one, that is being sent.

    Parameters
    ----------
    id
        Its key, a uuid.
    subject
        Whose quota it is.
    user, collection, platform
        What its event will say.
    size_bytes, sent_bytes
        How much it is, and how much of it had been sent at the last sign of life.
    started, lease_until
        When it began, and when it is taken for lost.
    """

    id: str
    subject: str
    user: str
    collection: str
    platform: str
    size_bytes: int
    started: datetime
    lease_until: datetime
    sent_bytes: int = 0


@dataclass(frozen=True)
class Volume:
    """What was sent within a slot of time; `expires` is when it leaves the window."""

    expires: datetime
    size_bytes: int


@dataclass(frozen=True)
class Usage:
    """What a subject has of its quota: running downloads, and volumes, the oldest first."""

    running: tuple[Download, ...]
    volumes: tuple[Volume, ...]


@dataclass(frozen=True)
class Ended:
    """How a download ended."""

    id: str
    instant: datetime
    sent_bytes: int
    status: Status


def usage(connection: Connection, subject: str, now: datetime) -> Usage:
    """Return what a subject uses, in a write transaction: nobody else is admitted until it ends."""
    hold(connection, Subject.DOWNLOADS)
    _end_lost(connection, now)
    running = connection.execute(
        select(download).where(download.c.subject == subject).order_by(download.c.started_us)
    )
    volumes = connection.execute(
        select(download_volume.c.slot, download_volume.c.size_bytes)
        .where(download_volume.c.subject == subject, download_volume.c.slot > _oldest(now))
        .order_by(download_volume.c.slot)
    )
    return Usage(
        tuple(_download(row) for row in running),
        tuple(Volume(_expires(row.slot), row.size_bytes) for row in volumes),
    )


def insert(connection: Connection, one: Download) -> None:
    """Note that a download begins."""
    values = {
        **{name: value for name, value in vars(one).items() if name not in _INSTANTS},
        **{f"{name}_us": to_us(getattr(one, name)) for name in _INSTANTS},
    }
    connection.execute(download.insert().values(**values))


def renew(connection: Connection, sent: Mapping[str, int], lease_until: datetime) -> None:
    """Give downloads a new lease; `sent` says how much of each has been sent."""
    if not sent:
        return
    connection.execute(
        update(download).where(download.c.id == bindparam("key")),
        [
            {"key": key, "sent_bytes": count, "lease_until_us": to_us(lease_until)}
            for key, count in sorted(sent.items())
        ],
    )


def end(connection: Connection, ended: Iterable[Ended]) -> None:
    """End downloads: each leaves an event, and what was sent counts for its subject.

    One that ended before, its lease having run out, is left alone.
    """
    hold(connection, Subject.DOWNLOADS)  # two of these would wait for each other's sums
    happened = []
    for one in ended:
        row = connection.execute(
            delete(download).where(download.c.id == one.id).returning(*download.c)
        ).one_or_none()
        if row is not None:
            happened.append(_ended(connection, _download(row), one))
    events.record(connection, happened)


def running(connection: Connection, now: datetime) -> int:
    """Return how many downloads are in progress."""
    count = select(func.count()).where(download.c.lease_until_us > to_us(now))
    return connection.execute(count).scalar_one()


def _end_lost(connection: Connection, now: datetime) -> None:
    """End the downloads whose lease has run out, and forget volumes outside the window."""
    lost = connection.execute(
        select(download.c.id, download.c.sent_bytes, download.c.lease_until_us)
        .where(download.c.lease_until_us <= to_us(now))
        .order_by(download.c.id)
    ).all()
    if lost:
        end(
            connection,
            [Ended(row.id, from_us(row.lease_until_us), row.sent_bytes, "lost") for row in lost],
        )
    connection.execute(delete(download_volume).where(download_volume.c.slot <= _oldest(now)))


def _ended(connection: Connection, what: Download, how: Ended) -> Event:
    """Count what was sent; return the event."""
    if how.sent_bytes:
        statement = insert_into(connection, download_volume).values(
            subject=what.subject, slot=_slot(how.instant), size_bytes=how.sent_bytes
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["subject", "slot"],
                set_={"size_bytes": download_volume.c.size_bytes + statement.excluded.size_bytes},
            )
        )
    return Event(
        instant=how.instant,
        kind="download",
        user=what.user,
        collection=what.collection,
        platform=what.platform,
        size_bytes=how.sent_bytes,
        status=how.status,
        duration_s=max(0.0, (how.instant - what.started).total_seconds()),
    )


_INSTANTS = ("started", "lease_until")


def _download(row: Row[Any]) -> Download:
    values: dict[str, Any] = row._asdict()
    values |= {name: from_us(values.pop(f"{name}_us")) for name in _INSTANTS}
    return Download(**values)


def _slot(instant: datetime) -> int:
    return to_us(instant) // (SLOT // timedelta(microseconds=1))


def _oldest(now: datetime) -> int:
    """Return the last slot that lies wholly outside the window."""
    return _slot(now - WINDOW) - 1


def _expires(slot: int) -> datetime:
    """Return when the last of a slot leaves the window."""
    return from_us((slot + 1) * (SLOT // timedelta(microseconds=1))) + WINDOW
