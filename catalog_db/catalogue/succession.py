"""Products that took the place of others: reprocessed, or final where the first was provisional."""

from sqlalchemy import Connection, select

from catalog_db.tables import succession
from catalog_db.upsert import insert_into

# A product may be replaced again; more often than that is a mistake, a circle perhaps.
_LONGEST_LINE = 20


def supersede(connection: Connection, uid: str, successor: str) -> None:
    """Note that one product takes the place of another; both are uids."""
    statement = insert_into(connection, succession).values(uid=uid, successor=successor)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["uid"], set_={"successor": statement.excluded.successor}
        )
    )


def successor_of(connection: Connection, uid: str) -> str | None:
    """Return the product that stands in the place of another now, None where there is none."""
    found: str | None = None
    for _ in range(_LONGEST_LINE):
        following = connection.execute(
            select(succession.c.successor).where(succession.c.uid == (found or uid))
        ).scalar_one_or_none()
        if following is None:
            return found
        found = following
    return found
