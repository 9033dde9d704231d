"""Threads that do one thing each and report to a queue; a program may end without them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, NamedTuple


class Report(NamedTuple):
    """A job that is over: what it was about, and what came of it."""

    subject: Any
    result: Future[Any]


class Crew:
    """A number of threads.

    Parameters
    ----------
    size
        How many.
    reports
        Where they say what is over.
    """

    def __init__(self, size: int, reports: "SimpleQueue[Any]") -> None:
        self._reports = reports
        self._jobs: SimpleQueue[tuple[Any, Callable[[], Any]] | None] = SimpleQueue()
        self.size = size
        self.at_work = 0
        # Daemons: who interrupts a program does not wait for a server that says nothing.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    @property
    def is_free(self) -> bool:
        """Whether somebody has nothing to do."""
        return self.at_work < self.size

    def do(self, subject: Any, job: Callable[[], Any]) -> None:
        """Have a job done; who takes its report calls `done`."""
        self.at_work += 1
        self._jobs.put((subject, job))

    def done(self) -> None:
        """Count a job as over."""
        self.at_work -= 1

    def close(self, patience_s: float) -> None:
        """Send everybody home, and wait a while for who is at work."""
        for _ in self._threads:
            self._jobs.put(None)
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            subject, job = given
            result: Future[Any] = Future()
            try:
                result.set_result(job())
            except BaseException as error:  # noqa: BLE001  (raised where the result is read)
                result.set_exception(error)
            self._reports.put(Report(subject, result))
