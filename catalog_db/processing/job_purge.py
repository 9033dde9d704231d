"""What is kept of a job after its end, and for how long.

Results, tasks, log and staging requests go first; the row stays for longer, to answer that they
have expired, and goes last. What was learnt of its duration stays.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from catalog_db import times
from catalog_db.archive.recalls import JOB_PURPOSE
from catalog_db.groups import groups
from catalog_db.processing.jobs import ACTIVE, FINISHED
from catalog_db.tables import job as table
from catalog_db.tables import job_log, request, task

# Jobs purged, or rows deleted, in one transaction.
BATCH = 100


def to_purge(connection: Connection, now: datetime, kept: timedelta) -> list[str]:
    """Return jobs whose results, tasks and log are kept no longer, the oldest first.

    Parameters
    ----------
    kept
        How long after its end that is, of a job that was promised no instant itself. One that
        still holds a staging request waits until that is released.
    """
    now_us = times.to_us(now)
    kept_us = kept // timedelta(microseconds=1)
    holds = exists().where(task.c.job == table.c.id, task.c.request.is_not(None))
    query = (
        select(table.c.id)
        .where(
            table.c.purged_us.is_(None),
            table.c.finished_us <= now_us,
            table.c.state.in_(FINISHED),
            func.coalesce(table.c.expires_us, table.c.finished_us + kept_us) < now_us,
            ~holds,
        )
        .order_by(table.c.finished_us)
        .limit(BATCH)
    )
    return list(connection.execute(query).scalars())


def purge(connection: Connection, job_id: str, now: datetime) -> bool:
    """Remove what hangs on the row of a job and empty the row; its files are the caller's.

    Returns
    -------
    False when another did it, or the job has not ended.
    """
    changed = connection.execute(
        update(table)
        .where(table.c.id == job_id, table.c.purged_us.is_(None), table.c.state.in_(FINISHED))
        .values(results=None, purged_us=times.to_us(now), updated_us=times.to_us(now))
    ).rowcount
    if not changed:
        return False
    connection.execute(
        update(table)
        .where(table.c.id == job_id, table.c.state == "succeeded")
        .values(message="Finished; the results have expired")
    )
    numbers = connection.execute(select(task.c.number).where(task.c.job == job_id)).scalars()
    purposes = [f"{JOB_PURPOSE}{job_id}:{number}" for number in numbers]
    connection.execute(delete(task).where(task.c.job == job_id))
    connection.execute(delete(job_log).where(job_log.c.job == job_id))
    released = request.c.released_us.is_not(None)
    connection.execute(delete(request).where(request.c.purpose.in_(purposes), released))
    return True


def forget(connection: Connection, purged_before: datetime) -> int:
    """Delete the rows of jobs that were purged before an instant; return how many."""
    old = (
        select(table.c.id)
        .where(table.c.purged_us < times.to_us(purged_before))
        .order_by(table.c.purged_us)
        .limit(BATCH)
    )
    return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def finished_among(connection: Connection, job_ids: list[str]) -> set[str]:
    """Return which of `job_ids` have ended or are unknown: nothing of theirs is needed any more."""
    return set(job_ids) - _those(connection, job_ids, table.c.state.not_in(FINISHED))


def without_results(connection: Connection, job_ids: list[str]) -> set[str]:
    """Return which of `job_ids` have no results and never will: failed, expired or unknown ones."""
    has_results = and_(table.c.state == "succeeded", table.c.results.is_not(None))
    keeps = or_(table.c.state.in_(ACTIVE), has_results)
    return set(job_ids) - _those(connection, job_ids, keeps)


def _those(connection: Connection, job_ids: list[str], condition: ColumnElement[bool]) -> set[str]:
    """Return those of some jobs, however many, that meet a condition."""
    return {
        job_id
        for some in groups(job_ids)
        for job_id in connection.execute(
            select(table.c.id).where(table.c.id.in_(some), condition)
        ).scalars()
    }
