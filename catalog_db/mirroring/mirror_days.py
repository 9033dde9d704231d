"""What a mirror did each day, by source and collection: kept as sums, so no report scans rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from catalog_db.tables import mirror_day
from catalog_db.upsert import insert_into

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUMS = ("products", "size_bytes", "traffic_bytes", "corrupt", "requests", "refusals")


@dataclass(frozen=True)
class MirrorDay:
    """One day of a source (UTC).

    Parameters
    ----------
    source, collection
        The collection as the source calls it; empty for requests, which are of none.
    day
        Its beginning.
    products, size_bytes
        Mirrored, and their size.
    traffic_bytes
        Received, whatever became of it.
    corrupt
        Downloads that were not what the source had announced.
    requests, refusals
        Sent to the source, and those of them that it did not serve.
    """

    source: str
    collection: str
    day: datetime
    products: int
    size_bytes: int
    traffic_bytes: int
    corrupt: int
    requests: int
    refusals: int


def count(connection: Connection, source: str, collection: str, now: datetime, **sums: int) -> None:
    """Add to the sums of the present day."""
    values = {name: sums.get(name, 0) for name in _SUMS}
    key = {"source": source, "collection": collection, "day": _number(now)}
    statement = insert_into(connection, mirror_day).values(**key, **values)
    added = {name: mirror_day.c[name] + statement.excluded[name] for name in _SUMS}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=added))


def traffic_of_day(connection: Connection, source: str, now: datetime) -> int:
    """Return how many bytes have come from a source on the present day."""
    total = connection.scalar(
        select(func.sum(mirror_day.c.traffic_bytes)).where(
            mirror_day.c.source == source, mirror_day.c.day == _number(now)
        )
    )
    return int(total or 0)


def days(connection: Connection, source: str, since: datetime) -> list[MirrorDay]:
    """Return the days of a source, oldest first."""
    rows = connection.execute(
        select(mirror_day)
        .where(mirror_day.c.source == source, mirror_day.c.day >= _number(since))
        .order_by(mirror_day.c.day, mirror_day.c.collection)
    )
    return [MirrorDay(**{**row._asdict(), "day": _EPOCH + timedelta(row.day)}) for row in rows]


def _number(now: datetime) -> int:
    return (now - _EPOCH).days
