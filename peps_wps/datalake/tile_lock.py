"""One at a time on a tile: a lease in the database, held from any process on any machine."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from catalog_db import times
from catalog_db.datalake import leases
from catalog_db.engine import Engine
from catalog_db.patience import patiently
from peps_wps.datalake.errors import LeaseLostError, TileLockedError

logger = logging.getLogger(__name__)

PAUSE_S = 1.0

# Told who holds the lock, each time that it is found held.
Waiting = Callable[[str], None]


@dataclass(frozen=True)
class LeaseTerms:
    """How long a lease holds without being renewed, and how often it is: seconds."""

    lease_s: float = 30.0
    renewal_s: float = 5.0


class Lease:
    """A lock that is held, and renewed by a thread as long as it is."""

    def __init__(self, engine: Engine, key: str, terms: LeaseTerms) -> None:
        self.key = key
        self._engine = engine
        self._terms = terms
        self._id = str(uuid.uuid4())
        self._ended = threading.Event()
        self._holds_until = 0.0
        self._is_lost = False
        self._thread = threading.Thread(target=self._renew, name=f"lease {key}", daemon=True)

    def check(self) -> None:
        """Raise `LeaseLostError` unless the lease holds: called before what only one may do."""
        if self._is_lost or time.monotonic() > self._holds_until:
            raise LeaseLostError(self.key)

    def take(self, holder: str) -> bool:
        """Take the lease if it is free; return whether it is ours."""
        asked = time.monotonic()
        now = times.now()
        until = now + timedelta(seconds=self._terms.lease_s)
        with self._engine.begin() as connection:
            taken = leases.take(
                connection, self.key, holder=holder, lease=self._id, now=now, until=until
            )
        if taken:
            self._holds_until = asked + self._terms.lease_s
            self._thread.start()
        return taken

    def release(self) -> None:
        """Give the lease back, whether it holds or was lost."""
        self._ended.set()
        self._thread.join()

        def give_back() -> None:
            with self._engine.begin() as connection:
                leases.release(connection, self.key, self._id)

        patiently(give_back, patience_s=self._terms.lease_s)

    def _renew(self) -> None:
        while not self._ended.wait(self._terms.renewal_s):
            asked = time.monotonic()
            if not patiently(self._renewed, patience_s=self._terms.lease_s):
                logger.warning("the lease of %s was taken over", self.key)
                self._is_lost = True
                return
            self._holds_until = asked + self._terms.lease_s

    def _renewed(self) -> bool:
        until = times.now() + timedelta(seconds=self._terms.lease_s)
        with self._engine.begin() as connection:
            return leases.renew(connection, self.key, self._id, until)


@contextmanager
def tile_lock(
    engine: Engine,
    key: str,
    holder: str,
    *,
    patience_s: float,
    waiting: Waiting = lambda _holder: None,
    terms: LeaseTerms = LeaseTerms(),
    pause_s: float = PAUSE_S,
) -> Iterator[Lease]:
    """Hold a lock, waiting for it if need be.

    One whose holder has died is taken over when its lease has run out; `Lease.check` then fails for
    a holder that was only away.

    Parameters
    ----------
    key
        What is locked: ``S1-L1-ORTHO/31TGL``.
    holder
        Who, for people: the job and its task.
    patience_s
        How long to wait for another holder.
    waiting
        Told the holder at each look.

    Raises
    ------
    TileLockedError
        When another holds it all the time.
    """
    lease = Lease(engine, key, terms)
    deadline = time.monotonic() + patience_s
    while not lease.take(holder):
        other = _holder(engine, key)
        waiting(other)
        if time.monotonic() + pause_s > deadline:
            raise TileLockedError(key, other)
        time.sleep(pause_s)
    try:
        yield lease
    finally:
        lease.release()


def _holder(engine: Engine, key: str) -> str:
    with engine.connect() as connection:
        return leases.holders(connection, times.now()).get(key, "another that has just ended")
