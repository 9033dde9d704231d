"""Changes of state of jobs: claims, leases, progress, ends. Every one is a compare-and-set.

What writes for a running job holds a `Claim`: job, attempt and worker. Once the lease is lost, the
job dismissed or another attempt begun, the row no longer matches, nothing is written, and False
comes back: such a worker stops. Claims are made in a write transaction (``engine.begin()``), which
SQLite serialises by itself and PostgreSQL by an advisory lock.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from catalog_db import times
from catalog_db.jobs import ACTIVE, FINISHED, LONGEST_MESSAGE, Job, add_log, job_of_row, jobs_of
from catalog_db.tables import job as table
from catalog_db.tables import task

logger = logging.getLogger(__name__)

# What a database that does not answer raises: caught by loops that must outlive it.
DatabaseError = SQLAlchemyError

# Key of the PostgreSQL advisory lock under which claims and admissions are made.
_ADVISORY_LOCK = 0x50455053


@dataclass(frozen=True)
class Claim:
    """The right to write for a running job: this attempt, by this worker."""

    job: str
    attempt: int
    worker: str

    def holds(self) -> ColumnElement[bool]:
        """Return the condition under which the right still stands."""
        return and_(
            table.c.id == self.job,
            table.c.state == "running",
            table.c.attempt == self.attempt,
            table.c.worker == self.worker,
        )


def serialize(connection: Connection) -> None:
    """Make what follows in this write transaction exclude other claims and admissions."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def claim(
    connection: Connection,
    *,
    worker: str,
    now: datetime,
    lease_s: float,
    limit: int,
    machine: str = "",
) -> Job | None:
    """Claim the next queued job, unless `limit` jobs run already.

    Parameters
    ----------
    worker
        Who claims.
    now, lease_s
        The lease begins now, and ends so many seconds later unless it is extended.
    limit, machine
        How many jobs may run at once, counting those of the workers whose names begin with
        `machine`: by default all.

    Returns
    -------
    The job, now running with its next attempt begun, or None when there is none to run.
    """
    serialize(connection)
    running = select(func.count()).where(
        table.c.state == "running", table.c.worker.startswith(machine, autoescape=True)
    )
    if connection.execute(running).scalar_one() >= limit:
        return None
    following = (
        select(table.c.id)
        .where(table.c.state == "queued")
        .order_by(table.c.priority.desc(), table.c.created_us, table.c.id)
        .limit(1)
        .scalar_subquery()
    )
    now_us = times.to_us(now)
    row = connection.execute(
        update(table)
        .where(table.c.id == following, table.c.state == "queued")
        .values(
            state="running",
            attempt=table.c.attempt + 1,
            worker=worker,
            process_group=None,
            lease_until_us=times.to_us(now + timedelta(seconds=lease_s)),
            heartbeat_us=now_us,
            started_us=func.coalesce(table.c.started_us, now_us),
            updated_us=now_us,
        )
        .returning(*table.c)
    ).one_or_none()
    if row is None:
        return None
    add_log(connection, row.id, "INFO", f"Attempt {row.attempt} of {row.max_attempts} begins")
    return job_of_row(row)


def heartbeat(connection: Connection, held: Claim, *, now: datetime, lease_s: float) -> bool:
    """Extend the lease; False when the claim no longer holds."""
    return _set(
        connection,
        held,
        heartbeat_us=times.to_us(now),
        lease_until_us=times.to_us(now + timedelta(seconds=lease_s)),
    )


def set_process_group(connection: Connection, held: Claim, process_group: int) -> bool:
    """Record what is to be killed to end the job."""
    return _set(connection, held, process_group=process_group)


def report_progress(engine: Engine, held: Claim, percent: int, message: str) -> None:
    """Write progress; percent never goes back. A database that refuses is logged, no more."""
    value = max(0, min(100, percent))
    try:
        with engine.begin() as connection:
            _set(
                connection,
                held,
                progress=case((table.c.progress > value, table.c.progress), else_=value),
                message=message[:LONGEST_MESSAGE],
            )
    except DatabaseError as error:
        logger.warning("job %s: progress not written: %s", held.job, error)


def still_held(connection: Connection, claims: list[Claim]) -> set[str]:
    """Return the jobs among `claims` whose claim still holds."""
    query = select(table.c.id, table.c.attempt, table.c.worker).where(
        table.c.id.in_([held.job for held in claims]), table.c.state == "running"
    )
    found = {Claim(row.id, row.attempt, row.worker) for row in connection.execute(query)}
    return {held.job for held in claims if held in found}


def succeed(
    connection: Connection, held: Claim, results: Mapping[str, Any], *, expires: datetime | None
) -> bool:
    """Mark the job succeeded; the caller publishes its files before the transaction commits."""
    done = _set(
        connection,
        held,
        state="succeeded",
        progress=100,
        message="Finished",
        results=json.dumps(results),
        expires_us=None if expires is None else times.to_us(expires),
        **_ended(),
    )
    if done:
        add_log(connection, held.job, "INFO", "Succeeded")
    return done


def fail(
    connection: Connection,
    job_id: str,
    message: str,
    *,
    held: Claim | None = None,
    code: str = "NoApplicableCode",
) -> bool:
    """Mark the job failed with the sentence its client reads; False when it had ended already."""
    condition = held.holds() if held else and_(table.c.id == job_id, table.c.state.in_(ACTIVE))
    changed = connection.execute(
        update(table)
        .where(condition)
        .values(state="failed", message=message[:LONGEST_MESSAGE], error_code=code, **_ended())
    ).rowcount
    if changed:
        add_log(connection, job_id, "ERROR", message)
    return bool(changed)


def attempt_lost(connection: Connection, held: Claim, reason: str) -> str | None:
    """Queue the job again after an attempt that ended by accident, or fail it after the last.

    Returns
    -------
    The new state, or None when the claim no longer held.
    """
    row = connection.execute(select(table).where(held.holds())).one_or_none()
    if row is None:
        return None
    if row.attempt >= row.max_attempts:
        sentence = f"The job was given up after {row.attempt} attempts: {reason}"
        return "failed" if fail(connection, held.job, sentence, held=held) else None
    message = f"Attempt {row.attempt + 1} of {row.max_attempts} follows: {reason}"
    if not _set(connection, held, **_without_worker("queued"), message=message):
        return None
    _free_tasks(connection, held.job)
    add_log(connection, held.job, "WARNING", message)
    return "queued"


def recover_lost(connection: Connection, now: datetime) -> list[tuple[str, str]]:
    """Queue or fail the running jobs whose lease has run out; return (job, new state)."""
    lost = jobs_of(
        connection,
        select(table).where(table.c.state == "running", table.c.lease_until_us < times.to_us(now)),
    )
    recovered = []
    for job in lost:
        held = Claim(job.id, job.attempt, job.worker or "")
        state = attempt_lost(connection, held, "its worker was lost")
        if state is not None:
            recovered.append((job.id, state))
    return recovered


def give_way(connection: Connection, held: Claim) -> bool:
    """Give the slot up while inputs are recalled; the same attempt goes on at the next claim."""
    values = _without_worker("staging")
    return _set(connection, held, **values, attempt=table.c.attempt - 1)


def hand_back(connection: Connection, held: Claim, *, message: str, log: str) -> bool:
    """Queue a job again that can do nothing for its end; the attempt does not count."""
    values = _without_worker("queued")
    if not _set(connection, held, **values, attempt=table.c.attempt - 1, message=message):
        return False
    _free_tasks(connection, held.job)
    add_log(connection, held.job, "INFO", log)
    return True


def all_queued_say(connection: Connection, message: str) -> bool:
    """Return whether every job that waits for a worker carries this message."""
    other = and_(table.c.state == "queued", table.c.message != message)
    return connection.execute(select(table.c.id).where(other).limit(1)).one_or_none() is None


def tell_queued(connection: Connection, message: str) -> None:
    """Tell the jobs that wait for a worker why none begins."""
    waiting = and_(table.c.state == "queued", table.c.message != message)
    now_us = times.to_us(times.now())
    connection.execute(update(table).where(waiting).values(message=message, updated_us=now_us))


def someone_waits(connection: Connection) -> bool:
    """Return whether a job that could run waits for a slot."""
    query = select(table.c.id).where(table.c.state == "queued").limit(1)
    return connection.execute(query).one_or_none() is not None


def dismiss(connection: Connection, job_id: str) -> bool:
    """Mark a job dismissed, whatever its state; False when it is unknown or dismissed already."""
    changed = connection.execute(
        update(table)
        .where(table.c.id == job_id, table.c.state != "dismissed")
        .values(
            state="dismissed",
            message="Dismissed",
            results=None,
            error_code="JobDismissed",
            **_ended(),
        )
    ).rowcount
    if changed:
        add_log(connection, job_id, "INFO", "Dismissed")
    return bool(changed)


def advance(connection: Connection, job_id: str, before: str, after: str, message: str) -> bool:
    """Move a waiting job from one state to the next."""
    now_us = times.to_us(times.now())
    values: dict[str, Any] = {"state": after, "message": message, "updated_us": now_us}
    if after == "queued":
        values["queued_us"] = func.coalesce(table.c.queued_us, now_us)
    condition = and_(table.c.id == job_id, table.c.state == before)
    return bool(connection.execute(update(table).where(condition).values(**values)).rowcount)


def expired(connection: Connection, now: datetime) -> list[Job]:
    """Return the jobs whose results are kept longer than promised."""
    return jobs_of(
        connection,
        select(table).where(
            table.c.state == "succeeded",
            table.c.expires_us < times.to_us(now),
            table.c.results.is_not(None),
        ),
    )


def forget_results(connection: Connection, job_id: str) -> None:
    """Say that the results of a job have expired."""
    connection.execute(
        update(table)
        .where(table.c.id == job_id, table.c.state == "succeeded")
        .values(
            results=None,
            message="Finished; the results have expired",
            updated_us=times.to_us(times.now()),
        )
    )


def finished_among(connection: Connection, job_ids: list[str]) -> set[str]:
    """Return which of `job_ids` have ended or are unknown: nothing of theirs is needed any more."""
    query = select(table.c.id).where(table.c.id.in_(job_ids), table.c.state.not_in(FINISHED))
    return set(job_ids) - set(connection.execute(query).scalars())


def without_results(connection: Connection, job_ids: list[str]) -> set[str]:
    """Return which of `job_ids` have no results and never will: failed, expired or unknown ones."""
    has_results = and_(table.c.state == "succeeded", table.c.results.is_not(None))
    query = select(table.c.id).where(
        table.c.id.in_(job_ids), or_(table.c.state.in_(ACTIVE), has_results)
    )
    return set(job_ids) - set(connection.execute(query).scalars())


def _set(connection: Connection, held: Claim, **values: Any) -> bool:
    """Update the row of a claim that still holds."""
    values.setdefault("updated_us", times.to_us(times.now()))
    return bool(connection.execute(update(table).where(held.holds()).values(**values)).rowcount)


def _ended() -> dict[str, Any]:
    """Return what every end of a job sets."""
    now_us = times.to_us(times.now())
    return {
        "lease_until_us": None,
        "process_group": None,
        "finished_us": now_us,
        "updated_us": now_us,
    }


def _without_worker(state: str) -> dict[str, Any]:
    """Return what takes a running job from its worker."""
    return {"state": state, "worker": None, "lease_until_us": None, "process_group": None}


def _free_tasks(connection: Connection, job_id: str) -> None:
    """Make the task that an attempt left half done ready again: its inputs are still pinned."""
    connection.execute(
        update(task)
        .where(task.c.job == job_id, task.c.state == "running")
        .values(state="ready", started_us=None)
    )
