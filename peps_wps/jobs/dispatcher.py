"""From accepted to queued: recalls and pins what the next tasks of each job need.

A window of tasks is open in each job: those that run or are to run next, and one after them,
whose recall goes on meanwhile. Jobs are served in order, and a task is admitted only when its
inputs fit in the disk pool beside those already promised; so what a task needs is reserved
together, and an order larger than the pool ends like any other. What a task had pinned is released
when it is over.

Any number of dispatchers may run on one database: each step is idempotent or a compare-and-set.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from catalog_db import times
from catalog_db.archive.recalls import JOB_PURPOSE
from catalog_db.engine import Engine
from catalog_db.errors import CatalogError, UnknownProductError
from catalog_db.processing import job_queue, job_tasks, job_waiting
from catalog_db.processing.job_order import STAGE_LANE
from catalog_db.processing.job_queue import DatabaseError
from catalog_db.processing.jobs import Job, TaskRow
from peps_wps.chains.contract import TaskResult
from peps_wps.config import Config
from peps_wps.jobs.blame import NO_BLAME, Blame, blame_of, blame_products
from peps_wps.jobs.dismissal import release
from peps_wps.jobs.inputs import request_for
from peps_wps.jobs.staging_job import StagingJobs
from peps_wps.jobs.submission import WAITS_FOR_WORKER
from peps_wps.jobs.task_loop import stored_result
from peps_wps.jobs.task_runner import tasks_at_once
from peps_wps.staging import Archive, RequestStatus
from storage.errors import (
    LostFileError,
    PoolTooSmallError,
    ProductWithdrawnError,
    StorageError,
)
from storage.outage import Outage

logger = logging.getLogger(__name__)

TICK_S = 0.3
PAUSE_AFTER_ERROR_S = 5.0

# Pins of a job end by release; this bounds what a lost database row could keep pinned.
PIN_LIFETIME_S = 30 * 86400

# Why a product will not be on disk however long a task waits for it.
_NEVER_STAGED = (LostFileError, PoolTooSmallError, ProductWithdrawnError, UnknownProductError)

# Of a task that was put back to the beginning between two looks: the next round sees to it.
_NOTHING_KNOWN = RequestStatus(ready=False, failed=None, files=())


class Dispatcher:
    """Moves waiting jobs on. Holds no state between rounds: all of it is in the database."""

    def __init__(self, config: Config, engine: Engine, archive: Archive) -> None:
        self._config = config
        self._engine = engine
        self._archive = archive
        self._staging = StagingJobs(config, engine, archive)
        self._window = tasks_at_once(config) + 1

    def run(self, stop: threading.Event) -> None:
        """Dispatch until `stop` is set; a database that does not answer is tried again."""
        outage = Outage("the dispatcher", logger)
        while not stop.is_set():
            pause_s = TICK_S
            try:
                self.run_once()
            except DatabaseError as error:
                outage.note(error)
                pause_s = PAUSE_AFTER_ERROR_S
            else:
                outage.over()
            stop.wait(pause_s)

    def run_once(self) -> None:
        """Do one round over the jobs that need something to be staged."""
        with self._engine.connect() as connection:
            to_serve = job_tasks.jobs_to_serve(connection)
        there_is_room = True
        for job in to_serve:
            try:
                there_is_room = self._serve(job, there_is_room=there_is_room)
            except (StorageError, CatalogError) as error:
                self._fail(job, str(error), blame_of(error, job.inputs))
        self._release_needless()

    def _serve(self, job: Job, *, there_is_room: bool) -> bool:
        """Move one job on; return whether a later one may be admitted to the pool."""
        with self._engine.connect() as connection:
            window = job_tasks.open_tasks(connection, job.id, self._window)
        if job.lane == STAGE_LANE and window:
            return self._staging.serve(job, window[0], there_is_room=there_is_room)
        pending: list[RequestStatus] = []
        ready = 0
        for task in window:
            if task.state == "waiting":
                there_is_room = there_is_room and self._admit(job, task)
                if not there_is_room:
                    break
            status = self._stage(job, task) if task.state in ("waiting", "staging") else None
            if status is None:
                ready += 1
            else:
                pending.append(status)
        if job.state in ("accepted", "staging"):
            self._advance(job, pending, can_run=ready > 0 or not window)
        return there_is_room

    def _admit(self, job: Job, task: TaskRow) -> bool:
        """Reserve room for the inputs of a task; False when there is none yet."""
        budget = int(self._config.storage.budget_gb * 1e9)
        with self._engine.begin() as connection:
            admission = job_tasks.admit(connection, task, budget)
        if admission.needed > budget:
            self._fail(
                job,
                f"Task {task.name} needs {admission.needed / 1e9:.1f} GB of disk at once, "
                f"the limit is {budget / 1e9:.1f} GB",
            )
        return admission.admitted

    def _stage(self, job: Job, task: TaskRow) -> RequestStatus | None:
        """Ask for the inputs of an admitted task, look how far they are; None once it is ready."""
        if not task.products:
            self._set_ready(task)
            return None
        try:
            request = task.request or self._request(job, task)
        except _NEVER_STAGED as error:
            if not task.optional:
                raise
            self._leave_out(task, str(error))
            return _NOTHING_KNOWN
        if request is None:
            return _NOTHING_KNOWN
        status = self._archive.status(request)
        if status.failed is not None:
            self._end_waiting(job, task, request, status)
        elif status.ready:
            self._set_ready(task)
            return None
        return status

    def _request(self, job: Job, task: TaskRow) -> str | None:
        """Have the inputs of a task recalled and pinned; None when it was put back meanwhile."""
        return request_for(
            self._archive,
            task,
            task.products,
            user=job.owner,
            purpose=f"{JOB_PURPOSE}{job.id}:{task.number}",
            pin_lifetime_s=PIN_LIFETIME_S,
        )

    def _set_ready(self, task: TaskRow) -> None:
        with self._engine.begin() as connection:
            job_tasks.set_ready(connection, task)

    def _advance(self, job: Job, pending: Sequence[RequestStatus], *, can_run: bool) -> None:
        """Give a waiting job the state that its tasks are in."""
        message = recall_message(pending) if pending else "Waiting for room on disk"
        if can_run:
            with self._engine.begin() as connection:
                job_waiting.advance(connection, job.id, job.state, "queued", WAITS_FOR_WORKER)
        elif job.state == "accepted" or message != job.message:
            with self._engine.begin() as connection:
                job_waiting.advance(
                    connection,
                    job.id,
                    job.state,
                    "staging",
                    message,
                    inputs_expected=_end_of_recalls(pending),
                )

    def _end_waiting(self, job: Job, task: TaskRow, request: str, status: RequestStatus) -> None:
        """Fail a job for what became of a request, unless its task has another one by now.

        A job goes on without an optional task.
        """
        lost = [file.uid for file in status.files if file.error]
        with self._engine.connect() as connection:
            still_waits = job_tasks.waits_for(connection, task, request)
            blame = blame_products(connection, job, lost)
        if still_waits and task.optional:
            self._leave_out(task, str(status.failed))
        elif still_waits:
            self._fail(job, str(status.failed), blame)

    def _leave_out(self, task: TaskRow, reason: str) -> None:
        """End an optional task unrun: those after it go on, and the outputs say why."""
        result = stored_result(TaskResult({}, left_out=reason))
        with self._engine.begin() as connection:
            is_left_out = job_tasks.leave_out(connection, task, reason, result)
        if is_left_out:
            logger.warning("job %s: task %s is left out: %s", task.job, task.name, reason)

    def _fail(self, job: Job, message: str, blame: Blame = NO_BLAME) -> None:
        logger.warning("job %s: failed while waiting: %s", job.id, message)
        with self._engine.begin() as connection:
            job_queue.fail(connection, job.id, message, code=blame.code, locator=blame.locator)

    def _release_needless(self) -> None:
        """Release what tasks that are over had pinned."""
        with self._engine.connect() as connection:
            needless = job_tasks.needless_requests(connection)
        for held in needless:
            release(self._engine, self._archive, held)


def _end_of_recalls(statuses: Sequence[RequestStatus]) -> datetime | None:
    """Return when the inputs are expected to be on disk, None when that is not known."""
    expected = [status.expected_s for status in statuses]
    known = [seconds for seconds in expected if seconds is not None]
    return times.now() + timedelta(seconds=max(known)) if known else None


def recall_message(statuses: Sequence[RequestStatus]) -> str:
    """Return how far the recalls are, in words a client reads."""
    missing = {
        file.uid: file for status in statuses for file in status.files if file.state != "ready"
    }
    if not missing:
        return "Waiting for input products"
    size = sum(file.size_bytes for file in missing.values())
    percent = 100 * sum(file.bytes_done for file in missing.values()) // max(size, 1)
    expected = [file.expected_s for file in missing.values() if file.expected_s is not None]
    noun = "product" if len(missing) == 1 else "products"
    text = f"Recalling {len(missing)} {noun} from tape, {percent} percent of {size / 1e9:.2f} GB"
    return f"{text}, about {max(expected):.0f} s left" if expected else text
