"""What becomes of a claimed recall: its file is received and published, or its failure settled."""

import logging
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import TypeVar

from storage.backend import TapeBackend
from storage.errors import CorruptFileError, LeaseLostError
from storage.ledger import RecallLedger
from storage.model import PendingRecall
from storage.pool import Pool
from storage.pool_keeper import PoolKeeper
from storage.recall_policy import LONGEST_STRETCH, SHORTEST_STRETCH, RecallPolicy

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Delivery:
    """Brings single files from a backend into the pool, and settles what fails.

    Parameters
    ----------
    recalls
        The ledger.
    keeper, pool
        Where files go.
    backend
        Where they come from.
    policy
        How often a failed recall is tried again, and when.
    clock
        Gives the time, UTC.
    rng
        Spreads the pauses, so that failed recalls do not come back together.
    """

    def __init__(
        self,
        recalls: RecallLedger,
        keeper: PoolKeeper,
        pool: Pool,
        backend: TapeBackend,
        *,
        policy: RecallPolicy,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._recalls = recalls
        self._keeper = keeper
        self._pool = pool
        self.backend = backend
        self.policy = policy
        self._clock = clock
        self._rng = rng

    def is_published(self, recall: PendingRecall, beat: Callable[[], None]) -> bool:
        """Tell whether an earlier attempt published the file, but could not mark it ready."""
        file = recall.file
        try:
            return self._pool.has_size(file.path, file.size_bytes) and self._while_beating(
                lambda: self._pool.holds(file), beat
            )
        except OSError as error:
            logger.warning("%s cannot be read, and is recalled anew: %s", file.path, error)
            return False

    def receive(self, handle: str, recall: PendingRecall, beat: Callable[[int], None]) -> None:
        """Fetch a staged file, verify it, publish it."""
        file = recall.file
        with self._pool.part(f"{recall.recall_id}-{recall.attempt}") as part:

            def write(chunk: memoryview) -> None:
                if part.size_bytes + len(chunk) > file.size_bytes:
                    raise CorruptFileError(f"more than the expected {file.size_bytes} bytes arrive")
                part.write(chunk)
                beat(part.size_bytes)

            self.backend.fetch(handle, file, write)
            part.verify(file.size_bytes, file.checksum)
            self._while_beating(part.sync, lambda: beat(part.size_bytes))
            part.publish(self._pool.path(file.path))

    def _while_beating(self, action: Callable[[], Answer], beat: Callable[[], None]) -> Answer:
        """Return what an action gives that may keep the disk busy for longer than a lease lasts."""
        with ThreadPoolExecutor(1, "disk") as executor:
            future = executor.submit(action)
            while not wait([future], self.policy.beat_s).done:
                beat()
            return future.result()

    def complete(self, recall: PendingRecall, owner: str) -> None:
        """Mark the file of a recall ready; `LeaseLostError` when it is no longer the owner's."""
        now = self._clock()
        if not self._recalls.complete(recall.recall_id, owner, now):
            raise LeaseLostError(f"the lease of recall {recall.recall_id} was lost")
        waited_s = (now - recall.created).total_seconds()
        logger.info("recalled %s, asked for %.1f s ago", recall.file.path, waited_s)

    def abandon(self, recall: PendingRecall) -> None:
        """Leave nothing of a recall that is no longer ours, unless another service is at it."""
        if self._keeper.discard(recall.file.path):
            logger.info("removed %s, which nobody waits for any more", recall.file.path)

    def failed(self, recall: PendingRecall, owner: str, error: str) -> None:
        """Queue the recall for another attempt, or give up after the last one."""
        now = self._clock()
        if recall.attempt >= self.policy.max_attempts:
            sentence = f"recall of {recall.file.path} failed {recall.attempt} times: {error}"
            self.failed_for_good(recall, owner, sentence)
            return
        stretch = self._rng.uniform(SHORTEST_STRETCH, LONGEST_STRETCH)
        pause_s = self.policy.pause_s(recall.attempt, stretch)
        logger.warning("recall of %s failed, again in %.1f s: %s", recall.file.path, pause_s, error)
        self._recalls.retry(recall.recall_id, owner, now + timedelta(seconds=pause_s), error)

    def failed_for_good(self, recall: PendingRecall, owner: str, error: str) -> None:
        """Give up a recall; nothing is left of it in the pool."""
        logger.error("%s", error)
        self._recalls.fail(recall.recall_id, owner, error, self._clock())
        self.abandon(recall)

    def note_corrupt(self) -> None:
        """Count a file whose bytes were not those archived."""
        self._recalls.note_corrupt()

    def note_drive(self, busy_s: float, mounts: int) -> None:
        """Count how long a drive was at work, seconds, and what was mounted for it."""
        self._recalls.note_drive(busy_s, mounts)

    def renew(self, owner: str, bytes_done: dict[int, int]) -> set[int]:
        """Prolong the lease; return the recalls that are still ours."""
        return self._recalls.renew(owner, bytes_done, self._clock(), self.policy.lease_s)

    def give_back(
        self,
        recalls: Iterable[PendingRecall],
        owner: str,
        pause_s: float,
        reason: str | None = None,
    ) -> None:
        """Queue recalls again that were not tried, or failed through no fault of their files."""
        not_before = self._clock() + timedelta(seconds=pause_s)
        ids = [recall.recall_id for recall in recalls]
        self._recalls.give_back(ids, owner, not_before, reason)
