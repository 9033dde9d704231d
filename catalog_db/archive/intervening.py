"""What operators do to recalls by hand."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from catalog_db.archive.claims import fail_recall, serve_waiting
from catalog_db.archive.recalls import queue_recalls
from catalog_db.archive.replicas import is_ready
from catalog_db.errors import RecallStateError
from catalog_db.locks import Subject, hold
from catalog_db.tables import recall, request, request_file
from catalog_db.times import to_us


def retry_recall(connection: Connection, recall_id: int, now: datetime) -> None:
    """Try a recall now: one that failed, for all who still want it, or one that pauses.

    Raises
    ------
    RecallStateError
        When there is no such recall, or it is neither.
    """
    hold(connection, Subject.ARCHIVE)
    row = _standing(connection, recall_id)
    if row.state == "queued":
        connection.execute(
            update(recall).where(recall.c.id == recall_id).values(not_before_us=to_us(now))
        )
        return
    if row.state != "failed":
        raise RecallStateError(f"recall {recall_id} is {row.state}, expected failed or queued")
    is_open = select(request.c.id).where(request.c.released_us.is_(None))
    waiting = connection.execute(
        update(request_file)
        .where(
            request_file.c.file == row.file,
            request_file.c.state == "failed",
            request_file.c.request.in_(is_open),
        )
        .values(state="waiting", error=None, finished_us=None)
        .returning(request_file.c.file)
    ).all()
    if not waiting:
        raise RecallStateError(f"nobody waits for recall {recall_id} any more")
    if is_ready(connection, row.file):  # another recall has brought it since
        serve_waiting(connection, row.file, now)
    else:
        queue_recalls(connection, [row.file], now)


def drop_recall(connection: Connection, recall_id: int, reason: str, now: datetime) -> None:
    """Give a recall up: all who wait for it are told the reason.

    Raises
    ------
    RecallStateError
        When there is no such recall, or it has ended.
    """
    hold(connection, Subject.ARCHIVE)
    row = _standing(connection, recall_id)
    if not fail_recall(connection, recall_id, row.owner, reason, now):
        raise RecallStateError(f"recall {recall_id} is {row.state}, expected queued or running")


class _Standing(NamedTuple):
    """Where a recall stands."""

    file: int
    state: str
    owner: str | None


def _standing(connection: Connection, recall_id: int) -> _Standing:
    columns = (recall.c.file, recall.c.state, recall.c.owner)
    row = connection.execute(select(*columns).where(recall.c.id == recall_id)).one_or_none()
    if row is None:
        raise RecallStateError(f"there is no recall {recall_id}")
    return _Standing(*row)
