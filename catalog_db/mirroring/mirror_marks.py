"""Until when a mirror knows everything that a source has: its high-water marks."""

from datetime import datetime

from sqlalchemy import Connection, select

from catalog_db.mirroring.mirror_rows import Selection
from catalog_db.tables import mirror_mark
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into


def mark_of(connection: Connection, selection: Selection, subject: str) -> datetime | None:
    """Return until when everything is known; `subject` is published, modified or deleted."""
    until_us = connection.scalar(
        select(mirror_mark.c.until_us).where(
            mirror_mark.c.source == selection.source,
            mirror_mark.c.selection == selection.name,
            mirror_mark.c.subject == subject,
        )
    )
    return None if until_us is None else from_us(until_us)


def advance(connection: Connection, selection: Selection, subject: str, until: datetime) -> None:
    """Move a mark forward, in the transaction that notes what lies before it; never back."""
    key = {"source": selection.source, "selection": selection.name, "subject": subject}
    statement = insert_into(connection, mirror_mark).values(**key, until_us=to_us(until))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={"until_us": statement.excluded.until_us},
            where=mirror_mark.c.until_us < statement.excluded.until_us,
        )
    )
