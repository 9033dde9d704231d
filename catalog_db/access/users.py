"""Users, their groups, and who may order a restricted process.

A user is never deleted, only disabled: the jobs keep the name of their owner.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from catalog_db.errors import DuplicateUserError, UnknownUserError, UserNameError
from catalog_db.tables import account, membership, process_right
from catalog_db.times import from_us, to_us
from catalog_db.upsert import insert_into

# As an address of e-mail, which PEPS took for a name, and as a word in a URL, a log or a table.
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.@+-]{0,63}")
_RESERVED = ("anonymous",)


@dataclass(frozen=True)
class User:
    """A user. Without `password_hash` only tokens let them in."""

    name: str
    created: datetime
    password_hash: str | None = None
    is_operator: bool = False
    is_disabled: bool = False
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Holder:
    """Who holds a right: a user or a group."""

    kind: Literal["user", "group"]
    name: str


@dataclass(frozen=True)
class Right:
    """A restricted process and one who may order it."""

    process: str
    holder: Holder


def canonical_name(name: str) -> str:
    """Return the name of a user or group as it is stored: in lower case.

    Raises
    ------
    UserNameError
        When nobody can be called so.
    """
    lowered = name.lower()
    if not _NAME.fullmatch(lowered) or lowered in _RESERVED:
        raise UserNameError(name)
    return lowered


def add(connection: Connection, user: User) -> None:
    """Add a user with their groups.

    Raises
    ------
    DuplicateUserError
        When there is one of this name.
    UserNameError
        When a name is none.
    """
    name = canonical_name(user.name)
    added = connection.scalar(
        insert_into(connection, account)
        .values(
            name=name,
            password_hash=user.password_hash,
            is_operator=user.is_operator,
            is_disabled=user.is_disabled,
            created_us=to_us(user.created),
        )
        .on_conflict_do_nothing()
        .returning(account.c.name)
    )
    if added is None:
        raise DuplicateUserError(name)
    join(connection, name, user.groups)


def get(connection: Connection, name: str) -> User | None:
    """Return a user by name, in whatever case; None when there is none."""
    if not _NAME.fullmatch(name.lower()):
        return None  # PostgreSQL refuses some texts, of which no name is made
    row = connection.execute(select(account).where(account.c.name == name.lower())).first()
    if row is None:
        return None
    groups = connection.scalars(
        select(membership.c.group).where(membership.c.account == row.name)
    ).all()
    return _user(row, groups)


def list_users(connection: Connection) -> list[User]:
    """Return every user, by name."""
    groups: dict[str, list[str]] = {}
    for row in connection.execute(select(membership).order_by(membership.c.account)):
        groups.setdefault(row.account, []).append(row.group)
    return [
        _user(row, groups.get(row.name, ()))
        for row in connection.execute(select(account).order_by(account.c.name))
    ]


def set_password(connection: Connection, name: str, password_hash: str | None) -> None:
    """Set the password of a user, or take it away; UnknownUserError where there is none."""
    _change(connection, name, password_hash=password_hash)


def set_disabled(connection: Connection, name: str, *, is_disabled: bool) -> None:
    """Shut a user out, or let them in again; UnknownUserError where there is none."""
    _change(connection, name, is_disabled=is_disabled)


def join(connection: Connection, name: str, groups: Iterable[str]) -> None:
    """Put a user into groups; UnknownUserError where there is none."""
    user = require(connection, name)
    for group in sorted({canonical_name(group) for group in groups} - user.groups):
        connection.execute(insert(membership).values(account=user.name, group=group))


def leave(connection: Connection, name: str, groups: Iterable[str]) -> None:
    """Take a user out of groups; UnknownUserError where there is none."""
    user = require(connection, name)
    connection.execute(
        delete(membership).where(
            membership.c.account == user.name,
            membership.c.group.in_([canonical_name(group) for group in groups]),
        )
    )


def require(connection: Connection, name: str) -> User:
    """Return a user by name; UnknownUserError where there is none."""
    user = get(connection, name)
    if user is None:
        raise UnknownUserError(name)
    return user


def grant(connection: Connection, right: Right) -> None:
    """Give a right; one that is held already stays.

    Raises
    ------
    UnknownUserError
        When it is for a user that does not exist. A group exists by being named.
    """
    holder = canonical_name(right.holder.name)
    if right.holder.kind == "user":
        require(connection, holder)
    statement = insert_into(connection, process_right).values(
        process=right.process, kind=right.holder.kind, holder=holder
    )
    connection.execute(statement.on_conflict_do_nothing())


def revoke(connection: Connection, right: Right) -> bool:
    """Take a right away; return whether it was held."""
    gone = connection.execute(
        delete(process_right).where(
            process_right.c.process == right.process,
            process_right.c.kind == right.holder.kind,
            process_right.c.holder == canonical_name(right.holder.name),
        )
    )
    return bool(gone.rowcount)


def list_rights(connection: Connection) -> list[Right]:
    """Return every right, by process and holder."""
    rows = connection.execute(
        select(process_right).order_by(
            process_right.c.process, process_right.c.kind, process_right.c.holder
        )
    )
    return [Right(row.process, Holder(row.kind, row.holder)) for row in rows]


def processes_of(connection: Connection, name: str, groups: Iterable[str]) -> frozenset[str]:
    """Return the restricted processes that a user may order, by themselves or by their groups."""
    held_by_user = and_(process_right.c.kind == "user", process_right.c.holder == name)
    held_by_group = and_(
        process_right.c.kind == "group", process_right.c.holder.in_(sorted(groups))
    )
    return frozenset(
        connection.scalars(select(process_right.c.process).where(or_(held_by_user, held_by_group)))
    )


def _change(connection: Connection, name: str, **values: object) -> None:
    changed = connection.execute(
        update(account).where(account.c.name == name.lower()).values(**values)
    )
    if not changed.rowcount:
        raise UnknownUserError(name)


def _user(row: Any, groups: Iterable[str]) -> User:
    return User(
        name=row.name,
        created=from_us(row.created_us),
        password_hash=row.password_hash,
        is_operator=row.is_operator,
        is_disabled=row.is_disabled,
        groups=frozenset(groups),
    )
