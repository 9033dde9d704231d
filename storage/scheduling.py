"""What a free drive should read next: a pure function of the queue and the drives.

Grouping by tape is what pays (2.5 to 3.4 times shorter than first come, first served, for a burst
of 1000 products on 50 tapes); the order inside a tape is the backend's affair.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from storage.model import Batch, Drive, PendingRecall


def next_batch(
    pending: Sequence[PendingRecall],
    drives: Sequence[Drive],
    now: datetime,
    *,
    max_wait: float,
) -> Batch | None:
    """Choose one free drive and everything that it should read from one tape.

    A tape in a busy drive is left to it. Among the others: first the tape of the oldest recall that
    has waited longer than `max_wait`, for no popular tape may hold a drive for ever; else the most
    wanted of those already mounted in a free drive; else the most wanted. An idle drive never waits
    for a batch to grow.

    Parameters
    ----------
    pending
        Recalls that may be started, in any order. One without a tape is read by any drive.
    drives
        All drives, busy ones included.
    now
        The current time.
    max_wait
        Age from which a recall goes before all others, seconds.

    Returns
    -------
    The batch with its recalls oldest first, or None where no drive is free or nothing can be read.
    """
    free = [drive for drive in drives if not drive.is_busy]
    taken = {drive.tape for drive in drives if drive.is_busy}
    groups: dict[str, list[PendingRecall]] = defaultdict(list)
    for recall in sorted(pending, key=_age_order):
        tape = recall.file.tape or ""
        if tape not in taken:
            groups[tape].append(recall)
    if not free or not groups:
        return None
    overdue = _overdue(groups, now, max_wait)
    tape = _most_wanted(groups, free) if overdue is None else overdue
    return Batch(_drive_for(tape, free), tape, tuple(groups[tape]))


def _age_order(recall: PendingRecall) -> tuple[datetime, int]:
    return recall.created, recall.recall_id


def _overdue(groups: dict[str, list[PendingRecall]], now: datetime, max_wait: float) -> str | None:
    """Return the tape of the oldest recall if that has waited too long."""
    tape, recalls = min(groups.items(), key=lambda group: _age_order(group[1][0]))
    return tape if (now - recalls[0].created).total_seconds() > max_wait else None


def _most_wanted(groups: dict[str, list[PendingRecall]], free: Iterable[Drive]) -> str:
    """Return the tape with the most waiting requests, one that is mounted if there is any."""
    mounted = groups.keys() & {drive.tape for drive in free}
    return max(mounted or groups, key=lambda tape: (_demand(groups[tape]), tape))


def _demand(recalls: Iterable[PendingRecall]) -> int:
    return sum(recall.demand for recall in recalls)


def _drive_for(tape: str, free: Sequence[Drive]) -> str:
    """Return the drive that holds the tape, else an empty one, else any."""
    return min(
        free, key=lambda drive: (drive.tape != tape, drive.tape is not None, drive.name)
    ).name
