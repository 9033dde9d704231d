"""How a task that is ready is run: in this process, or on a cluster."""

import time
from typing import Protocol

from peps_wps.chains.contract import Progress
from peps_wps.config import Config
from peps_wps.jobs.task_work import TaskDone, TaskWork, run_task


class TaskRunner(Protocol):
    """Runs tasks of one attempt at a job; when it is closed, those that still run are ended."""

    def submit(self, work: TaskWork, progress: Progress) -> None:
        """Begin a task, or run it at once."""

    def collect(self, timeout_s: float) -> list[TaskDone]:
        """Return the tasks that are done since, waiting for one; raise what a task raised."""

    def idle_reason(self) -> str | None:
        """Return why no submitted task is at work yet, None when one is."""


class LocalTasks:
    """Runs each task in this process, one after the other."""

    def __init__(self) -> None:
        self._done: list[TaskDone] = []

    def submit(self, work: TaskWork, progress: Progress) -> None:
        """Run a task."""
        self._done.append(run_task(work, progress))

    def collect(self, timeout_s: float) -> list[TaskDone]:
        """Return the tasks that are done since; wait when there is none."""
        done, self._done = self._done, []
        if not done:
            time.sleep(timeout_s)
        return done

    def idle_reason(self) -> str | None:
        """Return nothing: what was submitted is done."""
        return None


def tasks_at_once(config: Config) -> int:
    """Return how many tasks of one job run at once."""
    return {
        "local": 1,
        "dask": config.dask.tasks_per_job,
        "slurm": config.slurm.maximum_jobs,
    }[config.processing.executor]


def threads_of_a_task(config: Config) -> int:
    """Return how many cores one task may use."""
    return {
        "local": config.processing.threads,
        "dask": config.dask.threads,
        "slurm": config.slurm.cores,
    }[config.processing.executor]
