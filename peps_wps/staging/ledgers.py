"""The ledgers of the recall engine, kept in the catalogue database: one transaction a method."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from catalog_db import counters, times
from catalog_db.archive import claims, ended, recalls, replicas, requests, shares, staging
from catalog_db.engine import Connection, Engine
from catalog_db.processing.job_queue import DatabaseError
from peps_wps.staging.products import archive_file
from storage.errors import LedgerError, ProductWithdrawnError
from storage.eviction import inflation_after
from storage.model import PendingRecall, Replica

# Of what is forgotten at one look: recalls go on meanwhile.
_BATCHES_AT_ONCE = 50


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
    kept
        How long after their end requests and recalls are told of.
    """

    def __init__(self, engine: Engine, *, backend: str, budget_bytes: int, kept: timedelta) -> None:
        self._engine = engine
        self._kept = kept
        self._backend = backend
        self._budget_bytes = budget_bytes
        # Of the last look at the queue: thousands wait long, and few of them change.
        self._seen: Mapping[int, tuple[recalls.RecallRow, PendingRecall]] = {}

    def keep_up(self, now: datetime) -> None:
        """Let time pass: deadlines, ends of pins, products that were withdrawn."""
        with _reading(self._engine) as connection:
            withdrawn = recalls.withdrawn_recalls(connection)
            is_overdue = requests.has_overdue(connection, now)
        if not withdrawn and not is_overdue:
            return
        with _writing(self._engine) as connection:
            for recall_id, title in withdrawn:
                sentence = str(ProductWithdrawnError(title))
                claims.fail_recall(connection, recall_id, None, sentence, now)
            requests.end_overdue(connection, now)

    def pending(self, now: datetime) -> Sequence[PendingRecall]:
        """Return the recalls that may be started now."""
        with _reading(self._engine) as connection:
            rows = recalls.pending_recalls(connection, self._backend, now)
            found = self._with_files(connection, rows)
        self._seen = {row.id: (row, one) for row, one in zip(rows, found, strict=True)}
        return found

    def served_bytes(self, now: datetime) -> Mapping[str, int]:
        """Return what was recalled lately for each user, what is on its way included."""
        with _reading(self._engine) as connection:
            return shares.served_bytes(connection, now)

    def claim(
        self, recall_ids: Sequence[int], owner: str, now: datetime, lease_s: float
    ) -> Sequence[PendingRecall]:
        """Take those still queued that have room in the pool."""
        with _writing(self._engine) as connection:
            rows = claims.claim_recalls(
                connection,
                recall_ids,
                owner,
                budget_bytes=self._budget_bytes,
                now=now,
                lease_s=lease_s,
            )
            return self._with_files(connection, rows)

    def renew(
        self, owner: str, bytes_done: Mapping[int, int], now: datetime, lease_s: float
    ) -> set[int]:
        """Note progress, prolong the lease; return the recalls that the owner still holds."""
        with _writing(self._engine) as connection:
            return claims.renew_leases(connection, owner, bytes_done, now=now, lease_s=lease_s)

    def complete(self, recall_id: int, owner: str, now: datetime) -> bool:
        """Mark the file ready and pin it for all who wait; False when the lease was lost."""
        with _writing(self._engine) as connection:
            return claims.complete_recall(connection, recall_id, owner, now)

    def give_back(
        self,
        recall_ids: Sequence[int],
        owner: str,
        not_before: datetime,
        reason: str | None = None,
    ) -> None:
        """Queue recalls again that were not tried, or failed through no fault of their files."""
        with _writing(self._engine) as connection:
            claims.requeue_recalls(
                connection,
                recall_ids,
                owner,
                now=times.now(),
                not_before=not_before,
                reason=reason,
            )

    def retry(self, recall_id: int, owner: str, not_before: datetime, error: str) -> None:
        """Queue a recall again after a failed attempt."""
        with _writing(self._engine) as connection:
            claims.requeue_recalls(
                connection,
                [recall_id],
                owner,
                now=times.now(),
                not_before=not_before,
                reason=error,
                is_counted=True,
            )

    def fail(self, recall_id: int, owner: str, error: str, now: datetime) -> None:
        """Give up: all who wait are told the reason."""
        with _writing(self._engine) as connection:
            claims.fail_recall(connection, recall_id, owner, error, now)

    def recover(self, now: datetime, max_attempts: int) -> int:
        """Take the recalls of lost services; writes only where there are any."""
        with _reading(self._engine) as connection:
            if not claims.has_lost_recalls(connection, now):
                return 0
        with _writing(self._engine) as connection:
            return claims.recover_recalls(connection, now, max_attempts)

    def cut_distant_times(self, lease_end: datetime, pause_end: datetime) -> None:
        """Have no lease and no pause end later than these; writes only where one does."""
        with _reading(self._engine) as connection:
            if not claims.has_distant_times(connection, lease_end, pause_end):
                return
        with _writing(self._engine) as connection:
            claims.cut_distant_times(connection, lease_end, pause_end)

    def forget_ended(self, now: datetime) -> None:
        """Forget what ended long ago, some of it in each transaction."""
        for _ in range(_BATCHES_AT_ONCE):
            with _writing(self._engine) as connection:
                if not ended.forget_ended(connection, now, now - self._kept):
                    return

    def note_corrupt(self) -> None:
        """Count a file whose bytes were not those archived."""
        self._count({(counters.CHECKSUM_FAILURES, "recall"): 1})

    def note_drive(self, busy_s: float, mounts: int) -> None:
        """Count how long a drive was at work for a batch, and what was mounted for it."""
        busy_us = round(busy_s * 1e6)
        self._count(
            {
                (counters.DRIVE_BUSY_US, self._backend): busy_us,
                (counters.MOUNTS, self._backend): mounts,
            }
        )

    def _with_files(
        self, connection: Connection, rows: Sequence[recalls.RecallRow]
    ) -> list[PendingRecall]:
        """Return recalls with their files: as they were seen, where nothing of them changed."""
        seen = self._seen
        new = [row for row in rows if row.id not in seen or seen[row.id][0] != row]
        files = {
            row.id: archive_file(row)
            for row in staging.files(connection, [row.file for row in new])
        }
        made = {
            row.id: PendingRecall(
                row.id,
                files[row.file],
                row.created,
                row.attempt,
                row.demand,
                row.is_urgent,
                row.users,
            )
            for row in new
        }
        return [made.get(row.id) or seen[row.id][1] for row in rows]

    def _count(self, amounts: counters.Amounts) -> None:
        with _writing(self._engine) as connection:
            counters.add(connection, amounts, times.now())


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
        """Note that the pool does not hold the file, for now if there is no other copy of it."""
        with _writing(self._engine) as connection:
            replicas.forget_replica(connection, path, times.now())

    def lost(self) -> Iterable[tuple[str, int]]:
        """Return archive path and size of the only copies that were forgotten."""
        with _reading(self._engine) as connection:
            return replicas.lost_replicas(connection)

    def found(self, path: str) -> None:
        """Note that the pool holds an only copy again."""
        with _writing(self._engine) as connection:
            replicas.note_found(connection, path)

    def missing_room(self, needed_bytes: int) -> int:
        """Return how many of the bytes have no room in the pool, 0 where all have."""
        with _reading(self._engine) as connection:
            used = replicas.pool_bytes(connection)
        return max(0, used + needed_bytes - self._budget_bytes)

    def evictable(self, now: datetime) -> Sequence[Replica]:
        """Return the files that nobody pins and that can be recalled again."""
        with _reading(self._engine) as connection:
            rows = replicas.evictable_replicas(connection, now)
        return [
            Replica(row.path, row.size_bytes, row.last_access, row.hits, row.inflation)
            for row in rows
        ]

    def condemn(self, chosen: Sequence[Replica], now: datetime) -> Sequence[str]:
        """Say of those still evictable that they are being removed; the pool's inflation rises."""
        with _writing(self._engine) as connection:
            paths = replicas.condemn_replicas(connection, [one.path for one in chosen], now)
            going = [replica for replica in chosen if replica.path in set(paths)]
            before = replicas.inflation(connection)
            replicas.inflate(connection, inflation_after(before, going))
        return paths

    def condemned(self, before: datetime) -> Sequence[str]:
        """Return what has been left half removed since before an instant."""
        with _reading(self._engine) as connection:
            return replicas.condemned_replicas(connection, before)

    def discard(self, path: str, remove: Callable[[str], None]) -> bool:
        """Remove a file that is condemned or has no replica, and free its room; tell whether.

        The file goes before the commit: no recall can bring it back in between, and after a crash
        the row still says what is to be done.
        """
        with _writing(self._engine) as connection:
            has_no_place = replicas.has_no_place(connection, path)
            if has_no_place:
                remove(path)
                replicas.discard_replica(connection, path)
        return has_no_place

    def without_replica(self, paths: Sequence[str]) -> Sequence[str]:
        """Return which of these files came from a backend and are none of the pool's."""
        with _reading(self._engine) as connection:
            return replicas.without_row(connection, paths)


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
