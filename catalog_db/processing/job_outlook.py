"""When a job is expected to start and to end: from its place in the queue and from past runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, func, select

from catalog_db import times
from catalog_db.processing.job_order import (
    STAGE_LANE,
    WAITING,
    held_us,
    order_parameters,
    waiting_in_order,
)
from catalog_db.processing.job_runs import seconds_per_weight
from catalog_db.tables import job as table
from catalog_db.tables import worker

# Seconds a unit of weight of a process, None where it never ran.
Rate = Callable[[str], float | None]


@dataclass(frozen=True)
class Outlook:
    """What is expected of a job; None is unknown, or past.

    Parameters
    ----------
    queue_position
        1 for the next to run.
    expected_s
        How long a job of this size usually runs.
    expected_start, expected_finish
        When it is expected to begin to run, and to end.
    """

    queue_position: int | None = None
    expected_s: float | None = None
    expected_start: datetime | None = None
    expected_finish: datetime | None = None


class _Queue(NamedTuple):
    """Where a waiting job stands, and the weight of its lane that comes before it, by process."""

    place: int
    weights_ahead: dict[str, float]


def outlook_of(
    connection: Connection, row: Row[Any], now: datetime, *, most_running: int = 0
) -> Outlook:
    """Return what is expected of the job of a row of the job table.

    Parameters
    ----------
    row, now
        The whole row, and the current instant.
    most_running
        How many jobs run at once on all machines together at the most; 0 is no limit.
    """
    rate = cache(lambda process: seconds_per_weight(connection, process))
    if row.state == "running":
        held_s = (row.ran_us + times.to_us(now) - (row.claimed_us or times.to_us(now))) / 1e6
        left_s = remaining_s(rate, row.process, row.weight, row.progress, held_s)
        return Outlook(expected_s=_usual_s(rate, row), expected_finish=_after(now, left_s, now=now))
    if row.state not in WAITING:
        return Outlook()
    if row.lane == STAGE_LANE:
        expected_us = row.inputs_expected_us
        return Outlook(expected_finish=None if expected_us is None else times.from_us(expected_us))
    queue = _queue_before(connection, row, now)
    slots = _slots(connection, row.lane, most_running)
    starts = _start(connection, row, queue, rate, now, slots)
    left_s = remaining_s(rate, row.process, row.weight, row.progress, row.ran_us / 1e6)
    return Outlook(queue.place, _usual_s(rate, row), starts, _after(starts, left_s, now=now))


def remaining_s(
    rate: Rate, process: str, weight: float, progress: int, held_s: float
) -> float | None:
    """Return the seconds that a job still needs, None when nothing is known.

    Past runs tell at the beginning; the further the job is, the more its own pace counts.
    """
    done = progress / 100
    per_weight = rate(process)
    own_s = held_s / done if done > 0 else None
    if per_weight is None:
        return None if own_s is None else (1 - done) * own_s
    whole_s = per_weight * weight if own_s is None else (1 - done) * per_weight * weight + held_s
    return (1 - done) * whole_s


def _start(
    connection: Connection, row: Row[Any], queue: _Queue, rate: Rate, now: datetime, slots: int
) -> datetime | None:
    """Return when a waiting job is expected to be claimed."""
    running = connection.execute(_RUNNING, order_parameters(now, row.lane)).all()
    if slots == 0:
        return None
    if queue.place + len(running) <= slots:
        begins: datetime | None = now
    else:
        left_s = [
            remaining_s(rate, one.process, one.weight, one.progress, one.held_us / 1e6)
            for one in running
        ]
        ahead_s = [
            remaining_s(rate, process, weight, 0, 0.0)
            for process, weight in queue.weights_ahead.items()
        ]
        before_s = _sum([*left_s, *ahead_s])
        begins = _after(now, None if before_s is None else before_s / slots, now=now)
    if row.inputs_expected_us is None or begins is None:
        return begins
    return max(begins, times.from_us(row.inputs_expected_us))


def _queue_before(connection: Connection, row: Row[Any], now: datetime) -> _Queue:
    """Return the place of a waiting job in its lane, and the work before it."""
    parameters = order_parameters(now, row.lane) | {"job": row.id}
    weights = {one.process: one for one in connection.execute(_UP_TO_JOB, parameters)}
    own_left = row.weight * (100 - row.progress) / 100
    ahead = {
        process: one.weight - (own_left if process == row.process else 0.0)
        for process, one in weights.items()
        if process != row.process or one.jobs > 1
    }
    return _Queue(sum(one.jobs for one in weights.values()), ahead)


def _sum(pieces: Iterable[float | None]) -> float | None:
    """Return the sum, None where a piece is unknown."""
    total = 0.0
    for piece in pieces:
        if piece is None:
            return None
        total += piece
    return total


def _slots(connection: Connection, lane: str, most_running: int) -> int:
    """Return how many jobs of a lane run at once: the workers of a machine share its slots.

    The limit of all machines is one of the main lane.
    """
    machines: dict[str, int] = {}
    for row in connection.execute(_WORKERS):
        machine = row.name.partition(":")[0]
        own = row.slots if lane == "main" else row.quick_slots
        machines[machine] = max(own, machines.get(machine, 0))
    slots = sum(machines.values())
    return min(slots, most_running) if lane == "main" and most_running else slots


def _usual_s(rate: Rate, row: Row[Any]) -> float | None:
    per_weight = rate(row.process)
    return None if per_weight is None else per_weight * row.weight


def _after(instant: datetime | None, seconds: float | None, *, now: datetime) -> datetime | None:
    """Return an instant so many seconds after another one, never in the past."""
    if instant is None or seconds is None:
        return None
    return max(now, instant + timedelta(seconds=seconds))


def _up_to_job() -> Select[Any]:
    """Return the query for the work of a lane up to a job and with it, by process."""
    queue = waiting_in_order(WAITING)
    left = table.c.weight * (100 - table.c.progress) / 100.0
    place = select(queue.c.place).where(queue.c.id == bindparam("job")).scalar_subquery()
    return (
        select(table.c.process, func.sum(left).label("weight"), func.count().label("jobs"))
        .join(queue, queue.c.id == table.c.id)
        .where(queue.c.place <= place)
        .group_by(table.c.process)
    )


def _running() -> Select[Any]:
    """Return the query for the jobs of a lane that run."""
    held = held_us(bindparam("now_us", type_=BigInteger)).label("held_us")
    return select(table.c.process, table.c.weight, table.c.progress, held).where(
        table.c.state == "running", table.c.lane == bindparam("lane")
    )


# Built once: they are asked with every status of a job that has not ended.
_UP_TO_JOB = _up_to_job()
_RUNNING = _running()
_WORKERS = select(worker.c.name, worker.c.slots, worker.c.quick_slots)
