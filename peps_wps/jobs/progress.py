"""The progress of a job: percent from the weights of its tasks, written now and then.

A thread writes the latest of what was reported, once a second at most. So the computation never
waits for the database, and a write that fails, logged, costs the job nothing.
"""

import logging
import math
import threading
from collections.abc import Sequence
from typing import Self

from catalog_db.engine import Engine
from catalog_db.processing import job_queue
from catalog_db.processing.job_queue import Claim
from catalog_db.processing.jobs import TaskRow
from peps_wps.chains.contract import Progress

logger = logging.getLogger(__name__)

INTERVAL_S = 1.0


class JobProgress:
    """Turns the progress of tasks into that of the job. A context: left, nothing more is written.

    Parameters
    ----------
    gather_share
        The part of the whole that gathering the outputs stands for.
    """

    def __init__(
        self, engine: Engine, held: Claim, tasks: Sequence[TaskRow], gather_share: float
    ) -> None:
        self._engine = engine
        self._held = held
        self._gather_share = gather_share
        self._several = len(tasks) > 1
        whole = sum(task.weight for task in tasks) or 1.0
        self._shares = {task.number: (1 - gather_share) * task.weight / whole for task in tasks}
        # Of each task, how much is done: several may run at once.
        self._done = {task.number: float(task.state == "done") for task in tasks}
        self._latest = (0.0, "")
        self._news = threading.Event()
        self._left = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._write, name="progress", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._news.set()

    def of_task(self, task: TaskRow) -> Progress:
        """Return the progress function of a task that begins."""
        prefix = f"{task.name}: " if self._several else ""

        def progress(message: str, percent: float) -> None:
            self._done[task.number] = _fraction(percent)
            self._report(self._of_tasks(), prefix + message)

        return progress

    def task_done(self, task: TaskRow) -> None:
        """Note that a task is done; the next report says so."""
        self._done[task.number] = 1.0

    def _of_tasks(self) -> float:
        """Return the part of the job that its tasks have done."""
        return sum(share * self._done[number] for number, share in self._shares.items())

    def gather(self, message: str, percent: float) -> None:
        """Report on gathering the outputs."""
        self._report(1 - self._gather_share * (1 - _fraction(percent)), message)

    def waiting(self, message: str) -> None:
        """Say that the job waits for inputs."""
        self._report(self._of_tasks(), message)

    def _report(self, fraction: float, message: str) -> None:
        """Leave what is to be written to the thread that writes."""
        self._latest = (fraction, message)
        self._news.set()

    def _write(self) -> None:
        """Write the latest news, then nothing for a while, until the context is left."""
        while self._news.wait() and not self._left.is_set():
            self._news.clear()
            fraction, message = self._latest
            # 100 is the word of the row that says succeeded.
            percent = min(99, int(100 * fraction))
            try:
                job_queue.report_progress(self._engine, self._held, percent, message)
            except Exception:
                logger.exception("job %s: progress not written", self._held.job)
            self._left.wait(INTERVAL_S)


def _fraction(percent: float) -> float:
    """Return a percentage as a part of one; what is no number is nothing done."""
    return 0.0 if math.isnan(percent) else min(max(percent / 100, 0.0), 1.0)
