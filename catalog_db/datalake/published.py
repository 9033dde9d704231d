"""What was published in the datalake and when: what a consumer asks for since it last asked.

The datalake's own files are the truth; these rows are derived from them and can be made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, true

from catalog_db import times
from catalog_db.locks import Subject, hold
from catalog_db.tables import datalake_product as table
from catalog_db.upsert import begins_with, insert_into


@dataclass(frozen=True)
class Published:
    """One product: the path of its item, and when it appeared or was last replaced."""

    path: str
    published: datetime
    size_bytes: int


def note(connection: Connection, path: str, size_bytes: int, now: datetime) -> None:
    """Note a product as the newest: no two share an instant, and none appears before another.

    Who has seen all up to an instant misses nothing by asking for what is later.
    """
    hold(connection, Subject.DATALAKE)
    newest = connection.execute(select(func.max(table.c.published_us))).scalar_one()
    values = {
        "published_us": max(times.to_us(now), (newest or 0) + 1),
        "size_bytes": size_bytes,
    }
    connection.execute(
        insert_into(connection, table)
        .values(path=path, **values)
        .on_conflict_do_update(index_elements=[table.c.path], set_=values)
    )


def forget(connection: Connection, path: str) -> None:
    """Forget a product that was removed."""
    connection.execute(delete(table).where(table.c.path == path))


def is_noted(connection: Connection, path: str) -> bool:
    """Tell whether a product is known here."""
    return connection.execute(select(table.c.path).where(table.c.path == path)).first() is not None


def listed(
    connection: Connection, *, under: str = "", after: datetime | None = None, most: int
) -> Sequence[Published]:
    """Return products in the order in which they were published.

    Parameters
    ----------
    under
        Only those below this folder.
    after
        Only what was published later.
    most
        How many at most.
    """
    rows = connection.execute(
        select(table)
        .where(begins_with(connection, table.c.path, f"{under}/") if under else true())
        .where(table.c.published_us > times.to_us(after) if after else true())
        .order_by(table.c.published_us)
        .limit(most)
    )
    return [Published(row.path, times.from_us(row.published_us), row.size_bytes) for row in rows]


def total(connection: Connection, under: str = "") -> tuple[int, int]:
    """Return how many products there are below a folder, and their bytes."""
    products, size_bytes = connection.execute(
        select(func.count(), func.sum(table.c.size_bytes)).where(
            begins_with(connection, table.c.path, f"{under}/") if under else true()
        )
    ).one()
    return products, int(size_bytes or 0)
