"""How things stand now: queue of recalls, jobs and mirrors, each in one look along an index."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select

from catalog_db.archive.recalls import ACTIVE
from catalog_db.processing.jobs import ACTIVE as ACTIVE_JOBS
from catalog_db.tables import (
    file,
    job,
    mirror_content,
    mirror_day,
    mirror_mark,
    mirror_product,
    recall,
)
from catalog_db.times import from_us, to_us

# What a mirror promises, and over what time it is judged.
MIRROR_PROMISE = timedelta(hours=48)
MIRROR_WINDOW = timedelta(hours=24)

_UNFINISHED = ("waiting", "fetching", "failed")


@dataclass(frozen=True)
class RecallQueue:
    """Active recalls by state, and when the oldest that waits was asked for."""

    length: Mapping[str, int]
    oldest: datetime | None


class JobCount(NamedTuple):
    """How many jobs of a process are in a state."""

    state: str
    process: str
    number: int


@dataclass(frozen=True)
class MirrorState:
    """How far the mirror of a source is.

    Parameters
    ----------
    source
        Its name.
    backlog, backlog_bytes
        Products announced and not here.
    oldest
        When the first of them was announced.
    mirrored, in_time, delay_s
        What came in the last 24 hours: contents, those within 48 hours of their announcement, and
        the mean time that they took.
    late
        Products announced more than 48 hours ago, and not here.
    """

    source: str
    backlog: int
    backlog_bytes: int
    oldest: datetime | None
    mirrored: int
    in_time: int
    delay_s: float
    late: int

    @property
    def share_in_time(self) -> float:
        """Of what came, or should have, the part that did within 48 hours; 1 where nothing was."""
        due = self.mirrored + self.late
        return self.in_time / due if due else 1.0


def recall_queue(connection: Connection) -> RecallQueue:
    """Return how long the queue of recalls is."""
    rows = connection.execute(
        select(
            recall.c.state,
            func.count().label("number"),
            func.min(recall.c.created_us).label("oldest_us"),
        )
        .where(ACTIVE)
        .group_by(recall.c.state)
    ).all()
    oldest = [from_us(row.oldest_us) for row in rows if row.state == "queued"]
    return RecallQueue({row.state: row.number for row in rows}, min(oldest, default=None))


def active_recalls(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many recalls are active, by backend and state."""
    rows = connection.execute(
        select(file.c.backend, recall.c.state, func.count().label("number"))
        .join_from(recall, file, file.c.id == recall.c.file)
        .where(ACTIVE)
        .group_by(file.c.backend, recall.c.state)
    )
    return {(row.backend, row.state): row.number for row in rows}


def active_jobs(connection: Connection) -> list[JobCount]:
    """Return how many jobs wait and run, by state and process."""
    columns = job.c
    rows = connection.execute(
        select(columns.state, columns.process, func.count().label("number"))
        .where(columns.state.in_(ACTIVE_JOBS))
        .group_by(columns.state, columns.process)
        .order_by(columns.state, columns.process)
    )
    return [JobCount(row.state, row.process, row.number) for row in rows]


def mirrors(connection: Connection, now: datetime) -> list[MirrorState]:
    """Return how far the mirror of each source is."""
    sources = select(mirror_mark.c.source).distinct().order_by(mirror_mark.c.source)
    return [_mirror(connection, source, now) for source in connection.scalars(sources)]


def mirror_corruptions(connection: Connection) -> int:
    """Return how many downloads of mirrors were ever not what their source had announced."""
    return int(connection.scalar(select(func.sum(mirror_day.c.corrupt))) or 0)


def _mirror(connection: Connection, source: str, now: datetime) -> MirrorState:
    products, contents = mirror_product.c, mirror_content.c
    promised_us = to_us(now - MIRROR_PROMISE)
    behind = connection.execute(
        select(
            func.count().label("number"),
            func.coalesce(func.sum(products.size_bytes), 0).label("size_bytes"),
            func.min(products.announced_us).label("oldest_us"),
            _count(products.announced_us < promised_us).label("late"),
        ).where(products.source == source, products.state.in_(_UNFINISHED))
    ).one()
    delay_us = contents.mirrored_us - contents.announced_us
    promise_us = MIRROR_PROMISE // timedelta(microseconds=1)
    came = connection.execute(
        select(
            func.count().label("number"),
            _count(delay_us <= promise_us).label("in_time"),
            func.coalesce(func.avg(delay_us), 0).label("delay_us"),
        )
        .join_from(mirror_content, mirror_product)
        .where(products.source == source, contents.mirrored_us >= to_us(now - MIRROR_WINDOW))
    ).one()
    return MirrorState(
        source=source,
        backlog=behind.number,
        backlog_bytes=int(behind.size_bytes),
        oldest=None if behind.oldest_us is None else from_us(behind.oldest_us),
        mirrored=came.number,
        in_time=came.in_time,
        # A source whose clock is ahead of ours would give less than nothing.
        delay_s=max(0.0, float(came.delay_us) / 1e6),
        late=behind.late,
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
