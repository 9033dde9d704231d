"""Changes of state of the tasks of a job: admission to the disk pool, staging, running, release.

waiting -> staging (inputs being recalled) -> ready (pinned) -> running -> done
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, not_, or_, select, update

from catalog_db import locks, times
from catalog_db.archive.recalls import DISK_ONLY
from catalog_db.groups import groups
from catalog_db.processing.job_order import (
    STAGE_LANE,
    WAITING,
    order_parameters,
    waiting_in_order,
)
from catalog_db.processing.job_queue import Claim
from catalog_db.processing.jobs import (
    ACTIVE,
    FINISHED,
    Job,
    TaskRow,
    add_log,
    job_of_row,
    task_of_row,
)
from catalog_db.tables import file, item, placement, request_file, task, task_after
from catalog_db.tables import job as job_table

# Tasks whose inputs are pinned or on their way.
HOLDING = ("staging", "ready", "running")


@dataclass(frozen=True)
class Admission:
    """Whether the inputs of a task may be recalled now, and the pool in bytes that they need."""

    admitted: bool
    needed: int


@dataclass(frozen=True)
class HeldRequest:
    """A staging request that a task no longer needs."""

    job: str
    number: int
    request: str


def jobs_to_serve(connection: Connection) -> list[Job]:
    """Return the jobs that need something to be staged, in the order in which they are served.

    Those that run come first: they hold a slot, and room for what they go on with.
    """
    columns = job_table.c
    queue = waiting_in_order(WAITING, one_lane=False)
    waits = exists().where(task.c.job == columns.id, task.c.state.in_(("waiting", "staging")))
    query = (
        select(job_table)
        .outerjoin(queue, queue.c.id == columns.id)
        .where(or_(columns.state.in_(("accepted", "staging")), columns.state.in_(ACTIVE) & waits))
        .order_by(func.coalesce(queue.c.place, 0), columns.created_us, columns.id)
    )
    rows = connection.execute(query, order_parameters(times.now()))
    return [job_of_row(row) for row in rows]


def open_tasks(connection: Connection, job_id: str, window: int) -> list[TaskRow]:
    """Return the first `window` tasks of a job that are not done and wait for no other task."""
    other = task.alias()
    is_held_up = exists().where(
        task_after.c.job == task.c.job,
        task_after.c.number == task.c.number,
        other.c.job == task_after.c.job,
        other.c.number == task_after.c.before,
        other.c.state != "done",
    )
    query = (
        select(task)
        .where(task.c.job == job_id, task.c.state.in_(("waiting", *HOLDING)), ~is_held_up)
        .order_by(task.c.number)
        .limit(window)
    )
    return [task_of_row(row) for row in connection.execute(query)]


def tasks_before(connection: Connection, row: TaskRow) -> list[TaskRow]:
    """Return the tasks that a task comes after, in the order of their numbers."""
    query = (
        select(task)
        .join(
            task_after, and_(task_after.c.job == task.c.job, task_after.c.before == task.c.number)
        )
        .where(task_after.c.job == row.job, task_after.c.number == row.number)
        .order_by(task.c.number)
    )
    return [task_of_row(found) for found in connection.execute(query)]


def admit(connection: Connection, candidate: TaskRow, budget_bytes: int) -> Admission:
    """Move a waiting task to staging if its inputs fit beside those that are held already.

    A file that several tasks hold is counted once; those that live on disk for good do not count.
    Made in one write transaction, so two dispatchers never promise the same space twice.
    """
    locks.hold(connection, locks.Subject.JOBS)
    own = {file_id: size for _, file_id, size in staged_sizes(connection, candidate.products)}
    promised = sum((promised_files(connection) | own).values())
    admitted = promised <= budget_bytes and _move(
        connection, candidate, ("waiting",), state="staging"
    )
    return Admission(admitted, sum(own.values()))


def promised_files(connection: Connection) -> dict[int, int]:
    """Return the files, and their bytes, that jobs hold in the pool or have room reserved for."""
    holding = connection.execute(
        select(task.c.products)
        .join(job_table, job_table.c.id == task.c.job)
        .where(job_table.c.state.in_(ACTIVE), task.c.state.in_(HOLDING))
    ).scalars()
    uids = sorted({uid for products in holding for uid in json.loads(products)})
    held = {file_id: size for _, file_id, size in staged_sizes(connection, uids)}
    return held | kept_files(connection)


def kept_files(connection: Connection) -> dict[int, int]:
    """Return the files, and their bytes, that stay pinned after the job that staged them."""
    rows = connection.execute(
        select(file.c.id, file.c.size_bytes)
        .join_from(task, job_table, job_table.c.id == task.c.job)
        .join(request_file, request_file.c.request == task.c.request)
        .join(file, file.c.id == request_file.c.file)
        .where(
            _keeps_request(),
            request_file.c.state == "ready",
            request_file.c.pin_until_us > times.to_us(times.now()),
            file.c.backend != DISK_ONLY,
        )
    )
    return {row.id: row.size_bytes for row in rows}


def pool_bytes(connection: Connection, products: Sequence[str]) -> int:
    """Return the room in the disk pool, in bytes, that `products` need together."""
    sizes = {file_id: size for _, file_id, size in staged_sizes(connection, products)}
    return sum(sizes.values())


def set_request(connection: Connection, row: TaskRow, request: str) -> str | None:
    """Record the staging request of a task unless it has one; return the one that it has."""
    condition = and_(task.c.job == row.job, task.c.number == row.number)
    connection.execute(
        update(task)
        .where(condition, task.c.state.in_(HOLDING), task.c.request.is_(None))
        .values(request=request)
    )
    kept: str | None = connection.execute(select(task.c.request).where(condition)).scalar_one()
    return kept


def set_ready(connection: Connection, row: TaskRow) -> bool:
    """Say that the inputs of a task are pinned."""
    return _move(connection, row, ("staging",), state="ready")


def leave_out(connection: Connection, row: TaskRow, reason: str, result: Mapping[str, Any]) -> bool:
    """End a task whose inputs cannot be staged, unrun; its job goes on without it."""
    values = {"result": json.dumps(result), "finished_us": times.to_us(times.now())}
    is_left_out = _move(connection, row, ("waiting", "staging"), state="done", **values)
    if is_left_out:
        add_log(connection, row.job, "WARNING", f"Task {row.name} is left out: {reason}")
    return is_left_out


def stage_again(connection: Connection, held: Claim) -> list[str]:
    """Send the tasks whose pinned inputs turned out to be gone back to the beginning.

    Returns
    -------
    The requests that they held, to be released.
    """
    if not _keeps_held(connection, held):
        return []
    open_task = and_(task.c.job == held.job, task.c.state.in_(HOLDING))
    requests = connection.execute(
        select(task.c.request).where(open_task, task.c.request.is_not(None)).order_by(task.c.number)
    ).scalars()
    left = [str(request) for request in requests]
    connection.execute(
        update(task).where(open_task).values(state="waiting", started_us=None, request=None)
    )
    return left


def waits_for(connection: Connection, row: TaskRow, request: str) -> bool:
    """Tell whether a task is still being staged by a request."""
    query = select(task.c.number).where(
        task.c.job == row.job,
        task.c.number == row.number,
        task.c.state == "staging",
        task.c.request == request,
    )
    return connection.execute(query).one_or_none() is not None


def begin(connection: Connection, held: Claim, row: TaskRow) -> bool:
    """Say that a task runs; False when the claim no longer holds or the task is not ready."""
    started_us = times.to_us(times.now())
    return _held_move(connection, held, row, ("ready",), state="running", started_us=started_us)


def finish(connection: Connection, held: Claim, row: TaskRow, result: Mapping[str, Any]) -> bool:
    """Record the result of a task; False when the claim no longer holds."""
    values = {"result": json.dumps(result), "finished_us": times.to_us(times.now())}
    return _held_move(connection, held, row, ("running",), state="done", **values)


def count_open(connection: Connection, job_id: str) -> int:
    """Return how many tasks of a job are not done."""
    query = select(func.count()).where(task.c.job == job_id, task.c.state != "done")
    return connection.execute(query).scalar_one()


def needless_requests(connection: Connection, limit: int = 200) -> list[HeldRequest]:
    """Return the requests of tasks that are over, or whose job is and left nothing on disk."""
    ended = and_(job_table.c.state.in_(FINISHED), not_(_keeps_request()))
    over = or_(task.c.state == "done", ended)
    query = (
        select(task.c.job, task.c.number, task.c.request)
        .join(job_table, job_table.c.id == task.c.job)
        .where(task.c.request.is_not(None), over)
        .order_by(task.c.request)  # along its index, which holds little: released ones are NULL
        .limit(limit)
    )
    return [HeldRequest(row.job, row.number, row.request) for row in connection.execute(query)]


def requests_of(connection: Connection, job_id: str) -> list[HeldRequest]:
    """Return the requests that the tasks of a job still hold."""
    query = (
        select(task.c.job, task.c.number, task.c.request)
        .where(task.c.job == job_id, task.c.request.is_not(None))
        .order_by(task.c.number)
    )
    return [HeldRequest(row.job, row.number, row.request) for row in connection.execute(query)]


def forget_request(connection: Connection, held: HeldRequest) -> None:
    """Record that a request has been released."""
    connection.execute(
        update(task)
        .where(task.c.job == held.job, task.c.number == held.number, task.c.request == held.request)
        .values(request=None)
    )


def _keeps_request() -> ColumnElement[bool]:
    """Whether a job has ended whose products stay on disk, until it expires at the latest."""
    return and_(
        job_table.c.lane == STAGE_LANE,
        job_table.c.state == "succeeded",
        job_table.c.expires_us > times.to_us(times.now()),
    )


def staged_sizes(connection: Connection, products: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (uid, file, bytes) of the products that need room in the pool."""
    query = (
        select(item.c.uid, file.c.id, file.c.size_bytes)
        .join(placement, placement.c.item == item.c.pk)
        .join(file, file.c.id == placement.c.file)
        .where(file.c.backend != DISK_ONLY)
    )
    return [
        (row.uid, row.id, row.size_bytes)
        for some in groups(products)
        for row in connection.execute(query.where(item.c.uid.in_(some)))
    ]


def _move(connection: Connection, row: TaskRow, before: Sequence[str], **values: Any) -> bool:
    """Update a task that is still in one of the states `before`."""
    condition = and_(task.c.job == row.job, task.c.number == row.number, task.c.state.in_(before))
    return bool(connection.execute(update(task).where(condition).values(**values)).rowcount)


def _held_move(
    connection: Connection, held: Claim, row: TaskRow, before: Sequence[str], **values: Any
) -> bool:
    """Update a task of a job that is still held."""
    return _keeps_held(connection, held) and _move(connection, row, before, **values)


def _keeps_held(connection: Connection, held: Claim) -> bool:
    """Tell whether a claim holds; if so, it does until this transaction ends."""
    row = select(job_table.c.id).where(held.holds()).with_for_update()
    return connection.execute(row).one_or_none() is not None
