"""Since when a collection has products, and of which kinds: from the daily counts only."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from catalog_db.tables import daily_volume

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class CollectionExtent:
    """What a collection holds.

    Parameters
    ----------
    first_day
        Of sensing.
    platforms, product_types
        In alphabetical order.
    """

    first_day: date
    platforms: tuple[str, ...]
    product_types: tuple[str, ...]


def collection_extents(connection: Connection) -> dict[str, CollectionExtent]:
    """Return the extent of each collection that has products."""
    columns = daily_volume.c
    rows = connection.execute(
        select(
            columns.collection,
            columns.platform,
            columns.product_type,
            func.min(columns.day).label("first_day"),
        )
        .where(columns.basis == "sensed", columns.products > 0)
        .group_by(columns.collection, columns.platform, columns.product_type)
    ).all()
    return {
        name: CollectionExtent(
            first_day=_EPOCH + timedelta(days=min(row.first_day for row in members)),
            platforms=tuple(sorted({row.platform for row in members})),
            product_types=tuple(sorted({row.product_type for row in members})),
        )
        for name in {row.collection for row in rows}
        if (members := [row for row in rows if row.collection == name])
    }
