"""Jobs that wait, for inputs or for a worker: how many, on their way, and what they are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from catalog_db import times
from catalog_db.processing.job_order import WAITING
from catalog_db.tables import job as table


def count_waiting(connection: Connection, owner: str | None = None) -> int:
    """Return how many jobs wait, those of everybody or of one user."""
    query = select(func.count()).where(table.c.state.in_(WAITING))
    if owner is not None:
        query = query.where(table.c.owner == owner)
    return connection.execute(query).scalar_one()


def advance(
    connection: Connection,
    job_id: str,
    before: str,
    after: str,
    message: str,
    *,
    inputs_expected: datetime | None = None,
) -> bool:
    """Move a waiting job from one state to the next.

    Parameters
    ----------
    inputs_expected
        When the recall of its inputs is expected to end.
    """
    now_us = times.to_us(times.now())
    values: dict[str, Any] = {
        "state": after,
        "message": message,
        "updated_us": now_us,
        "inputs_expected_us": None if inputs_expected is None else times.to_us(inputs_expected),
    }
    if after == "queued":
        values["queued_us"] = func.coalesce(table.c.queued_us, now_us)
    condition = and_(table.c.id == job_id, table.c.state == before)
    return bool(connection.execute(update(table).where(condition).values(**values)).rowcount)


def all_queued_say(connection: Connection, message: str) -> bool:
    """Return whether every job that waits for a worker carries this message."""
    other = and_(table.c.state == "queued", table.c.message != message)
    return connection.execute(select(table.c.id).where(other).limit(1)).one_or_none() is None


def tell_queued(connection: Connection, message: str) -> None:
    """Tell the jobs that wait for a worker why none begins."""
    waiting = and_(table.c.state == "queued", table.c.message != message)
    now_us = times.to_us(times.now())
    connection.execute(update(table).where(waiting).values(message=message, updated_us=now_us))
