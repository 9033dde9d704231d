"""Products of other archives as rows: what is known of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from catalog_db.tables import mirror_product
from catalog_db.times import from_us

_BATCH = 500
LONGEST_ERROR = 500
_PLAIN = (
    *("id", "source", "hub_id", "selection", "collection", "name", "size_bytes", "checksum"),
    *("state", "attempts", "corrupt", "uid", "error"),
)


@dataclass(frozen=True)
class Announcement:
    """A product as a source lists it.

    Parameters
    ----------
    hub_id
        The source's identifier.
    collection
        As the source calls it: ``SENTINEL-1``.
    name
        Title of the product, without extension.
    size_bytes, checksum
        Of the file to be fetched; MD5, hexadecimal, None where none is stated.
    published, modified
        When the source first had it, and had it in this form.
    """

    hub_id: str
    collection: str
    name: str
    size_bytes: int
    checksum: str | None
    published: datetime
    modified: datetime


@dataclass(frozen=True)
class Deletion:
    """A product that a source no longer has, and why; `is_corrupt` when it was no good."""

    hub_id: str
    deleted: datetime
    cause: str
    is_corrupt: bool


@dataclass(frozen=True)
class Selection:
    """Which rows are meant: those of a source, for one of its selections."""

    source: str
    name: str
    priority: int = 0


@dataclass(frozen=True)
class MirrorProduct:
    """What is known of a product of a source; the columns of `mirror_product`."""

    id: int
    source: str
    hub_id: str
    selection: str
    collection: str
    name: str
    size_bytes: int
    checksum: str | None
    published: datetime
    modified: datetime
    announced: datetime
    state: str
    attempts: int
    corrupt: int
    uid: str | None
    error: str | None


def get(connection: Connection, row_id: int) -> MirrorProduct:
    """Return a row."""
    return product_of(connection.execute(select_rows().where(mirror_product.c.id == row_id)).one())


def named(connection: Connection, name: str) -> list[MirrorProduct]:
    """Return the products of all sources that have this title, the latest announced first."""
    query = select_rows().where(mirror_product.c.name == name)
    order = (mirror_product.c.announced_us.desc(), mirror_product.c.id)
    return [product_of(row) for row in connection.execute(query.order_by(*order))]


def known(connection: Connection, source: str, hub_ids: Iterable[str]) -> dict[str, MirrorProduct]:
    """Return what is known of products of a source, by its identifiers."""
    wanted = sorted(hub_ids)
    found = {}
    for begin in range(0, len(wanted), _BATCH):
        query = select_rows().where(
            mirror_product.c.source == source,
            mirror_product.c.hub_id.in_(wanted[begin : begin + _BATCH]),
        )
        found.update({row.hub_id: product_of(row) for row in connection.execute(query)})
    return found


def select_rows() -> Select[Any]:
    """Return the query whose rows `product_of` understands."""
    return select(mirror_product)


def product_of(row: Row[Any]) -> MirrorProduct:
    """Return the row as Python sees it."""
    values = row._asdict()
    return MirrorProduct(
        **{name: values[name] for name in _PLAIN},
        published=from_us(row.published_us),
        modified=from_us(row.modified_us),
        announced=from_us(row.announced_us),
    )
