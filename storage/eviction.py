"""Which files leave the pool when room is needed: a pure function of what is known of them.

Greedy-Dual-Size with Frequency keeps what is read often for its size. Each file is worth its hits a
byte plus the pool's inflation when it was read last; the least worthy goes first, and the inflation
rises to the worth of what went. So files that were popular once grow poor while others are read.
Every file costs one: what a recall takes hardly depends on the size of its file.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum

from storage.model import Replica


class EvictionPolicy(StrEnum):
    """What makes a file worth its room."""

    GDSF = "gdsf"
    LRU = "lru"


def victims(
    replicas: Iterable[Replica], needed_bytes: int, policy: EvictionPolicy = EvictionPolicy.GDSF
) -> list[Replica]:
    """Choose the files that are worth least, until enough room comes free.

    Parameters
    ----------
    replicas
        Files that may go: on tape too, verified, read and pinned by nobody.
    needed_bytes
        Room that is missing; none is chosen where it is not positive.
    policy
        What counts: hits, size and the time of the last reading, or that time only.

    Returns
    -------
    The files to remove, all of them where even that is not enough.

    References
    ----------
    Cherkasova, Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy,
    HP Laboratories HPL-98-69R1, 1998.
    """
    chosen = []
    for replica in sorted(replicas, key=_ORDERS[policy]):
        if needed_bytes <= 0:
            break
        chosen.append(replica)
        needed_bytes -= replica.size_bytes
    return chosen


def worth(replica: Replica) -> float:
    """Return what a file is worth to the pool: inflation at its last reading, hits a gigabyte."""
    return replica.inflation + max(replica.hits, 1) * 1e9 / max(replica.size_bytes, 1)


def inflation_after(inflation: float, evicted: Iterable[Replica]) -> float:
    """Return the pool's inflation once files are gone: it never falls, and survives restarts.

    Parameters
    ----------
    inflation
        The pool's inflation before, 0 in the beginning.
    evicted
        The files that went.
    """
    return max([inflation, *(worth(replica) for replica in evicted)])


_ORDERS: dict[EvictionPolicy, Callable[[Replica], tuple[object, ...]]] = {
    EvictionPolicy.GDSF: lambda one: (worth(one), one.last_access, one.path),
    EvictionPolicy.LRU: lambda one: (one.last_access, one.path),
}
