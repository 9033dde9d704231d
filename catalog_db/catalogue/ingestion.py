"""Lists of products taken into the catalogue in batches, each batch whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from catalog_db.archive import staging
from catalog_db.archive.staging import FileRow
from catalog_db.catalogue import products
from catalog_db.catalogue.products import Product
from catalog_db.tables import ingestion
from catalog_db.times import to_us
from catalog_db.upsert import insert_into

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Entry:
    """A product, and the file that holds it where that is known."""

    product: Product
    file: FileRow | None = None


@dataclass(frozen=True)
class Advance:
    """How far a list has been taken in: records from the first on, refused ones among them."""

    done: int
    refused: int


def advance_of(connection: Connection, digest: str) -> Advance:
    """Return how far the list of this digest has been taken in."""
    columns = (ingestion.c.done, ingestion.c.refused)
    row = connection.execute(select(*columns).where(ingestion.c.digest == digest)).first()
    return Advance(0, 0) if row is None else Advance(*row)


def note_advance(
    connection: Connection, digest: str, name: str, advance: Advance, now: datetime
) -> None:
    """Note how far a list has been taken in, in the transaction that takes it."""
    values = {
        "name": name[:_LONGEST_NAME],
        "done": advance.done,
        "refused": advance.refused,
        "updated_us": to_us(now),
    }
    statement = insert_into(connection, ingestion).values(digest=digest, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[ingestion.c.digest], set_=values)
    )


def forget_advance(connection: Connection, digest: str) -> None:
    """Let a list be taken in again from its first record."""
    connection.execute(
        update(ingestion).where(ingestion.c.digest == digest).values(done=0, refused=0)
    )


def take(connection: Connection, entries: Sequence[Entry], now: datetime) -> dict[str, str]:
    """Write a batch: products, their files, and which holds which.

    Returns
    -------
    What was refused, by title: a file under whose path another content is known.
    """
    refused: dict[str, str] = {}
    files: dict[str, int] = {}
    # In one order, so that two writers never wait for each other.
    for entry in sorted(entries, key=lambda one: one.file.path if one.file else ""):
        if entry.file is None:
            continue
        known = staging.insert_file(connection, entry.file, now)
        if known.checksum == entry.file.checksum and known.size_bytes == entry.file.size_bytes:
            files[entry.product.uid] = known.id
        else:
            sentence = f"the archive holds another content as {entry.file.path}"
            refused[entry.product.title] = sentence
    taken = [entry.product for entry in entries if entry.product.title not in refused]
    products.insert_products(connection, taken)
    if files:
        products.place(connection, files)
    return refused
