"""How past jobs ended, and how long they ran a unit of weight: what expected times are made of."""

import statistics

from sqlalchemy import Connection, bindparam, delete, insert, select

from catalog_db import counters, times
from catalog_db.access import events
from catalog_db.access.events import Event
from catalog_db.tables import process_run as table

# Runs whose median is told; older ones are forgotten.
RUNS_KEPT = 20


def note_run(connection: Connection, process: str, weight: float, seconds: float) -> None:
    """Note how long a job of a process held its slot from the beginning to success."""
    connection.execute(insert(table).values(process=process, weight=weight, seconds=seconds))
    oldest_kept = (
        select(table.c.id)
        .where(table.c.process == process)
        .order_by(table.c.id.desc())
        .offset(RUNS_KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(delete(table).where(table.c.process == process, table.c.id < oldest_kept))


def count_end(connection: Connection, process: str, owner: str, state: str) -> None:
    """Count a job that ended so: for its process, and for its owner."""
    now = times.now()
    key = (counters.JOBS_ENDED[state], process[: counters.LONGEST_LABEL])
    counters.add(connection, {key: 1}, now)
    events.record(connection, [Event(now, "wps", owner, status=state)])


def seconds_per_weight(connection: Connection, process: str) -> float | None:
    """Return the median seconds a unit of weight of the last runs, None without any."""
    found = connection.execute(_LAST_RUNS, {"process": process})
    rates = [row.seconds / row.weight for row in found]
    return statistics.median(rates) if rates else None


_LAST_RUNS = (
    select(table.c.seconds, table.c.weight)
    .where(table.c.process == bindparam("process"))
    .order_by(table.c.id.desc())
    .limit(RUNS_KEPT)
)
