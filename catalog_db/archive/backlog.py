"""What lies before a recall in the queue: the ground on which its end is foretold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from catalog_db.archive.recalls import ACTIVE
from catalog_db.tables import file, recall
from catalog_db.times import from_us
from catalog_db.upsert import is_among


@dataclass(frozen=True)
class Backlog:
    """What is to be read before a recall is done, itself included."""

    size_bytes: int
    tapes: int
    not_before: datetime


def backlogs(connection: Connection, recall_ids: Iterable[int]) -> dict[int, Backlog]:
    """Return what is read before each active recall is done, were they read in order of age."""
    age = (recall.c.created_us, recall.c.id)
    first_of_tape = func.row_number().over(partition_by=file.c.tape, order_by=age) == 1
    active = (
        select(
            recall.c.id,
            recall.c.created_us,
            recall.c.not_before_us,
            (file.c.size_bytes - recall.c.bytes_done).label("size_bytes"),
            case((first_of_tape, 1), else_=0).label("new_tapes"),
        )
        .join_from(recall, file, file.c.id == recall.c.file)
        .where(ACTIVE)
        .subquery()
    )
    asked = (active.c.created_us, active.c.id)
    queue = select(
        active.c.id,
        active.c.not_before_us,
        func.sum(active.c.size_bytes).over(order_by=asked).label("size_bytes"),
        func.sum(active.c.new_tapes).over(order_by=asked).label("tapes"),
    ).subquery()
    rows = connection.execute(select(queue).where(is_among(connection, queue.c.id, recall_ids)))
    return {
        row.id: Backlog(int(row.size_bytes), int(row.tapes), from_us(row.not_before_us))
        for row in rows
    }
