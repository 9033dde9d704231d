"""Jobs that only stage: they never take a slot, and what they staged stays when they have ended.

They have a lane of their own, in which no worker claims; staging is their running. Their one task
names the products and holds the request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, select, update

from catalog_db import locks, times
from catalog_db.processing.job_order import STAGE_LANE
from catalog_db.processing.job_runs import count_end
from catalog_db.processing.job_tasks import HOLDING, kept_files, promised_files, staged_sizes
from catalog_db.processing.jobs import ACTIVE, TaskRow, add_log
from catalog_db.tables import job as table
from catalog_db.tables import task

_STAGES = and_(table.c.lane == STAGE_LANE, table.c.state.in_(("accepted", "staging")))


@dataclass(frozen=True)
class StageRoom:
    """Whether products may be staged now, and the bytes of others that stay on disk meanwhile.

    Parameters
    ----------
    admitted
        Their room is reserved.
    staged
        What such jobs hold of the pool, all of them.
    is_for_jobs
        The room is missing because jobs that compute have it.
    """

    admitted: bool
    staged: int = 0
    is_for_jobs: bool = False


def admit_stage(
    connection: Connection, candidate: TaskRow, *, budget_bytes: int, share_bytes: int
) -> StageRoom:
    """Reserve room for the products of a job that stages, beside what the others hold.

    Parameters
    ----------
    budget_bytes, share_bytes
        Size of the disk pool, and of the part of it that all these jobs together may take.
    """
    locks.hold(connection, locks.Subject.JOBS)
    own = {file: size for _, file, size in staged_sizes(connection, candidate.products)}
    staged = _staged_files(connection)
    if sum((staged | own).values()) > share_bytes:
        return StageRoom(admitted=False, staged=sum(staged.values()))
    if sum((promised_files(connection) | own).values()) > budget_bytes:
        return StageRoom(admitted=False, staged=sum(staged.values()), is_for_jobs=True)
    changed = connection.execute(
        update(task)
        .where(
            task.c.job == candidate.job,
            task.c.number == candidate.number,
            task.c.state == "waiting",
        )
        .values(state="staging")
    ).rowcount
    return StageRoom(admitted=bool(changed))


def tell(
    connection: Connection,
    job_id: str,
    message: str,
    *,
    percent: int = 0,
    expected: datetime | None = None,
    begun: bool = False,
) -> bool:
    """Say how far a job is; False when it has ended.

    Parameters
    ----------
    percent
        Of the bytes; it never goes back.
    expected
        When all is expected to be on disk.
    begun
        Products are on their way: the job is shown as one that runs.
    """
    now_us = times.to_us(times.now())
    values: dict[str, Any] = {
        "state": "staging",
        "message": message,
        "progress": case((table.c.progress > percent, table.c.progress), else_=percent),
        "inputs_expected_us": None if expected is None else times.to_us(expected),
        "updated_us": now_us,
    }
    if begun:
        values["started_us"] = func.coalesce(table.c.started_us, now_us)
    statement = update(table).where(table.c.id == job_id, _STAGES).values(**values)
    return bool(connection.execute(statement).rowcount)


def succeed(
    connection: Connection,
    job_id: str,
    message: str,
    results: Mapping[str, Any],
    *,
    expires: datetime,
) -> bool:
    """Mark a job succeeded; False when it has ended already. Its request stays until it expires."""
    now_us = times.to_us(times.now())
    row = connection.execute(
        update(table)
        .where(table.c.id == job_id, _STAGES)
        .values(
            state="succeeded",
            progress=100,
            message=message,
            results=json.dumps(results),
            expires_us=times.to_us(expires),
            started_us=func.coalesce(table.c.started_us, now_us),
            finished_us=now_us,
            updated_us=now_us,
            inputs_expected_us=None,
        )
        .returning(table.c.process, table.c.owner)
    ).one_or_none()
    if row is None:
        return False
    # Not "done": its request is held on to.
    connection.execute(update(task).where(task.c.job == job_id).values(state="ready"))
    add_log(connection, job_id, "INFO", message)
    count_end(connection, row.process, row.owner, "succeeded")
    return True


def _staged_files(connection: Connection) -> dict[int, int]:
    """Return the files, and their bytes, that jobs which stage hold or have promised."""
    holding = connection.execute(
        select(task.c.products)
        .join(table, table.c.id == task.c.job)
        .where(table.c.lane == STAGE_LANE, table.c.state.in_(ACTIVE), task.c.state.in_(HOLDING))
    ).scalars()
    uids = sorted({uid for products in holding for uid in json.loads(products)})
    asked = {file: size for _, file, size in staged_sizes(connection, uids)}
    return asked | kept_files(connection)
