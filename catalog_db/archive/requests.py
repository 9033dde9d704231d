"""Requests for files: asked for, prolonged, cancelled in part, released, overdue, expired.

What changes a request holds `Subject.ARCHIVE`, as recalls and the pool do.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)

from catalog_db import counters
from catalog_db.archive.recalls import ACTIVE, IS_PINNED, cancel_unwanted, queue_recalls
from catalog_db.locks import Subject, hold
from catalog_db.tables import file, item, placement, recall, replica, request, request_file
from catalog_db.times import to_us
from catalog_db.upsert import insert_into, is_among

# States that a file of a request can come back from when it is asked for again. One that failed
# stays so until the request ends: who polls is told.
_ASKABLE = ("waiting", "ready", "cancelled", "released")
_MICROSECONDS = 1_000_000
DEADLINE_PASSED = "it was not on disk by the deadline of the request"


@dataclass(frozen=True)
class Wish:
    """Who asks for files, and on what terms.

    Parameters
    ----------
    user, purpose
        On whose behalf, and what asks: the same two are the same request while that is open.
    pin_lifetime_s
        How long a file stays once it is ready, seconds.
    deadline
        What is not ready by then is not wanted any more.
    """

    user: str
    purpose: str
    pin_lifetime_s: int
    deadline: datetime | None = None


@dataclass(frozen=True)
class OpenedRequest:
    """A request, and how many of its files began to wait with this asking."""

    id: str
    new_waits: int


@dataclass(frozen=True)
class Waits:
    """What a user waits for."""

    files: int
    size_bytes: int


def open_request(
    connection: Connection, wish: Wish, file_ids: Iterable[int], now: datetime
) -> OpenedRequest:
    """Ask for files: those ready are pinned at once, the others are recalled once for all who ask.

    The same user asking again for the same purpose gets the request that is still open, its pins
    prolonged and on the new terms; a file that failed for it stays failed until it is released.
    """
    hold(connection, Subject.ARCHIVE)
    request_id = connection.execute(
        select(request.c.id)
        .where(
            request.c.user == wish.user,
            request.c.purpose == wish.purpose,
            request.c.released_us.is_(None),
        )
        .order_by(request.c.created_us, request.c.id)
        .limit(1)
    ).scalar_one_or_none()
    terms = {
        "pin_lifetime_s": wish.pin_lifetime_s,
        "deadline_us": None if wish.deadline is None else to_us(wish.deadline),
    }
    if request_id is None:
        request_id = str(uuid.uuid4())
        identity = {"user": wish.user, "purpose": wish.purpose, "created_us": to_us(now)}
        connection.execute(request.insert().values(id=request_id, **identity, **terms))
    else:
        connection.execute(update(request).where(request.c.id == request_id).values(**terms))
    new_waits = _want(connection, str(request_id), wish, file_ids, now)
    return OpenedRequest(str(request_id), new_waits)


def _want(
    connection: Connection,
    request_id: str,
    wish: Wish,
    file_ids: Iterable[int],
    now: datetime,
) -> int:
    """Pin the ready files, let the others wait for a recall; return how many begin to wait."""
    now_us = to_us(now)
    pin_until_us = now_us + wish.pin_lifetime_s * _MICROSECONDS
    is_ready = func.coalesce(replica.c.state == "ready", False)
    wanted = (
        select(
            literal(request_id),
            file.c.id,
            case((is_ready, "ready"), else_="waiting"),
            case((is_ready, pin_until_us), else_=None),
            literal(now_us),
            case((is_ready, now_us), else_=None),
            literal(wish.user),
        )
        .outerjoin_from(file, replica, replica.c.file == file.c.id)
        .where(is_among(connection, file.c.id, file_ids))
    )
    columns = ["request", "file", "state", "pin_until_us", "asked_us", "finished_us", "user"]
    statement = insert_into(connection, request_file).from_select(columns, wanted)
    new, old = statement.excluded, request_file.c
    has_ended = old.state.in_(("cancelled", "released"))
    rows = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[old.request, old.file],
            set_={
                "state": new.state,
                "pin_until_us": _later(old.pin_until_us, new.pin_until_us),
                "asked_us": case((has_ended, new.asked_us), else_=old.asked_us),
                "finished_us": case(
                    (new.state == "waiting", None),
                    else_=func.coalesce(old.finished_us, new.finished_us),
                ),
                "error": None,
            },
            where=old.state.in_(_ASKABLE),
        ).returning(old.file, old.state, old.asked_us)
    ).all()
    queue_recalls(connection, [row.file for row in rows if row.state == "waiting"], now)
    return _count_asked(connection, [row.state for row in rows if row.asked_us == now_us], now)


def _count_asked(connection: Connection, states: list[str], now: datetime) -> int:
    """Count hits and misses of the pool among the files that are newly asked for."""
    misses = states.count("waiting")
    amounts = {
        (counters.CACHE_HITS, ""): len(states) - misses,
        (counters.CACHE_MISSES, ""): misses,
    }
    counters.add(connection, amounts, now)
    return misses


def waits_of(connection: Connection, user: str) -> Waits:
    """Return what the open requests of a user wait for."""
    row = connection.execute(
        select(func.count(), func.coalesce(func.sum(file.c.size_bytes), 0))
        .select_from(request)
        .join(request_file, request_file.c.request == request.c.id)
        .join(file, file.c.id == request_file.c.file)
        .where(
            request.c.user == user,
            request.c.released_us.is_(None),
            request_file.c.state == "waiting",
        )
    ).one()
    return Waits(int(row[0]), int(row[1]))


def first_wait_of(connection: Connection, user: str) -> int | None:
    """Return the oldest active recall that a user waits for."""
    return connection.execute(
        select(recall.c.id)
        .join_from(request, request_file, request_file.c.request == request.c.id)
        .join(recall, and_(recall.c.file == request_file.c.file, ACTIVE))
        .where(
            request.c.user == user,
            request.c.released_us.is_(None),
            request_file.c.state == "waiting",
        )
        .order_by(recall.c.created_us, recall.c.id)
        .limit(1)
    ).scalar_one_or_none()


def is_pinned(connection: Connection, uid: str, now: datetime) -> bool:
    """Tell whether some request keeps the file of a product on disk."""
    pins = (
        select(request_file.c.request)
        .join_from(request_file, placement, placement.c.file == request_file.c.file)
        .join(item, item.c.pk == placement.c.item)
        .where(
            item.c.uid == uid,
            request_file.c.state == "ready",
            request_file.c.pin_until_us > to_us(now),
        )
    )
    return bool(connection.execute(select(exists(pins))).scalar_one())


# ------------------------------------------------------------------------- ends of requests


def cancel_waits(
    connection: Connection, request_id: str, file_ids: Iterable[int] | None, now: datetime
) -> None:
    """Wait no more for some files of a request, or for all; recalls nobody else wants end.

    What is ready stays pinned.
    """
    hold(connection, Subject.ARCHIVE)
    waiting = _end(connection, request_id, "waiting", "cancelled", file_ids, now)
    cancel_unwanted(connection, waiting, now)


def release_files(
    connection: Connection, request_id: str, file_ids: Iterable[int], now: datetime
) -> None:
    """Let go of some files of a request: their pins go, those that wait are cancelled."""
    hold(connection, Subject.ARCHIVE)
    wanted = list(file_ids)
    waiting = _end(connection, request_id, "waiting", "cancelled", wanted, now)
    _end(connection, request_id, "ready", "released", wanted, now)
    cancel_unwanted(connection, waiting, now)


def release_request(connection: Connection, request_id: str, now: datetime) -> None:
    """End a request: its pins go, and recalls that nobody else waits for are cancelled.

    One that is unknown, or was released before, is left as it is.
    """
    hold(connection, Subject.ARCHIVE)
    connection.execute(
        update(request)
        .where(request.c.id == request_id, request.c.released_us.is_(None))
        .values(released_us=to_us(now))
    )
    waiting = _end(connection, request_id, "waiting", "cancelled", None, now)
    _end(connection, request_id, "ready", "released", None, now)
    cancel_unwanted(connection, waiting, now)


def forget_request(connection: Connection, request_id: str, now: datetime) -> bool:
    """End a request and delete it; False where it is unknown."""
    release_request(connection, request_id, now)
    return bool(connection.execute(request.delete().where(request.c.id == request_id)).rowcount)


def _end(
    connection: Connection,
    request_id: str,
    state: str,
    end: str,
    file_ids: Iterable[int] | None,
    now: datetime,
) -> list[int]:
    """Take files of a request from one state to a final one; return them."""
    chosen = and_(request_file.c.request == request_id, request_file.c.state == state)
    if file_ids is not None:
        chosen = and_(chosen, is_among(connection, request_file.c.file, file_ids))
    finished = {"finished_us": to_us(now)} if state == "waiting" else {}
    return list(
        connection.execute(
            update(request_file)
            .where(chosen)
            .values(state=end, pin_until_us=None, **finished)
            .returning(request_file.c.file)
        ).scalars()
    )


# ------------------------------------------------------------------------------- as time passes


def has_overdue(connection: Connection, now: datetime) -> bool:
    """Tell whether a deadline or a pin of an open request has passed; reads only."""
    overdue = exists().where(_is_overdue(now))
    expired = exists().where(_is_expired(now))
    return bool(connection.execute(select(or_(overdue, expired))).scalar_one())


def end_overdue(connection: Connection, now: datetime) -> None:
    """Fail what is not ready by its deadline, and end the pins whose time is over.

    A request of which nothing is wanted any more is closed, those past their deadline at once.
    """
    hold(connection, Subject.ARCHIVE)
    late = select(request.c.id).where(_is_overdue(now)).scalar_subquery()
    waited_for = connection.execute(
        update(request_file)
        .where(request_file.c.request.in_(late), request_file.c.state == "waiting")
        .values(state="failed", error=DEADLINE_PASSED, finished_us=to_us(now))
        .returning(request_file.c.file)
    ).scalars()
    cancel_unwanted(connection, list(waited_for), now)
    expired = connection.execute(
        update(request_file)
        .where(_is_expired(now))
        .values(state="released", pin_until_us=None)
        .returning(request_file.c.request)
    ).scalars()
    touched = sorted(set(expired))
    is_open = exists().where(
        request_file.c.request == request.c.id, request_file.c.state.in_(("waiting", "ready"))
    )
    connection.execute(
        update(request)
        .where(request.c.id.in_(touched), request.c.released_us.is_(None), not_(is_open))
        .values(released_us=to_us(now))
    )


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether the deadline of an open request has passed, in the words of its partial index."""
    waits = exists().where(
        request_file.c.request == request.c.id, request_file.c.state == "waiting"
    )
    return and_(
        request.c.released_us.is_(None),
        request.c.deadline_us.is_not(None),
        request.c.deadline_us < to_us(now),
        waits,
    )


def _is_expired(now: datetime) -> ColumnElement[bool]:
    return and_(IS_PINNED, request_file.c.pin_until_us < to_us(now))


def _later(
    first: ColumnElement[int | None], second: ColumnElement[int | None]
) -> ColumnElement[int | None]:
    """Return the later of two times, of which either may be NULL; NULL without a second."""
    return case((first > second, first), else_=second)
