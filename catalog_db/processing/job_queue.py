"""Changes of state of jobs: claims, leases, progress, ends. Every one is a compare-and-set.

What writes for a running job holds a `Claim`: job, attempt and worker. Once the lease is lost, the
job dismissed or another attempt begun, the row no longer matches, nothing is written, and False
comes back: such a worker stops. Claims are made in a write transaction (``engine.begin()``), one at
a time (``catalog_db.locks``).
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
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
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from catalog_db import locks, times
from catalog_db.processing.job_order import held_us, order_parameters, waiting_in_order
from catalog_db.processing.job_runs import count_end, note_run
from catalog_db.processing.jobs import ACTIVE, LONGEST_MESSAGE, Job, add_log, job_of_row, jobs_of
from catalog_db.tables import job as table
from catalog_db.tables import task

logger = logging.getLogger(__name__)

# What a database that does not answer raises: caught by loops that must outlive it.
DatabaseError = SQLAlchemyError


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


@dataclass(frozen=True)
class RunningLimits:
    """How many jobs of a lane may run at once; 0 is no limit.

    Parameters
    ----------
    machine
        On the machine that claims, by all its workers together.
    everywhere
        On all machines together.
    user
        Of one user, on all machines together.
    """

    machine: int
    everywhere: int = 0
    user: int = 0


def claim(
    connection: Connection,
    *,
    worker: str,
    now: datetime,
    lease_s: float,
    limits: RunningLimits,
    lane: str = "main",
) -> Job | None:
    """Claim the next queued job of a lane, unless as many as are allowed run already.

    Parameters
    ----------
    worker
        Who claims; workers of one machine have names with the same part before the first colon.
    now, lease_s
        The lease begins now, and ends so many seconds later unless it is extended.

    Returns
    -------
    The job, now running with its next attempt begun, or None when there is none to run.
    """
    locks.hold(connection, locks.Subject.JOBS)
    following = _next_queued(connection, worker.partition(":")[0], lane, limits, now)
    if following is None:
        return None
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
            claimed_us=now_us,
            started_us=func.coalesce(table.c.started_us, now_us),
            updated_us=now_us,
        )
        .returning(*table.c)
    ).one_or_none()
    if row is None:
        return None
    add_log(connection, row.id, "INFO", f"Attempt {row.attempt} of {row.max_attempts} begins")
    return job_of_row(row)


def _next_queued(
    connection: Connection, machine: str, lane: str, limits: RunningLimits, now: datetime
) -> str | None:
    """Return the queued job that is served next, None where the limits let none begin."""
    query = select(table.c.owner, table.c.worker)
    running = connection.execute(
        query.where(table.c.state == "running", table.c.lane == lane)
    ).all()
    here = sum((row.worker or "").partition(":")[0] == machine for row in running)
    if 0 < limits.machine <= here or 0 < limits.everywhere <= len(running):
        return None
    queue = waiting_in_order(("queued",))
    following = select(queue.c.id).order_by(queue.c.place).limit(1)
    if limits.user > 0:
        running_of = Counter(row.owner for row in running)
        full = [owner for owner, number in running_of.items() if number >= limits.user]
        following = following.where(queue.c.owner.not_in(full))
    return connection.execute(following, order_parameters(now, lane)).scalar_one_or_none()


def heartbeat(
    connection: Connection, claims: Sequence[Claim], *, now: datetime, lease_s: float
) -> None:
    """Extend the leases of the claims that still hold."""
    for held in sorted(claims, key=lambda held: held.job):  # an order in which none waits for us
        _set(
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
    row = connection.execute(
        update(table)
        .where(held.holds())
        .values(
            state="succeeded",
            progress=100,
            message="Finished",
            results=json.dumps(results),
            expires_us=None if expires is None else times.to_us(expires),
            **_ended(),
        )
        .returning(table.c.process, table.c.owner, table.c.weight, table.c.attempt, table.c.ran_us)
    ).one_or_none()
    if row is None:
        return False
    add_log(connection, held.job, "INFO", "Succeeded")
    count_end(connection, row.process, row.owner, "succeeded")
    if row.attempt == 1 and row.weight > 0:  # another attempt's time is no measure of the work
        note_run(connection, row.process, row.weight, row.ran_us / 1e6)
    return True


def fail(
    connection: Connection,
    job_id: str,
    message: str,
    *,
    held: Claim | None = None,
    code: str = "NoApplicableCode",
    locator: str | None = None,
) -> bool:
    """Mark the job failed with the sentence its client reads; False when it had ended already.

    Parameters
    ----------
    code, locator
        The exception code, and the input that the failure is about.
    """
    condition = held.holds() if held else and_(table.c.id == job_id, table.c.state.in_(ACTIVE))
    row = connection.execute(
        update(table)
        .where(condition)
        .values(
            state="failed",
            message=message[:LONGEST_MESSAGE],
            error_code=code,
            error_locator=locator,
            **_ended(),
        )
        .returning(table.c.process, table.c.owner)
    ).one_or_none()
    if row is None:
        return False
    add_log(connection, job_id, "ERROR", message)
    count_end(connection, row.process, row.owner, "failed")
    return True


def attempt_lost(connection: Connection, held: Claim, reason: str) -> str | None:
    """Queue the job again after an attempt that ended by accident, or fail it after the last.

    Returns
    -------
    The new state, or None when the claim no longer held.
    """
    row = connection.execute(select(table).where(held.holds()).with_for_update()).one_or_none()
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


def shorten_leases(connection: Connection, *, now: datetime, lease_s: float) -> None:
    """Have no lease end much later than one that begins now: the clock was set back since.

    It is cut to ten times the lease, no shorter: who lives renews it before that is over, though
    the clock and the settings of his machine be others.
    """
    longest_us = times.to_us(now + timedelta(seconds=10 * lease_s))
    connection.execute(
        update(table)
        .where(table.c.state == "running", table.c.lease_until_us > longest_us)
        .values(lease_until_us=longest_us)
    )


def recover_lost(connection: Connection, now: datetime) -> list[tuple[str, str]]:
    """Queue or fail the running jobs whose lease has run out; return (job, new state)."""
    is_lost = and_(table.c.state == "running", table.c.lease_until_us < times.to_us(now))
    # Whose row is locked is heard of, or ends, just now.
    query = select(table).where(is_lost).order_by(table.c.id).with_for_update(skip_locked=True)
    lost = jobs_of(connection, query)
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


def someone_waits(connection: Connection, lane: str = "main") -> bool:
    """Return whether a job of a lane that could run waits for a slot."""
    query = select(table.c.id).where(table.c.state == "queued", table.c.lane == lane).limit(1)
    return connection.execute(query).one_or_none() is not None


def dismiss(connection: Connection, job_id: str) -> bool:
    """Mark a job dismissed, whatever its state; False when it is unknown or dismissed already."""
    row = connection.execute(
        update(table)
        .where(table.c.id == job_id, table.c.state != "dismissed")
        .values(
            state="dismissed",
            message="Dismissed",
            results=None,
            error_code="JobDismissed",
            **_ended(),
        )
        .returning(table.c.process, table.c.owner)
    ).one_or_none()
    if row is None:
        return False
    add_log(connection, job_id, "INFO", "Dismissed")
    count_end(connection, row.process, row.owner, "dismissed")
    return True


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
        "ran_us": held_us(now_us),
        "claimed_us": None,
        "finished_us": now_us,
        "updated_us": now_us,
    }


def _without_worker(state: str) -> dict[str, Any]:
    """Return what takes a running job from its worker."""
    return {
        "state": state,
        "worker": None,
        "lease_until_us": None,
        "process_group": None,
        "ran_us": held_us(times.to_us(times.now())),
        "claimed_us": None,
    }


def _free_tasks(connection: Connection, job_id: str) -> None:
    """Make the task that an attempt left half done ready again: its inputs are still pinned."""
    connection.execute(
        update(task)
        .where(task.c.job == job_id, task.c.state == "running")
        .values(state="ready", started_us=None)
    )
