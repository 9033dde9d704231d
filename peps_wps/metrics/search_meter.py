"""How long searches take, of all web processes together.

No row tells of a search. Each web process adds up its own for a few seconds, and then adds the sums
to the counts of the installation, whatever the number of processes and machines.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from catalog_db import counters, times
from catalog_db.catalogue.query import SearchQuery
from catalog_db.engine import Engine
from catalog_db.processing.job_queue import DatabaseError
from storage.outage import reason_of

logger = logging.getLogger(__name__)

# Upper bounds of the histogram, seconds.
BOUNDS_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BEYOND = counters.BEYOND

# How long sums are kept in the process.
_KEPT_S = 10.0


class Found(NamedTuple):
    """Searches of a class that fit in a bound and in none below; the last bound has no end."""

    query_class: str
    bound: str
    number: int


def class_of(query: SearchQuery) -> str:
    """Return the class of a search: what narrows it most."""
    if query.identifiers or "title" in query.texts:
        return "identifier"
    has_time = query.start_from is not None or query.start_to is not None
    if query.region is not None:
        return "region_time" if has_time else "region"
    if has_time:
        return "time"
    return "attributes" if query.texts or query.numbers or query.where else "all"


class SearchMeter:
    """Measures searches of this process.

    Parameters
    ----------
    engine
        Where the sums go.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._amounts: Counter[tuple[str, str]] = Counter()
        self._next_flush = time.monotonic() + _KEPT_S

    @contextmanager
    def timed(self, query: SearchQuery) -> Iterator[None]:
        """Measure a search, one that fails too."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.observe(class_of(query), time.perf_counter() - begun)

    def observe(self, query_class: str, seconds: float) -> None:
        """Count a search that took so long."""
        bound = next((f"{one:g}" for one in BOUNDS_S if seconds <= one), BEYOND)
        with self._lock:
            self._amounts[counters.SEARCHES, f"{query_class}:{bound}"] += 1
            self._amounts[counters.SEARCH_US, query_class] += round(seconds * 1e6)

    def is_due(self) -> bool:
        """Tell whether sums have been kept for long enough."""
        return bool(self._amounts) and time.monotonic() >= self._next_flush

    def flush(self) -> None:
        """Add the sums to those of the installation; a database that refuses is tried again."""
        with self._lock:
            amounts, self._amounts = self._amounts, Counter()
            self._next_flush = time.monotonic() + _KEPT_S
        if not amounts:
            return
        try:
            with self._engine.begin() as connection:
                counters.add(connection, amounts, times.now())
        except DatabaseError as error:
            logger.warning("searches were not counted yet: %s", reason_of(error))
            with self._lock:
                self._amounts += amounts


def found_searches(totals: Mapping[tuple[str, str], int]) -> list[Found]:
    """Return the searches of the installation, from all that it has counted."""
    found = []
    for (name, label), number in totals.items():
        if name == counters.SEARCHES:
            query_class, _, bound = label.rpartition(":")
            found.append(Found(query_class, bound, number))
    return found
