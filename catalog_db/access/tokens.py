"""Tokens: what a user shows instead of a password, until it expires or is revoked.

Only the digest of a token is stored: who reads the table holds none of them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from catalog_db.tables import token
from catalog_db.times import from_us, to_us


@dataclass(frozen=True)
class Token:
    """A token as lists show it: what it is for, and until when it holds."""

    id: str
    user: str
    label: str
    created: datetime
    expires: datetime


def add(connection: Connection, issued: Token, digest: str) -> None:
    """Store a token; `digest` is the SHA-256 of its text, in hexadecimal."""
    connection.execute(
        insert(token).values(
            id=issued.id,
            digest=digest,
            account=issued.user,
            label=issued.label,
            created_us=to_us(issued.created),
            expires_us=to_us(issued.expires),
        )
    )


def owner(connection: Connection, digest: str, now: datetime) -> str | None:
    """Return whose token this is; None when it is nobody's, has expired or was revoked."""
    return connection.scalar(
        select(token.c.account).where(token.c.digest == digest, token.c.expires_us > to_us(now))
    )


def list_tokens(connection: Connection, user: str | None = None) -> list[Token]:
    """Return the tokens of a user, or of all, the newest first; expired ones are among them."""
    statement = select(token).order_by(token.c.created_us.desc(), token.c.id)
    if user is not None:
        statement = statement.where(token.c.account == user.lower())
    return [
        Token(row.id, row.account, row.label, from_us(row.created_us), from_us(row.expires_us))
        for row in connection.execute(statement)
    ]


def revoke(connection: Connection, user: str, token_id: str) -> bool:
    """End a token of a user; return whether there was one."""
    gone = connection.execute(
        delete(token).where(token.c.id == token_id, token.c.account == user.lower())
    )
    return bool(gone.rowcount)


def revoke_labelled(connection: Connection, user: str, label: str) -> int:
    """End every token of a user under a label; return how many there were."""
    return connection.execute(
        delete(token).where(token.c.account == user.lower(), token.c.label == label)
    ).rowcount


def trim(connection: Connection, user: str, label: str, *, keep: int, now: datetime) -> None:
    """Remove the expired tokens of everybody, and all but the newest of a user's under a label."""
    connection.execute(delete(token).where(token.c.expires_us <= to_us(now)))
    surplus = (
        select(token.c.id)
        .where(token.c.account == user, token.c.label == label)
        .order_by(token.c.created_us.desc(), token.c.id)
        .offset(keep)
        .limit(None)
    )
    connection.execute(delete(token).where(token.c.id.in_(connection.scalars(surplus).all())))
