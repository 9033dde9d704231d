"""What came from tape for whom, and how long they had waited: one event for each who asked."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from catalog_db.access import events
from catalog_db.access.events import Event
from catalog_db.tables import item, kind, placement, request


def note_staged(
    connection: Connection,
    file_id: int,
    size_bytes: int,
    waited_s: Mapping[str, float],
    now: datetime,
) -> None:
    """Note a file that came.

    Parameters
    ----------
    file_id, size_bytes
        The file.
    waited_s
        The requests that it came for, and how long each had waited for it, seconds.
    now
        When it came.
    """
    product = connection.execute(
        select(kind.c.collection, kind.c.platform)
        .join_from(placement, item, item.c.pk == placement.c.item)
        .join(kind, kind.c.id == item.c.kind)
        .where(placement.c.file == file_id)
        .order_by(item.c.pk)
        .limit(1)
    ).one_or_none()
    collection, platform = ("", "") if product is None else product
    users = connection.execute(
        select(request.c.id, request.c.user).where(request.c.id.in_(list(waited_s)))
    )
    happened = [
        Event(now, "stage", user, collection, platform, size_bytes, wait_s=waited_s[request_id])
        for request_id, user in users
    ]
    events.record(connection, happened)
