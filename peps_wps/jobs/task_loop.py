"""The tasks of a job from ready to done, whoever runs them, as long as the claim holds."""

import dataclasses
import time
from dataclasses import asdict
from pathlib import Path

from catalog_db.engine import Engine
from catalog_db.patience import patiently
from catalog_db.processing import job_queue, job_tasks, jobs
from catalog_db.processing.job_queue import Claim
from catalog_db.processing.jobs import TaskRow
from peps_wps.chains.contract import FinishedTask, Json, Task, TaskResult
from peps_wps.config import Config
from peps_wps.jobs.dismissal import scratch_folder
from peps_wps.jobs.progress import JobProgress
from peps_wps.jobs.task_runner import TaskRunner, tasks_at_once, threads_of_a_task
from peps_wps.jobs.task_work import TaskDone, TaskWork
from peps_wps.staging import Archive

POLL_S = 0.2


class ClaimLostError(Exception):
    """The job is no longer this process's to run: dismissed, timed out or taken over."""


class GiveWayError(Exception):
    """The next inputs are still on tape and another job could use the slot."""


@dataclasses.dataclass(frozen=True)
class _Running:
    """A task that runs, and when (monotonic) it was handed over."""

    row: TaskRow
    begun: float


class TaskLoop:
    """Hands the tasks of a job to a runner as their inputs are pinned, and records their ends.

    Parameters
    ----------
    config, engine, archive
        The configuration, the database of the jobs, where products lie.
    held
        The attempt.
    process
        The process of the job.
    """

    def __init__(
        self, config: Config, engine: Engine, archive: Archive, held: Claim, process: str
    ) -> None:
        self._engine = engine
        self._archive = archive
        self._held = held
        self._process = process
        self._slots = tasks_at_once(config)
        self._scratch = scratch_folder(config, held.job)
        threads = threads_of_a_task(config)
        self._config = dataclasses.replace(
            config, processing=dataclasses.replace(config.processing, threads=threads)
        )
        self._running: dict[int, _Running] = {}

    def run(self, runner: TaskRunner, progress: JobProgress) -> None:
        """Run until every task is done.

        Raises
        ------
        ClaimLostError, GiveWayError
            When the job is to be left.
        """
        while not self._is_over(ready := patiently(self._ready), progress):
            for row in ready:
                self._begin(row, runner, progress)
            for done in runner.collect(POLL_S):
                self._finish(done, progress)
            if self._running and (reason := runner.idle_reason()) is not None:
                progress.waiting(reason)

    def _ready(self) -> list[TaskRow]:
        """Return the tasks that can begin now."""
        with self._engine.connect() as connection:
            if not job_queue.still_held(connection, [self._held]):
                raise ClaimLostError
            ready = jobs.tasks_of(connection, self._held.job, ("ready",))
        return ready[: self._slots - len(self._running)]

    def _is_over(self, ready: list[TaskRow], progress: JobProgress) -> bool:
        """Tell whether all tasks are done; give way where none can begin and another job waits."""
        if ready or self._running:
            return False
        if patiently(self._count_open) == 0:
            return True
        progress.waiting("Waiting for the next product")
        return False

    def _count_open(self) -> int:
        """Return how many tasks are not done; give way where another job waits."""
        with self._engine.connect() as connection:
            number = job_tasks.count_open(connection, self._held.job)
            if number and job_queue.someone_waits(connection):
                raise GiveWayError
        return number

    def _begin(self, row: TaskRow, runner: TaskRunner, progress: JobProgress) -> None:
        paths = patiently(lambda: self._note_begin(row))
        self._running[row.number] = _Running(row, time.monotonic())
        work = TaskWork(
            job=self._held.job,
            number=row.number,
            process=self._process,
            task=task_of(row),
            paths=paths,
            folder=self._scratch / f"attempt-{self._held.attempt}",
            config=self._config,
            earlier=patiently(lambda: self._earlier(row)),
        )
        runner.submit(work, progress.of_task(row))

    def _earlier(self, row: TaskRow) -> tuple[FinishedTask, ...]:
        """Return the tasks that a task comes after, with what they gave."""
        with self._engine.connect() as connection:
            rows = job_tasks.tasks_before(connection, row)
        return tuple(finished_task(one, self._scratch) for one in rows)

    def _note_begin(self, row: TaskRow) -> dict[str, Path]:
        """Record that a task runs; return where its inputs lie."""
        paths = {uid: self._archive.path(uid) for uid in row.products}
        with self._engine.begin() as connection:
            if not job_tasks.begin(connection, self._held, row):
                raise ClaimLostError
        return paths

    def _finish(self, done: TaskDone, progress: JobProgress) -> None:
        """Record what a task gave."""
        running = self._running.pop(done.number)
        row = running.row
        result = stored_result(done.result, str(done.folder.relative_to(self._scratch)))
        seconds = time.monotonic() - running.begun

        def note() -> None:
            with self._engine.begin() as connection:
                if not job_tasks.finish(connection, self._held, row, result):
                    raise ClaimLostError
                jobs.add_log(connection, row.job, "INFO", f"Task {row.name} took {seconds:.1f} s")

        patiently(note)
        progress.task_done(row)


def task_of(row: TaskRow) -> Task:
    """Return the task of a row as the chain planned it."""
    return Task(row.name, row.products, dict(row.body), row.weight, optional=row.optional)


def stored_result(result: TaskResult, folder: str = ".") -> Json:
    """Return the result of a task as its row keeps it; `folder` lies in the scratch of the job."""
    return {**asdict(result), "folder": folder}


def finished_task(row: TaskRow, scratch: Path) -> FinishedTask:
    """Return a task that is done as the chain gets it; its folder lies in `scratch`."""
    stored = row.result or {}
    result = TaskResult(stored["body"], tuple(stored["files"]), stored.get("left_out"))
    return FinishedTask(task_of(row), result, scratch / stored["folder"])
