"""Who is served next: priority, then fair share between users, then the order of arrival.

Inside a priority users take turns: the first waiting job of each user comes before the second of
any, a job that runs counting as one that had its turn. Where that leaves several, the user who has
used least lately comes first. So a thousand orders of one user hold up nobody else's first one.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    true,
)

from catalog_db import times
from catalog_db.tables import job as table

# States before running.
WAITING = ("accepted", "staging", "queued")
# Where jobs that only stage wait: no worker claims there.
STAGE_LANE = "stage"

# Work that ended longer ago counts no more against a user.
RECENT = timedelta(hours=1)


@cache
def waiting_in_order(states: tuple[str, ...], *, one_lane: bool = True) -> CTE:
    """Return the waiting jobs: `id`, `owner`, `place` (1 for the next).

    Built once: it is asked with every status. What executes it binds `order_parameters`.

    Parameters
    ----------
    states
        Those that count as waiting.
    one_lane
        Whether only one lane is looked at, or all together.
    """
    columns = table.c
    lane = columns.lane == bindparam("lane") if one_lane else true()
    turn = func.row_number().over(
        partition_by=columns.owner,
        order_by=(columns.priority.desc(), columns.created_us, columns.id),
    )
    waiting = (
        select(columns.id, columns.owner, columns.priority, columns.created_us, turn.label("turn"))
        .where(columns.state.in_(states), lane)
        .subquery("waiting")
    )
    used = _used(lane)
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


def order_parameters(now: datetime, lane: str = "main") -> dict[str, object]:
    """Return the values that the order of the waiting jobs depends on."""
    return {
        "lane": lane,
        "now_us": times.to_us(now),
        "recent_us": times.to_us(now - RECENT),
    }


def held_us(now_us: int | BindParameter[int]) -> ColumnElement[Any]:
    """Return the microseconds for which a job has held a slot, those of its present claim too."""
    present = now_us - func.coalesce(table.c.claimed_us, now_us)
    return table.c.ran_us + case((table.c.state == "running", present), else_=0)


def _used(lane: ColumnElement[bool]) -> Subquery:
    """Return, by owner, how many jobs run and for how long slots were held lately."""
    is_running = and_(table.c.state == "running", lane)
    ended_lately = and_(
        table.c.purged_us.is_(None), table.c.finished_us > bindparam("recent_us", type_=BigInteger)
    )
    now_us = bindparam("now_us", type_=BigInteger)
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
