"""Long lists, in parts that one statement takes: PostgreSQL has 65,535 parameters at most."""

from collections.abc import Iterable, Iterator
from itertools import islice

AT_ONCE = 1000


def groups(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the names in lists, each short enough for one statement."""
    left = iter(names)
    while some := list(islice(left, AT_ONCE)):
        yield some
