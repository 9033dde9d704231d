"""Leases on parts of the datalake: one holder at a time, and none for ever."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from catalog_db import times
from catalog_db.tables import datalake_lock as table
from catalog_db.upsert import insert_into


def take(
    connection: Connection, key: str, *, holder: str, lease: str, now: datetime, until: datetime
) -> bool:
    """Take a lease that nobody has, or whose time has run out; return whether it is ours.

    One statement: of two that try at once, one has it.

    Parameters
    ----------
    key
        What is locked: ``S1-L1-ORTHO/31TGL``.
    holder
        Who, for people.
    lease
        A new uuid: what `renew` and `release` know it by.
    now, until
        When it is asked for, and when it ends unless it is renewed.
    """
    values = {"holder": holder, "lease": lease, "expires_us": times.to_us(until)}
    statement = (
        insert_into(connection, table)
        .values(key=key, **values)
        .on_conflict_do_update(
            index_elements=[table.c.key],
            set_=values,
            where=or_(table.c.expires_us <= times.to_us(now), table.c.lease == lease),
        )
    )
    return connection.execute(statement).rowcount == 1


def renew(connection: Connection, key: str, lease: str, until: datetime) -> bool:
    """Let a lease hold for longer; return whether it was still ours."""
    statement = (
        update(table)
        .where(table.c.key == key, table.c.lease == lease)
        .values(expires_us=times.to_us(until))
    )
    return connection.execute(statement).rowcount == 1


def release(connection: Connection, key: str, lease: str) -> None:
    """Give a lease back; one that was lost is not touched."""
    connection.execute(delete(table).where(table.c.key == key, table.c.lease == lease))


def holders(connection: Connection, now: datetime) -> dict[str, str]:
    """Return who holds which key now."""
    rows = connection.execute(
        select(table.c.key, table.c.holder)
        .where(table.c.expires_us > times.to_us(now))
        .order_by(table.c.key)
    )
    return {row.key: row.holder for row in rows}


def forget_expired(connection: Connection, now: datetime, age: timedelta) -> None:
    """Drop leases that ran out so long ago."""
    before = times.to_us(now - age)
    connection.execute(delete(table).where(table.c.expires_us < before))
