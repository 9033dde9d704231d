"""Files of products: what the archive holds, and whether it can be read now.

Requests are in `requests`, recalls in `recalls` and `claims`, the pool in `replicas`. Every
function of these takes a connection; those that write want a write transaction, and what must
happen together happens in one call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    select,
)

from catalog_db.archive.recalls import ACTIVE
from catalog_db.errors import UnknownProductError
from catalog_db.tables import file, item, kind, placement, recall, replica
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into, is_among


class FileRow(NamedTuple):
    """A file of the archive, with its key."""

    id: int
    path: str
    size_bytes: int
    checksum_algorithm: str
    checksum: str
    backend: str
    tape: str | None
    position: int | None


@dataclass(frozen=True)
class ProductFile:
    """The file of a product, and whether it can be read now.

    Parameters
    ----------
    uid, title, collection, platform, withdrawn
        The product.
    file
        What the archive holds of it.
    created
        When the file was archived.
    is_ready
        The pool has a verified replica.
    last_access
        When that was last read, about; None without a replica.
    """

    uid: str
    title: str
    collection: str
    platform: str
    withdrawn: bool
    file: FileRow
    created: datetime
    is_ready: bool
    last_access: datetime | None


def insert_file(connection: Connection, row: FileRow, now: datetime) -> FileRow:
    """Insert a file under its path unless that exists; return what is there. `row.id` is ignored.

    Whether it is the same file is seen in the row returned, and stays so: paths are never reused.
    """
    values = {name: value for name, value in row._asdict().items() if name != "id"}
    statement = insert_into(connection, file).on_conflict_do_nothing(index_elements=[file.c.path])
    connection.execute(statement, {**values, "created_us": to_us(now)})
    there = select(*_file_columns()).where(file.c.path == row.path)
    return _file_row(connection.execute(there).one())


def files(connection: Connection, file_ids: Iterable[int]) -> list[FileRow]:
    """Return files by their keys, in any order."""
    rows = connection.execute(
        select(*_file_columns()).where(is_among(connection, file.c.id, file_ids))
    )
    return [FileRow._make(row) for row in rows]


def product_files(connection: Connection, uids: Sequence[str]) -> list[ProductFile]:
    """Return the files of products, in the order asked.

    Raises
    ------
    UnknownProductError
        When a product is not in the catalogue or has no file.
    """
    rows = connection.execute(
        select(
            item.c.uid,
            item.c.title,
            kind.c.collection,
            kind.c.platform,
            item.c.withdrawn,
            file.c.created_us,
            _is_ready().label("is_ready"),
            replica.c.last_access_us,
            *_file_columns(),
        )
        .join_from(item, kind, kind.c.id == item.c.kind)
        .join(placement, placement.c.item == item.c.pk)
        .join(file, file.c.id == placement.c.file)
        .outerjoin(replica, replica.c.file == file.c.id)
        .where(item.c.uid.in_(list(uids)))
    )
    found = {
        row.uid: ProductFile(
            uid=row.uid,
            title=row.title,
            collection=row.collection,
            platform=row.platform,
            withdrawn=row.withdrawn,
            file=_file_row(row),
            created=from_us(row.created_us),
            is_ready=bool(row.is_ready),
            last_access=None if row.last_access_us is None else from_us(row.last_access_us),
        )
        for row in rows
    }
    for uid in uids:
        if uid not in found:
            raise UnknownProductError(uid)
    return [found[uid] for uid in dict.fromkeys(uids)]


def modes(connection: Connection, uids: Sequence[str]) -> dict[str, str]:
    """Return ``disk``, ``staging`` or ``tape`` for each known product, in one query.

    A ready replica is ``disk`` also while another recall of the file is active.
    """
    rows = connection.execute(
        select(
            item.c.uid,
            case((_is_ready(), "disk"), (recall.c.id.is_not(None), "staging"), else_="tape").label(
                "mode"
            ),
        )
        .outerjoin_from(item, placement, placement.c.item == item.c.pk)
        .outerjoin(replica, replica.c.file == placement.c.file)
        .outerjoin(recall, and_(recall.c.file == placement.c.file, ACTIVE))
        .where(item.c.uid.in_(list(uids)))
    )
    return {row.uid: row.mode for row in rows}


def _is_ready() -> ColumnElement[bool]:
    return func.coalesce(replica.c.state == "ready", False)


def _file_columns() -> tuple[ColumnElement[Any], ...]:
    return tuple(file.c[name] for name in FileRow._fields)


def _file_row(row: Row[*tuple[Any, ...]]) -> FileRow:
    return FileRow(**{name: getattr(row, name) for name in FileRow._fields})
