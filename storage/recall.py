"""The recall engine: takes what is queued, drives the tape backend, publishes verified files.

The ledger is the truth. A recall is claimed with a lease that is renewed while it makes progress; a
service that dies loses it, and another one takes the recall over. A file appears in the pool by a
rename of verified bytes, then one transaction marks it ready, so that a crash between any two steps
leaves either a file nobody is told of, which the next attempt adopts, or a part nobody locks.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from uuid import uuid4

from storage.backend import TapeBackend
from storage.batch_reading import BatchReading
from storage.delivery import Delivery
from storage.errors import LedgerError, TapeUnavailableError
from storage.lateness import Lateness
from storage.ledger import RecallLedger, ReplicaLedger
from storage.model import PendingRecall
from storage.outage import Outage
from storage.pool import Pool
from storage.pool_keeper import PoolKeeper
from storage.recall_policy import RecallPolicy
from storage.scheduling import next_batch

__all__ = ["RecallEngine", "RecallPolicy"]

logger = logging.getLogger(__name__)

_SWEEP_S = 3600.0


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
        self._keeper = PoolKeeper(replicas, pool, eviction=policy.eviction, clock=clock)
        self._delivery = Delivery(
            recalls, self._keeper, pool, backend, policy=policy, clock=clock, rng=rng
        )
        self._backend = backend
        self._service = service
        self._policy = policy
        self._clock = clock
        self._next_recovery = self._next_sweep = 0.0
        self._lateness = Lateness(policy.lease_s)

    def start(self) -> None:
        """Put right what a crash left: orphan parts, ready rows without a file, lost leases."""
        self._keeper.put_right()
        self._keep_up()

    def _keep_up(self) -> None:
        """Do what time brings; take over from services that died, sweep the pool, now and then."""
        now, now_s = self._clock(), time.monotonic()
        if self._lateness.begins(now):
            self._next_recovery = now_s + self._policy.lease_s
        self._recalls.keep_up(now)
        if now_s < self._next_recovery:
            return
        # Much further off than any can be: clocks and settings of several machines differ.
        lease_s, pause_s = 10 * self._policy.lease_s, 2 * self._policy.longest_pause_s
        self._recalls.cut_distant_times(
            now + timedelta(seconds=lease_s), now + timedelta(seconds=pause_s)
        )
        count = self._recalls.recover(now, self._policy.max_attempts)
        if count:
            logger.warning("took over %d recalls of services that died", count)
        self._keeper.find_lost()
        self._keeper.finish_removals(self._policy.lease_s)
        self._next_recovery = now_s + self._policy.lease_s / 2
        if now_s >= self._next_sweep:
            self._keeper.sweep()
            self._recalls.forget_ended(self._clock())
            self._next_sweep = now_s + _SWEEP_S

    def run(self, stop: Event) -> None:
        """Recall until told to stop; unfinished recalls are then queued again.

        A ledger or a disk that refuses is waited for.
        """
        running: set[Future[int]] = set()
        drives = self._backend.capabilities.drives
        put_right = self.start
        outage = Outage("the recall service", logger)
        with ThreadPoolExecutor(drives, "recall") as executor:
            while not stop.is_set():
                try:
                    put_right()
                    put_right = self._keep_up
                    batch = self._claim() if len(running) < drives else None
                except (LedgerError, OSError) as error:
                    outage.note(error)
                    # In an outage nobody can renew a lease: the others are given time to do it.
                    self._next_recovery = time.monotonic() + self._policy.lease_s
                    stop.wait(self._policy.error_pause_s)
                    continue
                outage.over()
                if batch:
                    running.add(executor.submit(batch.run, stop))
                    continue
                running = self._collect(running)
                stop.wait(self._policy.idle_s)

    def run_once(self) -> int:
        """Read one batch to its end; return how many files became ready."""
        self._recalls.keep_up(self._clock())
        batch = self._claim()
        return batch.run(Event()) if batch else 0

    def _collect(self, running: set[Future[int]]) -> set[Future[int]]:
        """Return the batches that go on; one that ended in an error is left to its lease."""
        done, rest = wait(running, timeout=0, return_when=FIRST_COMPLETED)
        for future in done:
            error = future.exception()
            if error is not None:
                logger.error("a batch was abandoned", exc_info=error)
        return rest

    def _claim(self) -> BatchReading | None:
        """Take the best batch; None where there is nothing to read, no drive or no room."""
        try:
            drives = self._backend.drives()
        except TapeUnavailableError as error:
            logger.warning("nothing is recalled from %s for now: %s", self._backend.name, error)
            return None
        if all(drive.is_busy or drive.is_down for drive in drives):
            return None
        now = self._clock()
        pending = self._those_with_room(self._recalls.pending(now))
        batch = next_batch(
            pending,
            drives,
            now,
            max_wait=self._policy.max_wait_s,
            served_bytes=self._recalls.served_bytes(now),
            limits=self._policy.limits,
        )
        if batch is None:
            return None
        owner = f"{self._service}/{uuid4().hex[:8]}"
        self._keeper.make_room(sum(recall.file.size_bytes for recall in batch.recalls))
        claimed = self._recalls.claim(
            [recall.recall_id for recall in batch.recalls], owner, now, self._policy.lease_s
        )
        if not claimed:
            return None
        is_mounted = any(drive.name == batch.drive and drive.tape == batch.tape for drive in drives)
        claim = replace(batch, recalls=tuple(claimed))
        return BatchReading(self._delivery, claim, owner, is_mounted=is_mounted)

    def _those_with_room(self, pending: Sequence[PendingRecall]) -> Sequence[PendingRecall]:
        """Return the recalls that may be read: the urgent ones only, where not all find room.

        Else those that come and go could keep the pool full, and accepted work wait for ever.
        """
        urgent = [recall for recall in pending if recall.is_urgent]
        if not urgent or len(urgent) == len(pending):
            return pending
        missing = self._keeper.missing_room(sum(one.file.size_bytes for one in pending))
        return pending if missing <= 0 else urgent
