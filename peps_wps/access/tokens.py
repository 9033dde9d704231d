"""Tokens: random text that stands for a user, of which the server keeps a digest only."""

import hashlib
import secrets
from datetime import timedelta

from catalog_db import times
from catalog_db.access import tokens
from catalog_db.access.tokens import Token
from catalog_db.engine import Engine

# Recognised by people and by scanners of leaked secrets; no password may begin so.
_PREFIX = "peps_"
# The label of those that clients fetch with their password.
FETCHED = "fetched"
_RANDOM_BYTES = 32  # 256 bits: nothing to guess, so a plain digest is enough


def is_token(text: str) -> bool:
    """Return whether a text looks like a token."""
    return text.startswith(_PREFIX)


def digest_of(text: str) -> str:
    """Return what is stored of a token: SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def issue(
    engine: Engine, user: str, *, label: str, lasts: timedelta, keep: int | None = None
) -> tuple[str, Token]:
    """Make a token for a user.

    Parameters
    ----------
    engine
        The database.
    user
        The name of the user, as stored.
    label
        What the token is for.
    lasts
        How long it holds.
    keep
        How many of this label the user has at most: the oldest go. None: no limit.

    Returns
    -------
    The text, which is nowhere else, and how lists show it.
    """
    text = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    now = times.now()
    issued = Token(secrets.token_hex(4), user, label, now, now + lasts)
    with engine.begin() as connection:
        tokens.add(connection, issued, digest_of(text))
        if keep is not None:
            tokens.trim(connection, user, label, keep=keep, now=now)
    return text, issued
