"""One claimed batch on its way from tape to pool."""

import errno
import logging
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from storage.delivery import Delivery
from storage.errors import (
    CorruptFileError,
    DriveBusyError,
    LeaseLostError,
    LedgerError,
    NotHeldError,
    PoolFullError,
    RecallStoppedError,
    StorageError,
    TapeError,
    TapeUnavailableError,
)
from storage.model import Batch, PendingRecall, StageState
from storage.outage import Outage

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# How long a ledger that does not answer is asked again for what must be noted, all told.
PATIENCE_S = 900.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class BatchReading:
    """Reads a batch file by file while its lease is renewed.

    What cannot be blamed on a file ends the batch: a drive that is down or busy, a full disk, the
    end of the service. The rest of it is then queued again, no attempt counted. A ledger that is
    away is waited for, and bytes go on arriving meanwhile: nobody else can take the batch then.

    Parameters
    ----------
    delivery
        Receives files and settles failures.
    batch, owner
        What was claimed, and the token of the claim.
    is_mounted
        The drive holds the tape already.
    """

    def __init__(self, delivery: Delivery, batch: Batch, owner: str, *, is_mounted: bool) -> None:
        self._delivery = delivery
        self._backend = delivery.backend
        self._policy = delivery.policy
        self._batch = batch
        self._owner = owner
        self._stop = Event()
        self._outage = Outage(f"a batch of {self._backend.name}", logger)
        self._mounts = 0 if is_mounted or not batch.tape else 1
        self._waiting = {recall.recall_id: recall for recall in batch.recalls}
        self._bytes_done: dict[int, int] = {}
        self._handle = ""
        self._next_beat = 0.0
        self._pause_s = 0.0
        self._patient_until: float | None = None
        self._reason: str | None = None

    def run(self, stop: Event) -> int:
        """Read the batch until told to stop; return how many of its files became ready."""
        self._stop = stop
        count = 0
        try:
            count += self._adopt_published()
            if self._waiting and not stop.is_set():
                count += self._read()
        except RecallStoppedError:
            logger.info("stopped with %d recalls unfinished", len(self._waiting))
        except DriveBusyError:
            self._pause_s = self._policy.idle_s
        except (TapeUnavailableError, PoolFullError) as error:
            self._postpone(str(error))
        except OSError as error:  # of the library's own files, and no recall's
            self._postpone(_reason_of(error))
        finally:
            self._give_back_rest()
        return count

    def _postpone(self, reason: str) -> None:
        """Have the rest wait for a while."""
        logger.warning("gave back %d recalls: %s", len(self._waiting), reason)
        self._pause_s, self._reason = self._policy.backoff_s, reason

    def _give_back_rest(self) -> None:
        """Queue again what was not read."""
        rest = list(self._waiting.values())
        if rest:
            self._patiently(
                lambda: self._delivery.give_back(rest, self._owner, self._pause_s, self._reason)
            )

    def _patiently(self, note: Callable[[], Answer]) -> Answer:
        """Return what the ledger answers, asked again while it is away.

        Whatever is noted in one outage shares its patience.
        """
        while True:
            try:
                answer = note()
            except LedgerError as error:
                now_s = time.monotonic()
                if self._patient_until is None:
                    self._patient_until = now_s + PATIENCE_S
                if self._stop.is_set() or now_s > self._patient_until:
                    raise
                self._outage.note(error)
                self._stop.wait(self._policy.error_pause_s)
            else:
                self._patient_until = None
                self._outage.over()
                return answer

    def _read(self) -> int:
        """Have the drive read what is left; return how many files became ready."""
        files = [recall.file for recall in self._waiting.values()]
        begin = time.monotonic()
        ordered = self._backend.order(self._batch.drive, files)
        self._handle = self._backend.submit(self._batch.drive, ordered)
        count = 0
        try:
            while self._waiting and not self._stop.is_set():
                ready = self._take_staged()
                count += ready
                if not ready:
                    self._stop.wait(self._backend.capabilities.poll_s)
        finally:
            self._backend.release(self._handle)
            self._handle = ""
            busy_s = time.monotonic() - begin
            self._patiently(lambda: self._delivery.note_drive(busy_s, self._mounts))
        return count

    def _adopt_published(self) -> int:
        """Take the files that earlier attempts published; return how many."""
        return sum(self._adopt(recall) for recall in list(self._waiting.values()))

    def _adopt(self, recall: PendingRecall) -> bool:
        """Take the file of a recall if it is in the pool already."""
        try:
            self._beat(recall, 0)
            is_there = self._delivery.is_published(recall, lambda: self._beat(recall, 0))
            if is_there:
                self._complete(recall)
        except LeaseLostError as error:
            self._let_go(recall, error)
            return False
        return is_there

    def _complete(self, recall: PendingRecall) -> None:
        """Mark the file of a recall ready, which is in the pool."""
        # Not given back, come what may: that would free the room that it takes.
        del self._waiting[recall.recall_id]
        self._patiently(lambda: self._delivery.complete(recall, self._owner))

    def _take_staged(self) -> int:
        """Fetch what the backend has staged since the last look; return how many came."""
        states = self._backend.poll(self._handle)
        count = 0
        for recall in list(self._waiting.values()):
            status = states.get(recall.file.path)
            if status is None or recall.recall_id not in self._waiting:
                continue
            try:
                self._beat(recall, status.bytes_done)
            except LeaseLostError as error:
                self._let_go(recall, error)
                continue
            if status.state is StageState.STAGED:
                count += self._receive(recall)
            elif status.state is StageState.FAILED:
                reason = TapeError("the file was not read, no reason is known")
                self._settle(recall, status.error or reason)
        return count

    def _receive(self, recall: PendingRecall) -> int:
        """Fetch one file; return 1 when it became ready."""
        try:
            self._delivery.receive(
                self._handle, recall, lambda done: self._note_bytes(recall, done)
            )
            self._complete(recall)
        except (RecallStoppedError, LedgerError):
            raise
        except LeaseLostError as error:
            self._let_go(recall, error)
        except StorageError as error:
            self._settle(recall, error)
        except OSError as error:
            logger.warning("recall of %s: %s", recall.file.path, error)
            if error.errno in _NO_ROOM:
                raise PoolFullError("the disk of the pool is full") from error
            self._settle(recall, StorageError(_reason_of(error)))
        else:
            return 1
        return 0

    def _let_go(self, recall: PendingRecall, error: LeaseLostError) -> None:
        """Leave nothing of a recall that is no longer ours."""
        logger.info("%s", error)
        self._waiting.pop(recall.recall_id, None)
        self._delivery.abandon(recall)

    def _settle(self, recall: PendingRecall, error: StorageError) -> None:
        """Decide what a failure costs a recall: nothing, an attempt, or all that are left."""
        del self._waiting[recall.recall_id]
        owner, reason, pause_s = self._owner, str(error), self._policy.backoff_s
        if isinstance(error, TapeUnavailableError):
            self._patiently(lambda: self._delivery.give_back([recall], owner, pause_s, reason))
        elif isinstance(error, NotHeldError):
            self._patiently(lambda: self._delivery.failed_for_good(recall, owner, reason))
        else:
            if isinstance(error, CorruptFileError):
                self._patiently(self._delivery.note_corrupt)
            self._patiently(lambda: self._delivery.failed(recall, owner, reason))

    def _note_bytes(self, recall: PendingRecall, bytes_done: int) -> None:
        """Note bytes that arrived, unless they are not wanted any more."""
        if self._stop.is_set():
            raise RecallStoppedError(f"recall {recall.recall_id} was stopped")
        self._beat(recall, bytes_done)

    def _beat(self, recall: PendingRecall, bytes_done: int) -> None:
        """Note progress, now and then in the ledger; `LeaseLostError` when it is no longer ours."""
        self._bytes_done[recall.recall_id] = bytes_done
        if time.monotonic() >= self._next_beat:
            progress = {key: self._bytes_done.get(key, 0) for key in self._waiting}
            try:
                held = self._delivery.renew(self._owner, progress)
            except LedgerError as error:
                self._outage.note(error)
                held = set(self._waiting)  # as far as anybody knows
            self._next_beat = time.monotonic() + self._policy.beat_s
            self._leave_out({key for key in self._waiting if key not in held}, recall.recall_id)
        if recall.recall_id not in self._waiting:
            raise _lost(recall)

    def _leave_out(self, lost: set[int], current: int) -> None:
        """Let go of recalls that are no longer ours; who reads the current one sees to it."""
        dropped = [self._waiting.pop(key) for key in sorted(lost)]
        if dropped and self._handle:
            self._backend.cancel(self._handle, [recall.file for recall in dropped])
        for recall in dropped:
            if recall.recall_id != current:
                self._let_go(recall, _lost(recall))


def _reason_of(error: OSError) -> str:
    """Return what a client is told; the error's own text names places."""
    return f"a file could not be read or written: {error.strerror or 'no reason given'}"


def _lost(recall: PendingRecall) -> LeaseLostError:
    return LeaseLostError(f"recall {recall.recall_id} was cancelled or taken over")
