"""Who is served next: priority, then fair share between users, then the order of arrival.

Inside a priority users take turns: the first waiting job of each user comes before the second of
any, a job that runs counting as one that had its turn. Where that leaves several, the user who has
used least lately comes first. So a thousand orders of one user hold up nobody else's first one.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)

from catalog_db import times
from catalog_db.tables import job as table

# States before running.
WAITING = ("accepted", "staging", "queued")

# Work that ended longer ago counts no more against a user.
RECENT = timedelta(hours=1)


def waiting_in_order(states: tuple[str, ...], lane: str | None, now: datetime) -> CTE:
    """Return the waiting jobs: `id`, `owner`, `place` (1 for the next).

    Parameters
    ----------
    states
        Those that count as waiting.
    lane
        Of this lane only; None for all lanes together.
    """
    columns = table.c
    turn = func.row_number().over(
        partition_by=columns.owner,
        order_by=(columns.priority.desc(), columns.created_us, columns.id),
    )
    waiting = (
        select(columns.id, columns.owner, columns.priority, columns.created_us, turn.label("turn"))
        .where(columns.state.in_(states), _is_of(lane))
        .subquery("waiting")
    )
    used = _used(lane, times.to_us(now))
    place = func.row_number().over(
        order_by=(
            waiting.c.priority.desc(),
            waiting.c.turn + func.coalesce(used.c.running, 0),
            func.coalesce(used.c.used_s, 0),
            waiting.c.created_us,
            waiting.c.id,
        )
    )
    joined = waiting.outerjoin(used, used.c.owner == waiting.c.owner)
    query = select(waiting.c.id, waiting.c.owner, place.label("place")).select_from(joined)
    return query.cte("queue")


def held_us(now_us: int) -> ColumnElement[Any]:
    """Return the microseconds for which a job has held a slot, those of its present claim too."""
    present = literal(now_us) - func.coalesce(table.c.claimed_us, now_us)
    return table.c.ran_us + case((table.c.state == "running", present), else_=0)


def _is_of(lane: str | None) -> ColumnElement[bool]:
    return true() if lane is None else table.c.lane == lane


def _used(lane: str | None, now_us: int) -> Subquery:
    """Return, by owner, how many jobs run and for how long slots were held lately."""
    is_running = and_(table.c.state == "running", _is_of(lane))
    horizon_us = now_us - RECENT // timedelta(microseconds=1)
    ended_lately = and_(table.c.purged_us.is_(None), table.c.finished_us > horizon_us)
    return (
        select(
            table.c.owner,
            func.sum(case((is_running, 1), else_=0)).label("running"),
            # Whole seconds: who has not used more than the others shall not lose a tie by a hair.
            cast(func.sum(held_us(now_us)) / 1e6, BigInteger).label("used_s"),
        )
        .where(or_(table.c.state == "running", ended_lately))
        .group_by(table.c.owner)
        .subquery("used")
    )
