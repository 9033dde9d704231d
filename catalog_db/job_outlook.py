"""When a job is expected to start and to end: from its place in the queue and from past runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, func, select

from catalog_db import times
from catalog_db.job_order import WAITING, held_us, waiting_in_order
from catalog_db.job_runs import seconds_per_weight
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


@dataclass(frozen=True)
class _Lane:
    """Seconds of work that come before a waiting job, and the slots that do it."""

    slots: int
    running: int
    seconds_ahead: float | None


def outlook_of(connection: Connection, row: Row[Any], now: datetime) -> Outlook:
    """Return what is expected of the job of a row of the job table."""
    rate = cache(lambda process: seconds_per_weight(connection, process))
    if row.state == "running":
        held_s = (row.ran_us + times.to_us(now) - (row.claimed_us or times.to_us(now))) / 1e6
        left_s = remaining_s(rate, row.process, row.weight, row.progress, held_s)
        return Outlook(expected_s=_usual_s(rate, row), expected_finish=_after(now, left_s, now=now))
    if row.state not in WAITING:
        return Outlook()
    queue = waiting_in_order(WAITING, row.lane, now)
    place = connection.execute(select(queue.c.place).where(queue.c.id == row.id)).scalar_one()
    starts = _start(connection, row, place, rate, now)
    left_s = remaining_s(rate, row.process, row.weight, row.progress, row.ran_us / 1e6)
    return Outlook(place, _usual_s(rate, row), starts, _after(starts, left_s, now=now))


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
    connection: Connection, row: Row[Any], place: int, rate: Rate, now: datetime
) -> datetime | None:
    """Return when a waiting job is expected to be claimed."""
    lane = _lane_before(connection, row.lane, place, rate, now)
    if lane.slots == 0:
        return None
    if place + lane.running <= lane.slots:
        begins: datetime | None = now
    elif lane.seconds_ahead is None:
        return None
    else:
        begins = _after(now, lane.seconds_ahead / lane.slots, now=now)
    if row.inputs_expected_us is None or begins is None:
        return begins
    return max(begins, times.from_us(row.inputs_expected_us))


def _lane_before(connection: Connection, name: str, place: int, rate: Rate, now: datetime) -> _Lane:
    """Return the work of a lane that comes before a place in its queue."""
    columns = table.c
    held = held_us(times.to_us(now)).label("held_us")
    known = (columns.process, columns.weight, columns.progress, held)
    running = connection.execute(
        select(*known).where(columns.state == "running", columns.lane == name)
    ).all()
    queue = waiting_in_order(WAITING, name, now)
    left = columns.weight * (100 - columns.progress) / 100.0
    waiting = connection.execute(
        select(columns.process, func.sum(left).label("weight"))
        .join(queue, queue.c.id == columns.id)
        .where(queue.c.place < place)
        .group_by(columns.process)
    ).all()
    pieces = [
        remaining_s(rate, one.process, one.weight, one.progress, one.held_us / 1e6)
        for one in running
    ]
    pieces += [remaining_s(rate, one.process, one.weight, 0, 0.0) for one in waiting]
    known_pieces = [piece for piece in pieces if piece is not None]
    ahead = sum(known_pieces) if len(known_pieces) == len(pieces) else None
    return _Lane(_slots(connection, name), len(running), ahead)


def _slots(connection: Connection, lane: str) -> int:
    """Return how many jobs of a lane run at once: the workers of a machine share its slots."""
    machines: dict[str, int] = {}
    for row in connection.execute(select(worker.c.name, worker.c.slots, worker.c.quick_slots)):
        machine = row.name.partition(":")[0]
        slots = row.slots if lane == "main" else row.quick_slots
        machines[machine] = max(slots, machines.get(machine, 0))
    return sum(machines.values())


def _usual_s(rate: Rate, row: Row[Any]) -> float | None:
    per_weight = rate(row.process)
    return None if per_weight is None else per_weight * row.weight


def _after(instant: datetime | None, seconds: float | None, *, now: datetime) -> datetime | None:
    """Return an instant so many seconds after another one, never in the past."""
    if instant is None or seconds is None:
        return None
    return max(now, instant + timedelta(seconds=seconds))
