"""The ledgers of the recall engine, kept in the catalogue database: one transaction a method."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from catalog_db import times
from catalog_db.archive import recalls, replicas
from catalog_db.engine import Connection, Engine
from catalog_db.processing.job_queue import DatabaseError
from storage.errors import LedgerError, ProductWithdrawnError
from storage.model import ArchiveFile, PendingRecall, Replica


class RecallRows:
    """`storage.ledger.RecallLedger` over the table of recalls.

    Parameters
    ----------
    engine
        The catalogue database.
    backend
        Name of the tape backend that is served.
    budget_bytes
        Size of the disk pool.
    """

    def __init__(self, engine: Engine, *, backend: str, budget_bytes: int) -> None:
        self._engine = engine
        self._backend = backend
        self._budget_bytes = budget_bytes

    def pending(self, now: datetime) -> Sequence[PendingRecall]:
        """Return the recalls that may be started now; those of withdrawn products fail here."""
        with _reading(self._engine) as connection:
            withdrawn = recalls.withdrawn_recalls(connection)
            rows = recalls.pending_recalls(connection, self._backend, now)
        if not withdrawn:
            return [_pending(row) for row in rows]
        with _writing(self._engine) as connection:
            for recall_id, title in withdrawn:
                sentence = str(ProductWithdrawnError(title))
                recalls.fail_recall(connection, recall_id, None, sentence, now)
        gone = {recall_id for recall_id, _title in withdrawn}
        return [_pending(row) for row in rows if row.id not in gone]

    def claim(
        self, recall_ids: Sequence[int], owner: str, now: datetime, lease_s: float
    ) -> Sequence[PendingRecall]:
        """Take those still queued that have room in the pool."""
        with _writing(self._engine) as connection:
            rows = recalls.claim_recalls(
                connection,
                recall_ids,
                owner,
                budget_bytes=self._budget_bytes,
                now=now,
                lease_s=lease_s,
            )
        return [_pending(row) for row in rows]

    def renew(
        self, owner: str, bytes_done: Mapping[int, int], now: datetime, lease_s: float
    ) -> set[int]:
        """Note progress, prolong the lease; return the recalls that the owner still holds."""
        with _writing(self._engine) as connection:
            return recalls.renew_leases(connection, owner, bytes_done, now=now, lease_s=lease_s)

    def complete(self, recall_id: int, owner: str, now: datetime) -> bool:
        """Mark the file ready and pin it for all who wait; False when the lease was lost."""
        with _writing(self._engine) as connection:
            return recalls.complete_recall(connection, recall_id, owner, now)

    def give_back(self, recall_ids: Sequence[int], owner: str, not_before: datetime) -> None:
        """Queue recalls again that were claimed and not tried."""
        with _writing(self._engine) as connection:
            recalls.requeue_recalls(connection, recall_ids, owner, not_before=not_before)

    def retry(self, recall_id: int, owner: str, not_before: datetime, error: str) -> None:
        """Queue a recall again after a failed attempt."""
        with _writing(self._engine) as connection:
            recalls.requeue_recalls(
                connection, [recall_id], owner, not_before=not_before, error=error
            )

    def fail(self, recall_id: int, owner: str, error: str, now: datetime) -> None:
        """Give up: all who wait are told the reason."""
        with _writing(self._engine) as connection:
            recalls.fail_recall(connection, recall_id, owner, error, now)

    def recover(self, now: datetime, max_attempts: int) -> int:
        """Take the recalls of lost services; writes only where there are any."""
        with _reading(self._engine) as connection:
            if not recalls.has_lost_recalls(connection, now):
                return 0
        with _writing(self._engine) as connection:
            return recalls.recover_recalls(connection, now, max_attempts)


class ReplicaRows:
    """`storage.ledger.ReplicaLedger` over the table of replicas.

    Parameters
    ----------
    engine
        The catalogue database.
    budget_bytes
        Size of the disk pool.
    """

    def __init__(self, engine: Engine, *, budget_bytes: int) -> None:
        self._engine = engine
        self._budget_bytes = budget_bytes

    def ready(self) -> Iterable[tuple[str, int]]:
        """Return archive path and size of every ready replica."""
        with _reading(self._engine) as connection:
            return replicas.ready_replicas(connection)

    def forget(self, path: str) -> None:
        """Note that the pool does not hold the file."""
        with _writing(self._engine) as connection:
            replicas.forget_replica(connection, path, times.now())

    def missing_room(self, needed_bytes: int) -> int:
        """Return how many of the bytes have no room in the pool, 0 where all have."""
        with _reading(self._engine) as connection:
            used = recalls.pool_bytes(connection)
        return max(0, used + needed_bytes - self._budget_bytes)

    def evictable(self, now: datetime) -> Sequence[Replica]:
        """Return the files that nobody pins and that can be recalled again."""
        with _reading(self._engine) as connection:
            rows = replicas.evictable_replicas(connection, now)
        return [Replica(row.path, row.size_bytes, row.last_access, row.hits) for row in rows]

    def evict(self, paths: Sequence[str], remove: Callable[[str], None], now: datetime) -> int:
        """Remove those still evictable, file and row at one stroke; return how many."""
        if not paths:
            return 0
        with _writing(self._engine) as connection:
            removed = replicas.remove_replicas(connection, paths, now)
            for path in removed:
                remove(path)
        return len(removed)

    def discard(self, path: str, remove: Callable[[str], None]) -> bool:
        """Remove a file of which no replica is known or on its way; tell whether it was one."""
        with _writing(self._engine) as connection:
            is_orphan = replicas.is_orphan(connection, path)
            if is_orphan:
                remove(path)
        return is_orphan


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """Give a snapshot to read."""
    try:
        with engine.connect() as connection:
            yield connection
    except DatabaseError as error:
        raise LedgerError("the database does not answer") from error


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    """Give a write transaction, committed at its end."""
    try:
        with engine.begin() as connection:
            yield connection
    except DatabaseError as error:
        raise LedgerError("the database does not answer") from error


def _pending(row: recalls.RecallRow) -> PendingRecall:
    file = ArchiveFile(
        row.path,
        row.size_bytes,
        row.checksum_algorithm,
        row.checksum,
        row.backend,
        row.tape,
        row.position,
    )
    return PendingRecall(row.id, file, row.created, row.attempt, row.demand, row.is_urgent)
