"""The progress of a job: percent from the weights of its tasks, written now and then.

Writing is throttled, and a write that fails is only logged: progress never fails a job.
"""

import time
from collections.abc import Sequence

from catalog_db import job_queue
from catalog_db.engine import Engine
from catalog_db.job_queue import Claim
from catalog_db.jobs import TaskRow
from peps_wps.chains.contract import Progress

INTERVAL_S = 1.0


class JobProgress:
    """Turns the progress of tasks into that of the job.

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
        self._written = -INTERVAL_S
        self._last = (-1, "")

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
        now = time.monotonic()
        # 100 is the word of the row that says succeeded.
        current = (min(99, int(100 * fraction)), message)
        if current == self._last or now - self._written < INTERVAL_S:
            return
        self._last, self._written = current, now
        job_queue.report_progress(self._engine, self._held, *current)


def _fraction(percent: float) -> float:
    return min(max(percent / 100, 0.0), 1.0)
