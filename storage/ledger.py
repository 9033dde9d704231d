"""What the recall engine needs to remember, stated as protocols.

The truth about recalls and replicas lives in a database that this package knows nothing about. Each
method is one transaction: after it returns, a crash loses nothing of it. One that the database
refuses raises `storage.errors.LedgerError`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from storage.model import PendingRecall, Replica


class RecallLedger(Protocol):
    """The queue of recalls from one backend. An `owner` is a token of one batch of one service."""

    def keep_up(self, now: datetime) -> None:
        """Let time pass: deadlines, ends of pins, products that were withdrawn."""

    def pending(self, now: datetime) -> Sequence[PendingRecall]:
        """Return the recalls that may be started now, oldest first."""

    def served_bytes(self, now: datetime) -> Mapping[str, int]:
        """Return what was recalled lately for each user, what is on its way included."""

    def claim(
        self, recall_ids: Sequence[int], owner: str, now: datetime, lease_s: float
    ) -> Sequence[PendingRecall]:
        """Take those still queued, reserve their room in the pool, count the attempt."""

    def renew(
        self, owner: str, bytes_done: Mapping[int, int], now: datetime, lease_s: float
    ) -> set[int]:
        """Note progress, prolong the lease; return the recalls that the owner still holds."""

    def complete(self, recall_id: int, owner: str, now: datetime) -> bool:
        """Mark the file ready and pin it for all who wait; False when the lease was lost."""

    def give_back(
        self,
        recall_ids: Sequence[int],
        owner: str,
        not_before: datetime,
        reason: str | None = None,
    ) -> None:
        """Queue recalls again that were not tried, or failed through no fault of their files."""

    def retry(self, recall_id: int, owner: str, not_before: datetime, error: str) -> None:
        """Queue a recall again after a failed attempt."""

    def fail(self, recall_id: int, owner: str, error: str, now: datetime) -> None:
        """Give up: all who wait are told the reason."""

    def recover(self, now: datetime, max_attempts: int) -> int:
        """Queue again, or fail after the last attempt, what lost services held; return how many."""

    def cut_distant_times(self, lease_end: datetime, pause_end: datetime) -> None:
        """Have no lease and no pause end later than these, as after the clock was set back."""

    def forget_ended(self, now: datetime) -> None:
        """Forget what ended long ago."""

    def note_corrupt(self) -> None:
        """Count a file whose bytes were not those archived."""

    def note_drive(self, busy_s: float, mounts: int) -> None:
        """Count how long a drive was at work for a batch, seconds, and what was mounted for it."""


class ReplicaLedger(Protocol):
    """The files that the pool is said to hold, within its budget."""

    def ready(self) -> Iterable[tuple[str, int]]:
        """Return archive path and size of every ready replica."""

    def forget(self, path: str) -> None:
        """Note that the pool does not hold the file, for now if there is no other copy of it."""

    def lost(self) -> Iterable[tuple[str, int]]:
        """Return archive path and size of the only copies that were forgotten."""

    def found(self, path: str) -> None:
        """Note that the pool holds an only copy again."""

    def missing_room(self, needed_bytes: int) -> int:
        """Return how many of the bytes have no room in the pool, 0 where all have."""

    def evictable(self, now: datetime) -> Sequence[Replica]:
        """Return the files that nobody pins and that can be recalled again."""

    def condemn(self, chosen: Sequence[Replica], now: datetime) -> Sequence[str]:
        """Say of those still evictable that they are being removed; return their paths."""

    def condemned(self, before: datetime) -> Sequence[str]:
        """Return what has been left half removed since before an instant."""

    def discard(self, path: str, remove: Callable[[str], None]) -> bool:
        """Remove a file that is condemned or has no replica, and free its room; tell whether."""

    def without_replica(self, paths: Sequence[str]) -> Sequence[str]:
        """Return which of these files came from a backend and are none of the pool's."""
