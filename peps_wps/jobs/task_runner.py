"""How a task that is ready is run: in this process, or on a cluster."""

import importlib.util
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from catalog_db.processing.job_queue import Claim
from peps_wps.chains.contract import Progress
from peps_wps.config import Config
from peps_wps.errors import ConfigError
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


@contextmanager
def open_runner(config: Config, held: Claim, zygote: str) -> Iterator[TaskRunner]:
    """Give what runs the tasks of an attempt, as ``[processing] executor`` says."""
    if config.processing.executor == "local":
        yield LocalTasks()
        return
    from peps_wps.jobs.cluster_tasks import open_cluster

    with open_cluster(config, held, zygote) as runner:
        yield runner


def modules_of(config: Config) -> tuple[str, ...]:
    """Return what the process that jobs are forked from loads beforehand."""
    is_local = config.processing.executor == "local"
    return () if is_local else ("peps_wps.jobs.cluster_tasks",)


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


def check_executor(config: Config) -> None:
    """Refuse an executor that could run nothing.

    Raises
    ------
    ConfigError
        When what it needs is not configured or not installed.
    """
    executor = config.processing.executor
    if executor == "local":
        return
    for package in ("distributed", "dask_jobqueue"):
        if importlib.util.find_spec(package) is None:
            raise ConfigError(
                f"[processing] executor = {executor} needs the package {package}: "
                "install peps with its extra dask"
            )
    if executor == "dask" and not config.dask.address:
        raise ConfigError("[processing] executor = dask needs [dask] address")
    if executor == "slurm" and shutil.which("sbatch") is None:
        raise ConfigError("[processing] executor = slurm needs sbatch, which is not on the PATH")
