"""Which workers are alive: each says so now and then, and one that is silent is taken for dead."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from catalog_db.tables import worker
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into


@dataclass(frozen=True)
class Worker:
    """A worker: its name, how many jobs it runs at once, since when, and when it was last heard."""

    name: str
    slots: int
    started: datetime
    heartbeat: datetime


def note_heartbeat(
    connection: Connection, name: str, slots: int, now: datetime, *, quick_slots: int = 0
) -> None:
    """Note that a worker is alive; its first heartbeat is its start."""
    now_us = to_us(now)
    state = {"heartbeat_us": now_us, "slots": slots, "quick_slots": quick_slots}
    statement = insert_into(connection, worker).values(name=name, started_us=now_us, **state)
    connection.execute(statement.on_conflict_do_update(index_elements=[worker.c.name], set_=state))


def heard_since(connection: Connection, instant: datetime) -> list[Worker]:
    """Return the workers that were heard since an instant, by name."""
    rows = connection.execute(
        select(worker).where(worker.c.heartbeat_us >= to_us(instant)).order_by(worker.c.name)
    )
    return [
        Worker(row.name, row.slots, from_us(row.started_us), from_us(row.heartbeat_us))
        for row in rows
    ]


def forget(connection: Connection, name: str) -> None:
    """Note that a worker has ended in order."""
    connection.execute(delete(worker).where(worker.c.name == name))


def forget_silent(connection: Connection, instant: datetime) -> None:
    """Forget the workers that were not heard since an instant."""
    connection.execute(delete(worker).where(worker.c.heartbeat_us < to_us(instant)))
