"""Keeps the pool within its budget and in agreement with its ledger.

An eviction is three steps: the ledger says that the files are being removed, each is unlinked, its
row goes. After a crash between any two whoever comes next finishes it. Files that somebody has open
are passed over: readers hold a lock on what they read, which the kernel drops with them.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from storage.eviction import EvictionPolicy, victims
from storage.ledger import ReplicaLedger
from storage.model import Replica
from storage.pool import Pool

logger = logging.getLogger(__name__)

# A file that is neither known nor being brought after so long has been forgotten by a crash.
GRACE_S = 3600.0
_SWEPT_AT_ONCE = 500


class PoolKeeper:
    """Makes room in the pool and puts right what crashes leave there.

    Parameters
    ----------
    replicas
        The ledger.
    pool
        The files.
    eviction
        What goes first.
    clock
        Gives the time, UTC.
    """

    def __init__(
        self,
        replicas: ReplicaLedger,
        pool: Pool,
        *,
        eviction: EvictionPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._replicas = replicas
        self._pool = pool
        self._eviction = eviction
        self._clock = clock

    def missing_room(self, needed_bytes: int) -> int:
        """Return how many of the bytes have no room in the pool, nor would after all evictions."""
        missing = self._replicas.missing_room(needed_bytes)
        if missing <= 0:
            return 0
        evictable = sum(replica.size_bytes for replica in self._replicas.evictable(self._clock()))
        return max(0, missing - evictable)

    def make_room(self, needed_bytes: int) -> None:
        """Evict files that nobody pins or reads until so much room is free, or none is left."""
        missing = self._replicas.missing_room(needed_bytes)
        if missing <= 0:
            return
        now = self._clock()
        chosen = self._unread_victims(self._replicas.evictable(now), missing)
        if not chosen:
            return
        condemned = self._replicas.condemn(chosen, now)
        for path in condemned:
            self.discard(path)
        logger.info("evicted %d files for the room they took", len(condemned))

    def _unread_victims(self, replicas: Sequence[Replica], needed_bytes: int) -> Sequence[Replica]:
        """Choose what goes, without files that somebody has open."""
        opened: set[str] = set()
        while True:
            candidates = [replica for replica in replicas if replica.path not in opened]
            chosen = victims(candidates, needed_bytes, self._eviction)
            found = {replica.path for replica in chosen if self._pool.is_open(replica.path)}
            if not found:
                return chosen
            opened |= found

    def discard(self, path: str) -> bool:
        """Remove a file that the pool should not hold, and free its room; tell whether."""
        return self._replicas.discard(path, self._pool.remove)

    def put_right(self) -> None:
        """Bring files and rows into agreement, as after a crash or after somebody's hand."""
        for orphan in self._pool.remove_orphans():
            logger.info("removed %s, which its writer left behind", orphan.name)
        for path, size_bytes in self._replicas.ready():
            if not self._pool.has_size(path, size_bytes):
                logger.warning("%s is not in the pool any more", path)
                self._replicas.forget(path)

    def find_lost(self) -> None:
        """Take back only copies that were missing: the disk that holds them was away, perhaps."""
        for path, size_bytes in self._replicas.lost():
            if self._pool.has_size(path, size_bytes):
                logger.warning("%s is in the pool again", path)
                self._replicas.found(path)

    def finish_removals(self, patience_s: float) -> None:
        """Finish what was being removed by somebody who has not been heard of for so long."""
        for path in self._replicas.condemned(self._clock() - timedelta(seconds=patience_s)):
            if self.discard(path):
                logger.info("removed %s, as its eviction had begun", path)

    def sweep(self) -> None:
        """Remove files that came from a backend and that no row tells of, an hour old at least."""
        paths = self._pool.older_than(GRACE_S)
        for begin in range(0, len(paths), _SWEPT_AT_ONCE):
            for path in self._replicas.without_replica(paths[begin : begin + _SWEPT_AT_ONCE]):
                if self.discard(path):
                    logger.info("removed %s, which nobody knew of", path)
