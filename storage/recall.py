"""The recall engine: takes what is queued, drives the tape backend, publishes verified files.

The ledger is the truth. A recall is claimed with a lease that is renewed while it makes progress; a
service that dies loses it, and another one takes the recall over. A file appears in the pool by a
rename of verified bytes, then one transaction marks it ready, so that a crash between any two steps
leaves either a file nobody is told of, which the next attempt adopts, or a part nobody locks.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from uuid import uuid4

from storage.backend import TapeBackend
from storage.errors import (
    CorruptFileError,
    DriveBusyError,
    LeaseLostError,
    LedgerError,
    RecallStoppedError,
    StorageError,
)
from storage.eviction import victims
from storage.ledger import RecallLedger, ReplicaLedger
from storage.model import Batch, PendingRecall, StageState
from storage.outage import Outage
from storage.pool import Pool
from storage.scheduling import next_batch

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecallPolicy:
    """How patient the engine is.

    Parameters
    ----------
    max_attempts
        Attempts at a recall before it fails.
    backoff_s
        Mean pause after the first failed attempt; doubled after each further one. Seconds.
    lease_s
        A service silent for so long is held to be dead, seconds.
    max_wait_s
        Age from which a recall goes before all others, seconds.
    idle_s
        Time between two looks at the queue, seconds.
    error_pause_s
        Time between two looks when the ledger or the disk refused the first, seconds.
    batch_files
        Files claimed at once, so that another service gets some too.
    """

    max_attempts: int = 3
    backoff_s: float = 10.0
    lease_s: float = 30.0
    max_wait_s: float = 3600.0
    idle_s: float = 0.25
    error_pause_s: float = 2.0
    batch_files: int = 200


class RecallEngine:
    """Brings files from one tape backend to the pool.

    Parameters
    ----------
    recalls, replicas
        The ledgers.
    pool
        Where files go.
    backend
        Where they come from.
    service
        Name of this service in the ledger; unique among those running.
    policy
        How patient it is.
    clock
        Gives the time, UTC.
    rng
        Spreads the pauses, so that failed recalls do not come back together.
    """

    def __init__(
        self,
        recalls: RecallLedger,
        replicas: ReplicaLedger,
        pool: Pool,
        backend: TapeBackend,
        *,
        service: str,
        policy: RecallPolicy,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._recalls = recalls
        self._replicas = replicas
        self._pool = pool
        self.backend = backend
        self._service = service
        self.policy = policy
        self._clock = clock
        self._rng = rng

    def start(self) -> None:
        """Put right what a crash left: orphan parts, ready rows without a file, lost leases."""
        for orphan in self._pool.remove_orphans():
            logger.info("removed %s, which its writer left behind", orphan.name)
        for path, size_bytes in self._replicas.ready():
            if not self._pool.has_size(path, size_bytes):
                logger.warning("%s is not in the pool any more", path)
                self._replicas.forget(path)
        self.recover()

    def recover(self) -> None:
        """Queue again what services that died were recalling."""
        count = self._recalls.recover(self._clock(), self.policy.max_attempts)
        if count:
            logger.warning("took over %d recalls of services that died", count)

    def run(self, stop: Event) -> None:
        """Recall until told to stop; unfinished recalls are then queued again.

        A ledger or a disk that refuses is waited for.
        """
        running: set[Future[int]] = set()
        drives = self.backend.capabilities.drives
        put_right, next_time = self.start, time.monotonic()
        outage = Outage("the recall service", logger)
        with ThreadPoolExecutor(drives, "recall") as executor:
            while not stop.is_set():
                try:
                    if time.monotonic() >= next_time:
                        put_right()
                        put_right, next_time = self.recover, self._next_recovery()
                    batch = self._claim() if len(running) < drives else None
                except (LedgerError, OSError) as error:
                    outage.note(error)
                    stop.wait(self.policy.error_pause_s)
                    continue
                outage.over()
                if batch:
                    running.add(executor.submit(self._read, *batch, stop))
                    continue
                running = self._collect(running)
                stop.wait(self.policy.idle_s)

    def _next_recovery(self) -> float:
        return time.monotonic() + self.policy.lease_s / 2

    def run_once(self) -> int:
        """Read one batch to its end; return how many files became ready."""
        batch = self._claim()
        return self._read(*batch, Event()) if batch else 0

    def _collect(self, running: set[Future[int]]) -> set[Future[int]]:
        """Return the batches that go on; one that ended in an error is left to its lease."""
        done, rest = wait(running, timeout=0, return_when=FIRST_COMPLETED)
        for future in done:
            error = future.exception()
            if error is not None:
                logger.error("a batch was abandoned", exc_info=error)
        return rest

    def _claim(self) -> tuple[Batch, str] | None:
        """Take the best batch; None where there is nothing to read, no drive or no room."""
        drives = self.backend.drives()
        if all(drive.is_busy for drive in drives):
            return None
        now = self._clock()
        pending = self._those_with_room(self._recalls.pending(now), now)
        batch = next_batch(pending, drives, now, max_wait=self.policy.max_wait_s)
        if batch is None:
            return None
        owner = f"{self._service}/{uuid4().hex[:8]}"
        wanted = batch.recalls[: self.policy.batch_files]
        self._make_room(sum(recall.file.size_bytes for recall in wanted))
        claimed = self._recalls.claim(
            [recall.recall_id for recall in wanted], owner, now, self.policy.lease_s
        )
        return (replace(batch, recalls=tuple(claimed)), owner) if claimed else None

    def _those_with_room(
        self, pending: Sequence[PendingRecall], now: datetime
    ) -> Sequence[PendingRecall]:
        """Return the recalls that may be read: the urgent ones only, where not all find room.

        Else those that come and go could keep the pool full, and accepted work wait for ever.
        """
        urgent = [recall for recall in pending if recall.is_urgent]
        if not urgent or len(urgent) == len(pending):
            return pending
        missing = self._replicas.missing_room(sum(one.file.size_bytes for one in pending))
        if missing <= 0:
            return pending
        evictable = sum(replica.size_bytes for replica in self._replicas.evictable(now))
        return pending if missing <= evictable else urgent

    def _make_room(self, needed_bytes: int) -> None:
        """Evict what nobody pins; what finds no room even so stays in the queue."""
        missing = self._replicas.missing_room(needed_bytes)
        if missing > 0:
            now = self._clock()
            chosen = victims(self._replicas.evictable(now), missing)
            paths = [replica.path for replica in chosen]
            count = self._replicas.evict(paths, self._pool.remove, now)
            if count:
                logger.info("evicted %d files for the room they took", count)

    def _read(self, batch: Batch, owner: str, stop: Event) -> int:
        """Read a claimed batch; return how many of its files became ready."""
        reading = _BatchReading(self, batch, owner, stop)
        try:
            return reading.run()
        finally:
            reading.give_back_rest()

    def adopt(self, recall: PendingRecall, owner: str) -> bool:
        """Take a file that an earlier attempt published but could not mark ready."""
        if not self._pool.holds(recall.file):
            return False
        self._complete(recall, owner)
        return True

    def receive(
        self, handle: str, recall: PendingRecall, owner: str, beat: Callable[[int], None]
    ) -> None:
        """Fetch a staged file, verify it, publish it, mark it ready."""
        file = recall.file
        with self._pool.part(f"{recall.recall_id}-{recall.attempt}") as part:

            def write(chunk: memoryview) -> None:
                if part.size_bytes + len(chunk) > file.size_bytes:
                    raise CorruptFileError(f"more than the expected {file.size_bytes} bytes arrive")
                part.write(chunk)
                beat(part.size_bytes)

            self.backend.fetch(handle, file, write)
            part.verify(file.size_bytes, file.checksum)
            part.publish(self._pool.path(file.path))
        self._complete(recall, owner)

    def _complete(self, recall: PendingRecall, owner: str) -> None:
        now = self._clock()
        if not self._recalls.complete(recall.recall_id, owner, now):
            if self._replicas.discard(recall.file.path, self._pool.remove):
                logger.info("removed %s, which nobody waits for any more", recall.file.path)
            raise LeaseLostError(f"the lease of recall {recall.recall_id} was lost")
        waited_s = (now - recall.created).total_seconds()
        logger.info("recalled %s, asked for %.1f s ago", recall.file.path, waited_s)

    def failed(self, recall: PendingRecall, owner: str, error: str) -> None:
        """Queue the recall for another attempt, or give up after the last one."""
        now = self._clock()
        if recall.attempt >= self.policy.max_attempts:
            sentence = f"recall of {recall.file.path} failed {recall.attempt} times: {error}"
            logger.error("%s", sentence)
            self._recalls.fail(recall.recall_id, owner, sentence, now)
            return
        pause_s = self.policy.backoff_s * 2 ** (recall.attempt - 1) * self._rng.uniform(0.5, 1.5)
        logger.warning("recall of %s failed, again in %.1f s: %s", recall.file.path, pause_s, error)
        self._recalls.retry(recall.recall_id, owner, now + timedelta(seconds=pause_s), error)

    def renew(self, owner: str, bytes_done: dict[int, int]) -> set[int]:
        """Prolong the lease; return the recalls that are still ours."""
        return self._recalls.renew(owner, bytes_done, self._clock(), self.policy.lease_s)

    def give_back(self, recalls: Iterable[PendingRecall], owner: str, pause_s: float) -> None:
        """Queue recalls again that were not tried."""
        not_before = self._clock() + timedelta(seconds=pause_s)
        self._recalls.give_back([recall.recall_id for recall in recalls], owner, not_before)


class _BatchReading:
    """One claimed batch on its way from tape to pool."""

    def __init__(self, engine: RecallEngine, batch: Batch, owner: str, stop: Event) -> None:
        self._engine = engine
        self._backend = engine.backend
        self._lease_s = engine.policy.lease_s
        self._batch = batch
        self._owner = owner
        self._stop = stop
        self._waiting = {recall.recall_id: recall for recall in batch.recalls}
        self._bytes_done: dict[int, int] = {}
        self._next_beat = 0.0
        self._pause_s = 0.0

    def run(self) -> int:
        """Read the batch; return how many of its files became ready."""
        count = self._adopt_published()
        files = [recall.file for recall in self._waiting.values()]
        if not files or self._stop.is_set():
            return count
        try:
            ordered = self._backend.order(self._batch.drive, files)
            handle = self._backend.submit(self._batch.drive, ordered)
        except DriveBusyError:
            self._pause_s = self._engine.policy.idle_s
            return count
        try:
            while self._waiting and not self._stop.is_set():
                ready = self._take_staged(handle)
                count += ready
                if not ready:
                    self._stop.wait(self._backend.capabilities.poll_s)
        except RecallStoppedError:
            logger.info("stopped with %d recalls unfinished", len(self._waiting))
        finally:
            self._backend.release(handle)
        return count

    def give_back_rest(self) -> None:
        """Queue again what was not read."""
        if self._waiting:
            self._engine.give_back(self._waiting.values(), self._owner, self._pause_s)

    def _adopt_published(self) -> int:
        adopted = 0
        for recall in list(self._waiting.values()):
            self._beat_if_held(recall, 0)
            if recall.recall_id in self._waiting and self._engine.adopt(recall, self._owner):
                del self._waiting[recall.recall_id]
                adopted += 1
        return adopted

    def _take_staged(self, handle: str) -> int:
        """Fetch what the backend has staged since the last look; return how many came."""
        states = self._backend.poll(handle)
        count = 0
        for recall in list(self._waiting.values()):
            status = states[recall.file.path]
            self._beat_if_held(recall, status.bytes_done)
            if recall.recall_id not in self._waiting:
                continue
            if status.state is StageState.STAGED:
                count += self._receive(handle, recall)
            elif status.state is StageState.FAILED:
                del self._waiting[recall.recall_id]
                self._engine.failed(recall, self._owner, str(status.error))
        return count

    def _receive(self, handle: str, recall: PendingRecall) -> int:
        """Fetch one file; return 1 when it became ready."""
        try:
            self._engine.receive(
                handle, recall, self._owner, lambda done: self._note_bytes(recall, done)
            )
        except (RecallStoppedError, LedgerError):
            raise
        except LeaseLostError as error:
            logger.info("%s", error)
        except StorageError as error:
            self._engine.failed(recall, self._owner, str(error))
        except OSError as error:  # whose own text names places that no client need know
            logger.warning("recall of %s: %s", recall.file.path, error)
            reason = f"a file could not be read or written: {error.strerror or 'no reason given'}"
            self._engine.failed(recall, self._owner, reason)
        else:
            del self._waiting[recall.recall_id]
            return 1
        self._waiting.pop(recall.recall_id, None)
        return 0

    def _note_bytes(self, recall: PendingRecall, bytes_done: int) -> None:
        """Note bytes that arrived, unless they are not wanted any more."""
        if self._stop.is_set():
            raise RecallStoppedError(f"recall {recall.recall_id} was stopped")
        self._beat(recall, bytes_done)

    def _beat_if_held(self, recall: PendingRecall, bytes_done: int) -> None:
        """Note progress; drop the recall if it was cancelled."""
        try:
            self._beat(recall, bytes_done)
        except LeaseLostError as error:
            logger.info("%s", error)

    def _beat(self, recall: PendingRecall, bytes_done: int) -> None:
        """Note progress, now and then in the ledger; `LeaseLostError` when it is no longer ours."""
        self._bytes_done[recall.recall_id] = bytes_done
        if time.monotonic() >= self._next_beat:
            progress = {key: self._bytes_done.get(key, 0) for key in self._waiting}
            held = self._engine.renew(self._owner, progress)
            self._next_beat = time.monotonic() + min(1.0, self._lease_s / 4)
            self._waiting = {key: one for key, one in self._waiting.items() if key in held}
        if recall.recall_id not in self._waiting:
            raise LeaseLostError(f"recall {recall.recall_id} was cancelled or taken over")
