"""Passwords: Argon2id hashes, and checks whose cost is bounded.

A check takes tens of milliseconds and 19 MiB by intention. A client that polls sends its password
each time, so one that was right a moment ago is recognised by a keyed digest, in memory only.
"""

import hashlib
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from peps_wps.access.tokens import is_token
from peps_wps.errors import PepsError

SHORTEST = 10
LONGEST = 256

_REMEMBERED_S = 300.0
_REMEMBERED = 1024
# Checks at once in a process: they shall not take all processors and memory from everybody else.
_AT_ONCE = 2
_PATIENCE_S = 5.0

# Argon2id (RFC 9106) with what the OWASP Password Storage Cheat Sheet recommends at least: 19 MiB,
# 2 passes, 1 lane. RFC 9106 section 4 would take 64 MiB and 4 lanes for each login.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class PasswordError(PepsError):
    """A password that nobody should have; the sentence says why."""


class BusyError(PepsError):
    """Too many passwords are being checked at once."""


def hash_password(password: str) -> str:
    """Return the hash of a new password.

    Raises
    ------
    PasswordError
        When it is too short, too long or looks like a token.
    """
    normal = _normal(password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise PasswordError(f"a password has {SHORTEST} to {LONGEST} characters, not {len(normal)}")
    if is_token(normal):
        raise PasswordError("a password does not begin like a token")
    return _HASHER.hash(normal)


class PasswordCheck:
    """Checks passwords against hashes, the same amount of work whether there is one or not."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        # Of a password that nobody has: a name that nobody has costs as much as another.
        self._nobody = _HASHER.hash(secrets.token_urlsafe(32))

    def remembers(self, password: str, stored: str) -> bool:
        """Return whether this password was right for this hash within the last minutes."""
        digest = self._digest(password, stored)
        with self._lock:
            until = self._remembered.get(digest, 0.0)
        return time.monotonic() < until

    def is_right(self, password: str, stored: str | None) -> bool:
        """Return whether a password belongs to a hash; without a hash it does not, after as long.

        Raises
        ------
        BusyError
            When so many are checked at once that this one waited too long.
        """
        if len(password) > LONGEST:
            return False
        if not self._slots.acquire(timeout=_PATIENCE_S):
            raise BusyError("too many passwords are being checked at once")
        try:
            _HASHER.verify(stored or self._nobody, _normal(password))
        except VerificationError:
            return False
        finally:
            self._slots.release()
        if stored is None:
            return False
        self._remember(self._digest(password, stored))
        return True

    def _remember(self, digest: bytes) -> None:
        with self._lock:
            self._remembered[digest] = time.monotonic() + _REMEMBERED_S
            self._remembered.move_to_end(digest)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)

    def _digest(self, password: str, stored: str) -> bytes:
        """Return what stands for a right password; a new hash of the user makes it another."""
        text = f"{stored}\0{password}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


def _normal(password: str) -> str:
    """Return a password as one spelling of Unicode: keyboards differ (RFC 8265, section 4.2)."""
    return unicodedata.normalize("NFC", password)
