"""What is kept of requests and recalls that have ended: nothing, after a while."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, not_, or_, select

from catalog_db.archive import shares
from catalog_db.locks import Subject, hold
from catalog_db.tables import recall, request, request_file, task
from catalog_db.times import to_us

# Rows of each kind deleted in one transaction; a request may have thousands of files.
BATCH = 200


def forget_ended(connection: Connection, now: datetime, before: datetime) -> bool:
    """Delete what ended before an instant, and what counts no more for fair share.

    A request of which nothing is wanted any more has ended too, though nobody said so: what failed
    for it is told until then. One that a job still names goes after the job.

    Returns
    -------
    Whether there may be more: no more than a batch goes at once.
    """
    hold(connection, Subject.ARCHIVE)
    shares.forget_old(connection, now)
    before_us = to_us(before)
    recalls = (
        select(recall.c.id)
        .where(recall.c.finished_us < before_us)
        .order_by(recall.c.finished_us)
        .limit(BATCH)
    )
    is_wanted = exists().where(
        request_file.c.request == request.c.id,
        or_(
            request_file.c.state.in_(("waiting", "ready")),
            request_file.c.asked_us >= before_us,
            request_file.c.finished_us >= before_us,
        ),
    )
    left = and_(request.c.released_us.is_(None), request.c.created_us < before_us, not_(is_wanted))
    deleted = [
        connection.execute(delete(recall).where(recall.c.id.in_(recalls))).rowcount,
        _delete_requests(connection, request.c.released_us < before_us, request.c.released_us),
        _delete_requests(connection, left, request.c.created_us),
    ]
    return max(deleted) == BATCH


def _delete_requests(
    connection: Connection, condition: ColumnElement[bool], age: ColumnElement[int]
) -> int:
    """Delete a batch of requests, the oldest first, by the index of their age."""
    is_named = exists().where(task.c.request == request.c.id)
    chosen = select(request.c.id).where(condition, not_(is_named)).order_by(age).limit(BATCH)
    return connection.execute(delete(request).where(request.c.id.in_(chosen))).rowcount
