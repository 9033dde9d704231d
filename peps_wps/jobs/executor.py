"""Inside the process of a job: its tasks, then the outputs, then publication.

What it writes to the database goes through its `Claim`; once that is lost it stops writing and
leaves. Tasks done by an earlier attempt are not done again: their files stay in its folder.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from catalog_db import times
from catalog_db.engine import Connection, Engine
from catalog_db.patience import patiently
from catalog_db.processing import job_queue, job_tasks, jobs
from catalog_db.processing.job_queue import Claim, DatabaseError
from catalog_db.processing.jobs import Job, TaskRow
from peps_wps.chains.contract import Chain, Outputs
from peps_wps.config import Config
from peps_wps.errors import ChainError, InvalidInputError
from peps_wps.jobs import results_disk
from peps_wps.jobs.blame import blame_of
from peps_wps.jobs.chain_lookup import chain_of
from peps_wps.jobs.dismissal import remove_folder, results_folder, scratch_folder
from peps_wps.jobs.progress import JobProgress
from peps_wps.jobs.task_loop import ClaimLostError, GiveWayError, TaskLoop, finished_task
from peps_wps.jobs.task_runner import open_runner
from peps_wps.jobs.task_work import TaskLostError, file_in
from peps_wps.staging import Archive
from peps_wps.writers.publish import publish_folder
from storage.errors import ProductWithdrawnError, StorageError
from storage.part_file import sync_folder

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

GATHER_SHARE = 0.1  # of the progress

INTERNAL_ERROR = "The processing met an internal error, reported to the operators with the job id"


@dataclass(frozen=True)
class Execution:
    """One attempt at a job, and what it works with.

    Parameters
    ----------
    config, engine, archive
        The configuration, the database of the jobs, where products lie.
    held
        The right to write for the job.
    zygote
        The module that warms up processes of tasks, where they are not this one.
    """

    config: Config
    engine: Engine
    archive: Archive
    held: Claim
    zygote: str

    def run(self) -> None:
        """Run the attempt and record its end, whatever that is."""
        try:
            self._run()
        except ClaimLostError:
            logger.info("job %s: attempt %d is no longer wanted", self.held.job, self.held.attempt)
        except TaskLostError as error:
            self._lose(error)
        except GiveWayError:
            self._give_way()
        except (ChainError, InvalidInputError, ProductWithdrawnError) as error:
            self._fail(str(error), error)
        except (MemoryError, OSError, StorageError, DatabaseError, SystemExit) as error:
            self._lose(error)
        except Exception as error:  # noqa: BLE001  the last resort: logged whole, told in brief
            self._log_traceback(error)
            self._fail(INTERNAL_ERROR, error)

    def _run(self) -> None:
        job, tasks = patiently(self._read)
        if job is None:
            raise ClaimLostError
        chain = chain_of(self.config, job.process)
        order = chain.order_from_json(dict(job.order))
        with JobProgress(self.engine, self.held, tasks, GATHER_SHARE) as progress:
            config = _with_address(self.config, job)
            loop = TaskLoop(config, self.engine, self.archive, self.held, job.process)
            with open_runner(self.config, self.held, self.zygote) as runner:
                loop.run(runner, progress)
            self._finish(chain, order, progress)
        logger.info("job %s: %s succeeded in attempt %d", job.id, job.process, job.attempt)

    def _read(self) -> tuple[Job | None, list[TaskRow]]:
        """Return the job as it stands, and its tasks."""
        with self.engine.connect() as connection:
            job = jobs.get(connection, self.held.job)
            return job, jobs.tasks_of(connection, self.held.job)

    def _finish(self, chain: Chain[Any], order: Any, progress: JobProgress) -> None:
        """Make the outputs of what the tasks gave, and publish them."""
        _, tasks = patiently(self._read)
        finished = [finished_task(row, self._scratch) for row in tasks]
        partial = self._fresh_folder("output")
        progress.gather("Preparing the results", 0)
        outputs = chain.gather(order, finished, partial, progress.gather)
        results = results_of(outputs, partial)
        progress.gather("Publishing the results", 100)
        self._publish(partial, results)

    def _publish(self, folder: Path, results: Mapping[str, Any]) -> None:
        """Make the results visible and the job succeeded, both or neither."""
        whole = folder.with_name("whole")
        remove_folder(whole)
        publish_folder(folder, whole)  # the slow part, every byte made durable, is done unlocked
        target = results_folder(self.config, self.held.job)
        expires = times.now() + timedelta(days=self.config.processing.result_days)

        def publish(connection: Connection) -> None:
            if not job_queue.succeed(connection, self.held, results, expires=expires):
                raise ClaimLostError
            if whole.exists():  # else renamed already, before a commit that failed
                # What lies there is of an attempt that died between its rename and its commit.
                remove_folder(target)
                whole.rename(target)
                sync_folder(target.parent)

        self._write(publish)

    @property
    def _scratch(self) -> Path:
        return scratch_folder(self.config, self.held.job)

    def _fresh_folder(self, name: str) -> Path:
        """Return an empty folder of this attempt."""
        folder = self._scratch / f"attempt-{self.held.attempt}" / name
        remove_folder(folder)
        folder.mkdir(parents=True)
        return folder

    def _give_way(self) -> None:
        self._write(lambda connection: job_queue.give_way(connection, self.held))
        logger.info("job %s: gives way until its next inputs are on disk", self.held.job)

    def _write(self, action: Callable[[Connection], Answer]) -> Answer:
        """Return what a write transaction gives, as soon as the database takes it."""

        def once() -> Answer:
            with self.engine.begin() as connection:
                return action(connection)

        return patiently(once)

    def _fail(self, sentence: str, error: Exception) -> None:
        def fail(connection: Connection) -> None:
            job = jobs.get(connection, self.held.job)
            blame = blame_of(error, job.inputs if job else {})
            job_queue.fail(
                connection,
                self.held.job,
                sentence,
                held=self.held,
                code=blame.code,
                locator=blame.locator,
            )

        self._write(fail)
        logger.warning("job %s: failed: %s", self.held.job, sentence)

    def _lose(self, error: BaseException) -> None:
        """End the attempt for a reason that another one may not meet."""
        if results_disk.is_refusal(error, self.config.results.path):
            logger.error("job %s: the disk refused: %s", self.held.job, error)
            # Not by the database, which may lie on the same disk: the supervisor puts it back.
            raise SystemExit(results_disk.REFUSED_EXIT_CODE) from error
        self._log_traceback(error)
        if isinstance(error, StorageError):
            # Inputs that were pinned are gone: the next attempt has them staged anew.
            left = self._write(lambda connection: job_tasks.stage_again(connection, self.held))
            for request in left:
                self.archive.release(request)
        reason = _reason(error)
        self._write(lambda connection: job_queue.attempt_lost(connection, self.held, reason))

    def _log_traceback(self, error: BaseException) -> None:
        """Write the traceback to the log of the server and of the job, where no client looks."""
        logger.error("job %s: attempt %d ended", self.held.job, self.held.attempt, exc_info=error)
        text = "".join(traceback.format_exception(error))
        self._write(lambda connection: jobs.add_log(connection, self.held.job, "DEBUG", text))


def results_of(outputs: Outputs, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the results of a job as its row keeps them."""
    results: dict[str, dict[str, Any]] = {}
    for output in outputs.outputs:
        if output.path is None:
            results[output.identifier] = {"value": output.value, "type": output.mime_type}
        else:
            size = file_in(folder, output.path).stat().st_size
            results[output.identifier] = {
                "href": output.path,
                "type": output.mime_type,
                "size": size,
            }
    if outputs.report:
        results.setdefault("report", {"value": outputs.report, "type": "application/json"})
    return results


def _with_address(config: Config, job: Job) -> Config:
    """Return a configuration whose links lead to where the client found the service.

    That is the configured address, where there is one.
    """
    url = config.server.url or job.response_options.get("base", "")
    return replace(config, server=replace(config.server, url=url))


def _reason(error: BaseException) -> str:
    """Return why an attempt ended, in words that tell a client nothing of the inside."""
    if isinstance(error, MemoryError):
        return "it ran out of memory"
    if isinstance(error, (StorageError, TaskLostError)):
        return str(error)
    if isinstance(error, SystemExit):
        return "it left before its end"
    if isinstance(error, DatabaseError):
        return "the database refused"
    strerror = error.strerror if isinstance(error, OSError) else None
    return f"a file could not be read or written: {strerror or 'no reason given'}"
