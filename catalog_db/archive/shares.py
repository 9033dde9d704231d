"""What was recalled for whom lately: the ground of fair share between users."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from catalog_db.tables import file, recall, recalled_for, request, request_file
from catalog_db.times import to_us
from catalog_db.upsert import insert_into

_HOUR_US = 3_600_000_000
WINDOW_HOURS = 24


def charge(
    connection: Connection, request_ids: Iterable[str], size_bytes: int, now: datetime
) -> None:
    """Note a file that came for some requests: its size counts whole for each of their users."""
    names = connection.execute(
        select(request.c.user).where(request.c.id.in_(list(request_ids))).distinct()
    ).scalars()
    hour = _hour(now)
    # Sorted: two writers then lock rows in the same order.
    rows = [{"user": name, "hour": hour, "bytes": size_bytes} for name in sorted(names)]
    if not rows:
        return
    statement = insert_into(connection, recalled_for)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["user", "hour"],
            set_={"bytes": recalled_for.c.bytes + statement.excluded.bytes},
        ),
        rows,
    )


def served_bytes(connection: Connection, now: datetime) -> dict[str, int]:
    """Return what came for each user within the window, and what is on its way for them."""
    came = connection.execute(
        select(recalled_for.c.user, func.sum(recalled_for.c.bytes))
        .where(recalled_for.c.hour > _hour(now) - WINDOW_HOURS)
        .group_by(recalled_for.c.user)
    )
    served = {user: int(size_bytes) for user, size_bytes in came}
    coming = (
        select(request.c.user, file.c.id, file.c.size_bytes)
        .join_from(recall, file, file.c.id == recall.c.file)
        .join(request_file, request_file.c.file == file.c.id)
        .join(request, request.c.id == request_file.c.request)
        .where(recall.c.state == "running", request_file.c.state == "waiting")
        .distinct()
    )
    for user, _file, size_bytes in connection.execute(coming):
        served[user] = served.get(user, 0) + size_bytes
    return served


def forget_old(connection: Connection, now: datetime) -> None:
    """Delete what counts no more."""
    connection.execute(delete(recalled_for).where(recalled_for.c.hour <= _hour(now) - WINDOW_HOURS))


def _hour(now: datetime) -> int:
    return to_us(now) // _HOUR_US
