"""Running the mirror: each source has a thread that lists and some that fetch, until told to stop.

One process follows a source at a time: a lock that the kernel drops with the process says so.
"""

import fcntl
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalog_db.mirroring import mirror_queue
from peps_wps.mirror.errors import (
    BusyError,
    HubAnswerError,
    HubUnavailableError,
    MirrorError,
    StoppedError,
)
from peps_wps.mirror.fetching import Fetcher, Outcome
from peps_wps.mirror.hub import Hub
from peps_wps.mirror.listing import Lister
from peps_wps.mirror.pacing import Breaker, Rate
from peps_wps.mirror.sources import Source
from peps_wps.mirror.transport import Transport
from peps_wps.services import Services

logger = logging.getLogger(__name__)

_IDLE_S = 1.0
_PROGRESS_S = 0.2
_ATTEMPTS_TO_LIST = 5


@dataclass
class Tally:
    """What a run has done so far."""

    size_bytes: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class SourceMirror:
    """Follows one source.

    Parameters
    ----------
    source
        What to follow.
    services
        Catalogue, archive, settings.
    stop
        Set, everything ends soon: downloads where they are, to be continued.
    """

    def __init__(self, source: Source, services: Services, stop: threading.Event) -> None:
        settings = services.config.mirror
        self._source = source
        self._services = services
        self._settings = settings
        self._stop = stop
        self._breaker = Breaker(settings.backoff_s)
        rate = Rate(source.requests_per_minute / 60, stop)
        transport = Transport(source, rate, self._breaker)
        self.hub = Hub(source, transport)
        self.lister = Lister(source, self.hub, transport, services.engine, settings)
        bandwidth = Rate(source.bandwidth_mb_s * 1e6, stop)
        self._fetcher = Fetcher(source, self.hub, services, bandwidth, self._arrived)
        self._lock = threading.Lock()
        self.tally = Tally()

    def run(self, *, once: bool = False) -> Tally:
        """Follow the source until told to stop; `once`: list, fetch what is due, and return.

        What ends it before its time is among the problems of the tally.
        """
        self._guard(lambda: self._run(once=once))
        return self.tally

    def stop(self) -> None:
        """End soon."""
        self._stop.set()

    def _run(self, *, once: bool) -> None:
        with locked(self._settings.path, self._source.name):
            with self._services.engine.begin() as connection:
                mirror_queue.reopen_interrupted(connection, self._source.name)
            self._fetcher.discard_orphans()
            if once:
                self._list_once()
            threads = [] if once else [threading.Thread(target=self._guard, args=[self._keep_on])]
            fetch = self._fetch_due if once else self._fetch_always
            threads += [
                threading.Thread(target=self._guard, args=[fetch])
                for _ in range(self._source.connections)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    # ------------------------------------------------------------------------------- threads

    def _guard(self, work: Callable[[], None]) -> None:
        """Do the work of a thread; what it cannot survive ends the run, and is told."""
        try:
            work()
        except StoppedError:
            return
        except MirrorError as error:
            self._end(str(error))
        except BaseException as error:
            self._end(f"{type(error).__name__}: {error}")
            raise

    def _end(self, problem: str) -> None:
        logger.error("%s: %s", self._source.name, problem)
        with self._lock:
            if problem not in self.tally.problems:
                self.tally.problems.append(problem)
        self._stop.set()

    def _list_once(self) -> None:
        for attempt in range(_ATTEMPTS_TO_LIST):
            try:
                self.lister.run()
            except (HubUnavailableError, HubAnswerError) as error:
                logger.warning("%s cannot be listed: %s", self._source.name, error)
                if attempt == _ATTEMPTS_TO_LIST - 1:
                    raise
                self._stop.wait(max(self._breaker.wait_s, self._settings.backoff_s))
            else:
                return

    def _keep_on(self) -> None:
        while not self._stop.is_set():
            try:
                self.lister.run()
                pause_s = self._settings.interval_s
            except (HubUnavailableError, HubAnswerError) as error:
                logger.warning("%s cannot be listed: %s", self._source.name, error)
                pause_s = max(self._breaker.wait_s, self._settings.backoff_s)
            self._stop.wait(pause_s)

    def _fetch_always(self) -> None:
        while not self._stop.is_set():
            if not self._fetch_next():
                self._stop.wait(_IDLE_S)

    def _fetch_due(self) -> None:
        while not self._stop.is_set() and self._fetch_next():
            pass

    def _fetch_next(self) -> bool:
        """Fetch a product; tell whether there was one."""
        if self._breaker.wait_s:
            return False
        row = self._fetcher.claim()
        if row is None:
            return False
        try:
            outcome = self._fetcher.fetch(row)
        finally:
            self.lister.count_requests()
        with self._lock:
            self.tally.outcomes[outcome] += 1
        return True

    def _arrived(self, count: int) -> None:
        with self._lock:
            self.tally.size_bytes += count


@contextmanager
def locked(folder: Path, source: str) -> Iterator[None]:
    """Be the only process that follows a source."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{source}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another process follows {source}") from error
        yield


def run_all(
    sources: Sequence[Source],
    services: Services,
    stop: threading.Event,
    *,
    once: bool = False,
    progress: Callable[[Sequence[Tally]], None] = lambda _tallies: None,
) -> list[Tally]:
    """Follow several sources at once; one that cannot be followed does not stop the others.

    Parameters
    ----------
    sources
        What to follow.
    services
        Catalogue, archive, settings.
    stop
        Set, all end soon.
    once
        List, fetch what is due, and return.
    progress
        Told what each has done, about five times a second.
    """
    mirrors = [SourceMirror(source, services, threading.Event()) for source in sources]
    threads = [threading.Thread(target=mirror.run, kwargs={"once": once}) for mirror in mirrors]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if stop.wait(_PROGRESS_S):
            for mirror in mirrors:
                mirror.stop()
            break
        progress([mirror.tally for mirror in mirrors])
    for thread in threads:
        thread.join()
    progress([mirror.tally for mirror in mirrors])
    return [mirror.tally for mirror in mirrors]
