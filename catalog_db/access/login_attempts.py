"""Attempts to log in that failed, counted over a window of time for whatever they have in common.

An attempt counts before its password is looked at, so many at once find the same limit as one after
the other; one that turns out well is taken back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from catalog_db import locks
from catalog_db.tables import failed_login
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into


def begin(
    connection: Connection, limits: Mapping[str, int], now: datetime, window: timedelta
) -> datetime | None:
    """Count an attempt; return None when it may go on, else when the next one may.

    Parameters
    ----------
    connection
        A write transaction.
    limits
        What the attempt counts for, as digests, and how many failures each may have in a window.
    now
        The instant.
    window
        How long failures are remembered after the first.
    """
    locks.hold(connection, locks.Subject.LOGINS)
    oldest_us = to_us(now - window)
    connection.execute(delete(failed_login).where(failed_login.c.since_us <= oldest_us))
    for subject in sorted(limits):
        statement = insert_into(connection, failed_login).values(
            subject=subject, failures=1, since_us=to_us(now)
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[failed_login.c.subject],
                set_={"failures": failed_login.c.failures + 1},
            )
        )
    counted = connection.execute(
        select(failed_login).where(failed_login.c.subject.in_(sorted(limits)))
    ).all()
    spent = [row.since_us for row in counted if row.failures > limits[row.subject]]
    return from_us(max(spent)) + window if spent else None


def succeed(connection: Connection, forgiven: str, subjects: Iterable[str]) -> None:
    """Take an attempt back that turned out well.

    Parameters
    ----------
    connection
        A write transaction.
    forgiven
        The subject whose earlier failures are forgotten too: who knows the password mistyped it.
    subjects
        The others: for each of them one attempt less.
    """
    locks.hold(connection, locks.Subject.LOGINS)
    connection.execute(delete(failed_login).where(failed_login.c.subject == forgiven))
    connection.execute(
        update(failed_login)
        .where(failed_login.c.subject.in_(sorted(subjects)), failed_login.c.failures > 0)
        .values(failures=failed_login.c.failures - 1)
    )
