"""Jobs and their tasks: what a job is, inserting it, looking at it.

Every change of state after the insertion is in ``catalog_db.processing.job_queue``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select

from catalog_db import times
from catalog_db.processing.job_order import WAITING
from catalog_db.processing.job_outlook import Outlook, outlook_of
from catalog_db.tables import job as job_table
from catalog_db.tables import job_log, task, task_after

ACTIVE = (*WAITING, "running")
FINISHED = ("succeeded", "failed", "dismissed")

_NOTHING_EXPECTED = Outlook()
_JOB = select(job_table).where(job_table.c.id == bindparam("job"))

# What a WPS client is sent of a message at most.
LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Job:
    """A job as its row says it, times as aware datetimes.

    Parameters
    ----------
    inputs, order
        The literal inputs as the client gave them, and the order that the chain understands.
    response_options
        How the client wants the answer: outputs asked for, lineage, protocol.
    attempt, max_attempts
        Attempts begun, and allowed.
    worker, lease_until, heartbeat, process_group
        Who runs it, until when that holds without news, the last news, and what to kill.
    progress
        Percent, 0 to 100.
    message
        The step in words; of a failed job, the reason.
    results
        Output identifier to ``{"href" | "value", "type", "size"}``; `href` is a path inside the
        folder of the job's results.
    started
        When the first attempt began.
    expires
        When the results are removed.
    error_code, error_locator
        Why it failed as protocols say it, and the input that it was about.
    lane, weight
        Whose slots it runs in, ``main`` or ``quick``, or ``stage`` where it needs none; the sum of
        the weights of its tasks.
    queue_position
        1 for the next job of its lane to run; None unless it waits.
    expected_s
        Seconds that a job of this size usually runs; None when unknown or finished.
    expected_start, expected_finish
        When it is expected to begin to run, and to end; None when unknown or past.
    """

    id: str
    process: str
    owner: str
    state: str
    inputs: Mapping[str, Sequence[str]]
    order: Mapping[str, Any]
    max_attempts: int
    created: datetime
    updated: datetime
    title: str | None = None
    priority: int = 0
    response_options: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    time_limit_s: int | None = None
    worker: str | None = None
    lease_until: datetime | None = None
    heartbeat: datetime | None = None
    process_group: int | None = None
    progress: int = 0
    message: str = ""
    results: Mapping[str, Mapping[str, Any]] | None = None
    error_code: str | None = None
    error_locator: str | None = None
    lane: str = "main"
    weight: float = 1.0
    queued: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    expires: datetime | None = None
    queue_position: int | None = None
    expected_s: float | None = None
    expected_start: datetime | None = None
    expected_finish: datetime | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.state in FINISHED

    @property
    def shown_state(self) -> str:
        """The state to show: a job once started is running until it ends, retries included."""
        return "running" if self.state in WAITING and self.started is not None else self.state


@dataclass(frozen=True)
class TaskRow:
    """A task of a job: what the chain planned, where it stands, what it gave."""

    job: str
    number: int
    name: str
    body: Mapping[str, Any]
    products: tuple[str, ...]
    weight: float = 1.0
    optional: bool = False
    state: str = "waiting"
    request: str | None = None
    result: Mapping[str, Any] | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True)
class LogLine:
    """One line of the log of a job."""

    time: datetime
    level: str
    message: str


def insert_job(
    connection: Connection,
    job: Job,
    tasks: Iterable[TaskRow],
    after: Iterable[tuple[int, int]] = (),
) -> None:
    """Insert a job with its tasks.

    Parameters
    ----------
    after
        Numbers of a task, and of one that must be done before it.
    """
    connection.execute(insert(job_table), _row_of_job(job))
    if rows := [_row_of_task(row) for row in tasks]:
        connection.execute(insert(task), rows)
    if waits := [{"job": job.id, "number": one, "before": other} for one, other in after]:
        connection.execute(insert(task_after), waits)


def _row_of_job(job: Job) -> dict[str, Any]:
    """Return the row of a job that nobody has begun."""
    return {
        "id": job.id,
        "process": job.process,
        "title": job.title,
        "owner": job.owner,
        "priority": job.priority,
        "state": job.state,
        "inputs": json.dumps(job.inputs),
        "order": json.dumps(job.order),
        "response_options": json.dumps(job.response_options),
        "max_attempts": job.max_attempts,
        "time_limit_s": job.time_limit_s,
        "lane": job.lane,
        "weight": job.weight,
        "message": job.message,
        "created_us": times.to_us(job.created),
        "queued_us": None if job.queued is None else times.to_us(job.queued),
        "updated_us": times.to_us(job.updated),
    }


def _row_of_task(row: TaskRow) -> dict[str, Any]:
    return {
        "job": row.job,
        "number": row.number,
        "name": row.name,
        "body": json.dumps(row.body),
        "products": json.dumps(row.products),
        "weight": row.weight,
        "optional": row.optional,
        "state": row.state,
    }


def get(connection: Connection, job_id: str, *, most_running: int = 0) -> Job | None:
    """Return a job with its place in the queue and its expected times, or None.

    Parameters
    ----------
    most_running
        How many jobs run at once on all machines together at the most; 0 is no limit.
    """
    row = connection.execute(_JOB, {"job": job_id}).one_or_none()
    if row is None:
        return None
    return job_of_row(row, outlook_of(connection, row, times.now(), most_running=most_running))


def jobs_of(connection: Connection, query: Select[Any]) -> list[Job]:
    """Return the jobs that a query on the job table gives."""
    return [job_of_row(row) for row in connection.execute(query)]


def count_by_state(connection: Connection) -> dict[str, int]:
    """Return how many jobs there are in each state that has any."""
    query = select(job_table.c.state, func.count()).group_by(job_table.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def tasks_of(connection: Connection, job_id: str, states: Sequence[str] = ()) -> list[TaskRow]:
    """Return the tasks of a job in their order, all or those in `states`."""
    query = select(task).where(task.c.job == job_id).order_by(task.c.number)
    if states:
        query = query.where(task.c.state.in_(states))
    return [task_of_row(row) for row in connection.execute(query)]


def add_log(connection: Connection, job_id: str, level: str, message: str) -> None:
    """Append a line to the log of a job."""
    connection.execute(
        insert(job_log).values(
            job=job_id, time_us=times.to_us(times.now()), level=level, message=message
        )
    )


def log_of(connection: Connection, job_id: str) -> list[LogLine]:
    """Return the log of a job in its order."""
    query = select(job_log).where(job_log.c.job == job_id).order_by(job_log.c.id)
    return [
        LogLine(times.from_us(row.time_us), row.level, row.message)
        for row in connection.execute(query)
    ]


def job_of_row(row: Row[Any], outlook: Outlook = _NOTHING_EXPECTED) -> Job:
    """Return the job of a whole row of the job table."""
    return Job(
        id=row.id,
        process=row.process,
        title=row.title,
        owner=row.owner,
        priority=row.priority,
        state=row.state,
        inputs=json.loads(row.inputs),
        order=json.loads(row.order),
        response_options=json.loads(row.response_options),
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        time_limit_s=row.time_limit_s,
        worker=row.worker,
        lease_until=_instant(row.lease_until_us),
        heartbeat=_instant(row.heartbeat_us),
        process_group=row.process_group,
        progress=row.progress,
        message=row.message,
        results=None if row.results is None else json.loads(row.results),
        error_code=row.error_code,
        error_locator=row.error_locator,
        lane=row.lane,
        weight=row.weight,
        created=times.from_us(row.created_us),
        queued=_instant(row.queued_us),
        started=_instant(row.started_us),
        finished=_instant(row.finished_us),
        updated=times.from_us(row.updated_us),
        expires=_instant(row.expires_us),
        queue_position=outlook.queue_position,
        expected_s=outlook.expected_s,
        expected_start=outlook.expected_start,
        expected_finish=outlook.expected_finish,
    )


def task_of_row(row: Row[Any]) -> TaskRow:
    """Return the task of a whole row of the task table."""
    return TaskRow(
        job=row.job,
        number=row.number,
        name=row.name,
        body=json.loads(row.body),
        products=tuple(json.loads(row.products)),
        weight=row.weight,
        optional=row.optional,
        state=row.state,
        request=row.request,
        result=None if row.result is None else json.loads(row.result),
        started=_instant(row.started_us),
        finished=_instant(row.finished_us),
    )


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else times.from_us(microseconds)
