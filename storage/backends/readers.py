"""Threads that may block for ever, a bounded number of them.

A read of a file that an HSM brings back blocks until it has come, and one of a file that never
comes cannot be stopped: its thread is left behind and keeps its place until it returns.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock, Thread


class Readers:
    """Runs tasks in threads that end with the process, whatever they wait for.

    Parameters
    ----------
    count
        Threads at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = Lock()

    def submit(self, task: Callable[[], None]) -> None:
        """Run a task when a thread is free; tasks begin in the order given and catch what fails."""
        with self._lock:
            self._waiting.append(task)
            if not self._free:
                return
            self._free -= 1
        Thread(target=self._work, name="hsm-reader", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._free += 1
                    return
                task = self._waiting.popleft()
            task()
