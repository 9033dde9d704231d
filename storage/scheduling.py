"""What a free drive should read next: a pure function of the queue and the drives.

Grouping by tape is what pays, for changing a tape takes as long as streaming 40 GB; the order
inside a tape is the backend's affair. A mounted tape is read for everybody who waits for something
on it, so fair share between users is a matter of which tape comes first, and of which files a batch
takes when not all fit.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from storage.model import Batch, BatchLimits, Drive, PendingRecall

_NOTHING_SERVED: Mapping[str, int] = MappingProxyType({})
_DEFAULT_LIMITS = BatchLimits()
_AHEAD = 1.05  # shares from which a user waits for the others
_GREEDY = 3.0  # shares from which he has no claim to be served within max_wait
_PATIENCE = 0.9  # of max_wait: several recalls fall due together, and drives are busy then


def next_batch(
    pending: Sequence[PendingRecall],
    drives: Sequence[Drive],
    now: datetime,
    *,
    max_wait: float,
    served_bytes: Mapping[str, int] = _NOTHING_SERVED,
    limits: BatchLimits = _DEFAULT_LIMITS,
) -> Batch | None:
    """Choose one free drive and what it should read from one tape.

    A tape in a busy drive is left to it: what is asked of it meanwhile comes next, for it is
    mounted then. Among the others, in this order:

    1. The tape of the oldest recall that will soon have waited for `max_wait`, so that no popular
       tape holds a drive for ever. Users who received far more than the others who wait have no
       such claim.
    2. Tapes that somebody waits for who did not receive more than the others. One that is mounted
       goes first; else the most wanted one: the bytes of each user are counted by how little he
       had, and what would part the users further is taken off.
    3. The rest in the same way: no drive waits while there is work.

    Parameters
    ----------
    pending
        Recalls that may be started, in any order. One without a tape is read by any drive.
    drives
        All drives, those busy or down included.
    now
        The current time.
    max_wait
        Age from which a recall goes before all others, seconds.
    served_bytes
        What each user received lately, what is being read for him included.
    limits
        How much the batch may hold. One file it always holds.

    Returns
    -------
    The batch with the recalls that are served first at the head, or None where no drive is free or
    nothing can be read.
    """
    free = [drive for drive in drives if not drive.is_busy and not drive.is_down]
    taken = {drive.tape for drive in drives if drive.is_busy or drive.is_down}
    groups: dict[str, list[PendingRecall]] = defaultdict(list)
    for recall in pending:
        if recall.file.tape is None or recall.file.tape not in taken:
            groups[recall.file.tape or ""].append(recall)
    if not free or not groups:
        return None
    queue = _Queue(pending, served_bytes, now - timedelta(seconds=_PATIENCE * max_wait))
    mounted = {drive.tape for drive in free}
    tape = min(groups, key=lambda one: (*queue.rank(groups[one], is_mounted=one in mounted), one))
    recalls = _within(limits, sorted(groups[tape], key=queue.turn))
    return Batch(_drive_for(tape, free, groups), tape, recalls)


class _Queue:
    """Who goes first, given what everybody who waits has received."""

    def __init__(
        self, pending: Iterable[PendingRecall], served: Mapping[str, int], overdue: datetime
    ) -> None:
        users = {user for recall in pending for user in recall.users}
        shares = _shares(users, served)
        self._overdue = overdue
        self._ahead = {user for user, share in shares.items() if share >= _AHEAD}
        self._greedy = {user for user, share in shares.items() if share >= _GREEDY}
        # How much a byte counts: less than nothing for users who are ahead.
        self._claims = {user: _AHEAD - min(share, _GREEDY) for user, share in shares.items()}
        self._mean_served = sum(served.get(user, 0) for user in users) / max(1, len(users))

    def turn(self, recall: PendingRecall) -> tuple[bool, bool, datetime, int]:
        """Return the order of recalls of one tape: the overdue, the users behind, the oldest."""
        is_overdue = recall.created < self._overdue and not _are_all(recall.users, self._greedy)
        is_ahead = not is_overdue and _are_all(recall.users, self._ahead)
        return not is_overdue, is_ahead, recall.created, recall.recall_id

    def rank(
        self, recalls: Sequence[PendingRecall], *, is_mounted: bool
    ) -> tuple[bool, bool, float, float]:
        """Return the order of tapes, given what is wanted of each."""
        is_fresh, is_ahead, created, _ = min(map(self.turn, recalls))
        weight = self._weight(recalls)
        if is_fresh:
            return is_fresh, is_ahead, not is_mounted, -weight
        return is_fresh, is_ahead, created.timestamp(), -weight

    def _weight(self, recalls: Sequence[PendingRecall]) -> float:
        """Return how much a tape is wanted, bytes.

        With `s` what each user received, `m` its mean and `a` what he would get from this tape, the
        spread of the users' bytes falls most by the tape of the largest
        ``sum((1 - s / m) * a) - sum((a - mean(a))**2) / (2 * m)``. Here `m` does not begin at
        nothing: what is taken off is never more than half of the bytes.
        """
        wanted: dict[str, int] = defaultdict(int)
        weight = 0.0
        for recall in recalls:
            size_bytes = recall.file.size_bytes
            if not recall.users:
                weight += recall.demand * size_bytes
            for user in recall.users:
                wanted[user] += size_bytes
        if not wanted:
            return weight
        weight += sum(self._claims[user] * size_bytes for user, size_bytes in wanted.items())
        squares = sum(size_bytes**2 for size_bytes in wanted.values())
        spread = squares - sum(wanted.values()) ** 2 / len(self._claims)
        return weight - spread / (2 * max(1, self._mean_served + max(wanted.values())))


def _are_all(users: Collection[str], these: set[str]) -> bool:
    """Tell whether there are users, and all of them are these."""
    return bool(users) and these.issuperset(users)


def _shares(users: Collection[str], served: Mapping[str, int]) -> dict[str, float]:
    """Return what each user received, in shares: the mean of what the others who wait received."""
    others = len(users) - 1
    if others < 1:
        return dict.fromkeys(users, 0.0)
    total = sum(served.get(user, 0) for user in users)
    return {
        user: served.get(user, 0) * others / max(1, total - served.get(user, 0)) for user in users
    }


def _within(limits: BatchLimits, recalls: Sequence[PendingRecall]) -> tuple[PendingRecall, ...]:
    """Return the first recalls that the limits allow, one at least."""
    room_bytes = limits.size_bytes
    for count, recall in enumerate(recalls[: limits.files]):
        room_bytes -= recall.file.size_bytes
        if room_bytes < 0:
            return tuple(recalls[: max(1, count)])
    return tuple(recalls[: max(1, limits.files)])


def _drive_for(tape: str, free: Sequence[Drive], wanted: Container[str]) -> str:
    """Return the drive that holds the tape, else an empty one, else one whose tape can go."""
    return min(
        free,
        key=lambda one: (one.tape != tape, one.tape is not None, one.tape in wanted, one.name),
    ).name
