"""Which files leave the pool when room is needed: a pure function of what is known of them."""

from collections.abc import Iterable

from storage.model import Replica


def victims(replicas: Iterable[Replica], needed_bytes: int) -> list[Replica]:
    """Choose the files that were not read for the longest time, until enough room comes free.

    Parameters
    ----------
    replicas
        Files that may go: on tape too, and pinned by nobody.
    needed_bytes
        Room that is missing; none is chosen where it is not positive.

    Returns
    -------
    The files to remove, all of them where even that is not enough.
    """
    chosen = []
    for replica in sorted(replicas, key=lambda one: (one.last_access, one.path)):
        if needed_bytes <= 0:
            break
        chosen.append(replica)
        needed_bytes -= replica.size_bytes
    return chosen
