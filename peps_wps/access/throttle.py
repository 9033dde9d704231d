"""How many wrong passwords are borne: for a user from one place, from one place, for a user."""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from werkzeug import Request

from catalog_db import times
from catalog_db.access import login_attempts
from catalog_db.engine import Engine
from peps_wps.access.address import address_of
from peps_wps.errors import TooManyAttemptsError

WINDOW = timedelta(minutes=5)
# A person who mistypes; a place with many people behind one address; a user whom many places try.
# The last is high: others shall not be able to lock a user out by trying.
MOST_BY_BOTH = 10
MOST_BY_PLACE = 50
MOST_BY_USER = 200


@dataclass(frozen=True)
class Attempt:
    """One try of a password: for whom, and from where."""

    user: str
    place: str

    @property
    def limits(self) -> dict[str, int]:
        """What the attempt counts for, as digests, and how many failures each may have."""
        return {
            self.both: MOST_BY_BOTH,
            _digest("place", self.place): MOST_BY_PLACE,
            _digest("user", self.user): MOST_BY_USER,
        }

    @property
    def both(self) -> str:
        """The digest that stands for this user from this place."""
        return _digest("both", self.user, self.place)


def begin(engine: Engine, attempt: Attempt) -> None:
    """Count an attempt before the password is looked at.

    Raises
    ------
    TooManyAttemptsError
        When too many failed already; whether this one is right is not told.
    """
    now = times.now()
    with engine.begin() as connection:
        until = login_attempts.begin(connection, attempt.limits, now, WINDOW)
    if until is not None:
        raise TooManyAttemptsError(max(1.0, (until - now).total_seconds()))


def succeed(engine: Engine, attempt: Attempt) -> None:
    """Note that the password was right."""
    with engine.begin() as connection:
        login_attempts.succeed(connection, attempt.both, set(attempt.limits) - {attempt.both})


def place_of(request: Request, proxies: int) -> str:
    """Return where a request comes from: its address, of IPv6 the network of its site."""
    text = address_of(request, proxies)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
