"""Kinds of products: the texts that many share, a row of `kind` each combination."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from catalog_db.tables import kind


class Kind(NamedTuple):
    """What a product is, but for place and time; fields as of `products.Product`."""

    collection: str
    platform: str
    product_type: str
    sensor_mode: str | None = None
    instrument: str | None = None
    processing_level: str | None = None
    polarization: str | None = None
    swath: str | None = None
    orbit_direction: str | None = None


def ensure_kinds(connection: Connection, kinds: Iterable[Kind], revision: int) -> dict[Kind, int]:
    """Return the keys of kinds, new rows made for those that are not there yet.

    The transaction holds the catalogue (`counts.next_revision`): nobody else adds one.
    """
    columns = [kind.c[name] for name in Kind._fields]
    known = {Kind(*row[1:]): int(row[0]) for row in connection.execute(select(kind.c.id, *columns))}
    for missing in sorted(set(kinds) - known.keys(), key=str):
        result = connection.execute(
            insert(kind).values(**missing._asdict(), revision=revision).returning(kind.c.id)
        )
        known[missing] = int(result.scalar_one())
    return known
