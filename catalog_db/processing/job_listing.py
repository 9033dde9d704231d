"""Lists of jobs: filters, pages by key, totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from catalog_db import times
from catalog_db.errors import QueryError
from catalog_db.processing.job_order import WAITING
from catalog_db.processing.jobs import Job, jobs_of
from catalog_db.tables import job as table


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are listed; what is empty or None excludes none.

    Parameters
    ----------
    owners, processes
        Names of users and of chains.
    states, row_states
        As clients see them (``Job.shown_state``), and as the rows have them, for operators.
    created_from, created_until
        The instants between which a job was accepted, both included.
    min_duration_s, max_duration_s
        How long it took from its first start to its end, or has taken until `now`, both included;
        a job that never started has no duration and is excluded.
    """

    owners: Sequence[str] = ()
    processes: Sequence[str] = ()
    states: Sequence[str] = ()
    row_states: Sequence[str] = ()
    created_from: datetime | None = None
    created_until: datetime | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None


@dataclass(frozen=True)
class JobPage:
    """Some jobs, the newest first, of `total`; `cursor` leads to the next page, None on the last.

    The jobs carry no queue position and no expected times.
    """

    jobs: tuple[Job, ...]
    total: int
    cursor: str | None


def page_of_jobs(
    connection: Connection,
    wanted: JobFilter,
    *,
    limit: int = 100,
    cursor: str | None = None,
    now: datetime | None = None,
) -> JobPage:
    """Return a page of the jobs that a filter lets pass, the newest first.

    Parameters
    ----------
    limit
        Jobs on a page at most, 1 or more.
    cursor
        Of the page before; pages do not shift when jobs arrive meanwhile.
    now
        Until when the duration of a running job counts; by default the present.

    Raises
    ------
    QueryError
        When the cursor is none of this list.
    """
    conditions = _conditions(wanted, times.to_us(now or times.now()))
    total = connection.execute(select(func.count()).select_from(table).where(*conditions))
    query = (
        select(table)
        .where(*conditions)
        .order_by(table.c.created_us.desc(), table.c.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(_after(cursor))
    found = jobs_of(connection, query)
    page = tuple(found[:limit])
    following = _cursor_of(page[-1]) if len(found) > limit else None
    return JobPage(page, total.scalar_one(), following)


def _conditions(wanted: JobFilter, now_us: int) -> list[ColumnElement[bool]]:
    columns = table.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.owners:
        conditions.append(columns.owner.in_(wanted.owners))
    if wanted.processes:
        conditions.append(columns.process.in_(wanted.processes))
    if wanted.states:
        conditions.append(or_(false(), *(_is_shown_as(state) for state in wanted.states)))
    if wanted.row_states:
        conditions.append(columns.state.in_(wanted.row_states))
    if wanted.created_from is not None:
        conditions.append(columns.created_us >= times.to_us(wanted.created_from))
    if wanted.created_until is not None:
        conditions.append(columns.created_us <= times.to_us(wanted.created_until))
    duration_us = func.coalesce(columns.finished_us, now_us) - columns.started_us
    if wanted.min_duration_s is not None:
        conditions.append(duration_us >= round(wanted.min_duration_s * 1e6))
    if wanted.max_duration_s is not None:
        conditions.append(duration_us <= round(wanted.max_duration_s * 1e6))
    return conditions


def _is_shown_as(state: str) -> ColumnElement[bool]:
    """Return the condition that ``Job.shown_state`` is `state`."""
    if state in WAITING:
        return and_(table.c.state == state, table.c.started_us.is_(None))
    if state == "running":
        begun = and_(table.c.state.in_(WAITING), table.c.started_us.is_not(None))
        return or_(table.c.state == state, begun)
    return table.c.state == state


def _cursor_of(job: Job) -> str:
    return f"{times.to_us(job.created)}.{job.id}"


def _after(cursor: str) -> ColumnElement[bool]:
    """Return the condition that a job comes after the one of a cursor."""
    created, _, job_id = cursor.partition(".")
    if not (created.isascii() and created.isdigit() and len(created) < 19 and job_id):
        raise QueryError(f"{cursor[:40]} is no cursor of a list of jobs")
    created_us = int(created)
    same_instant = and_(table.c.created_us == created_us, table.c.id < job_id)
    return or_(table.c.created_us < created_us, same_instant)
