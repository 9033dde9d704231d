"""Claims jobs, runs each in a process of its own, and answers for how that process ends.

Jobs are forked from a zygote (``multiprocessing``'s fork server) that has imported everything and
loaded the compiled kernels, so a job begins to work at once and a crash takes only itself along.
The limit of running jobs counts those of all supervisors of this machine on the database.
"""

import logging
import multiprocessing
import os
import re
import signal
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import connection as pipes
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from catalog_db import job_queue, times, workers
from catalog_db.engine import Engine
from catalog_db.job_queue import Claim, DatabaseError
from catalog_db.jobs import Job
from peps_wps.config import Config
from peps_wps.jobs import child
from peps_wps.jobs.dismissal import REMOVED, clean_folder, results_folder, scratch_folder
from peps_wps.jobs.lifeline import kill_group
from peps_wps.jobs.results_disk import REFUSED_EXIT_CODE, ResultsDisk

logger = logging.getLogger(__name__)

ZYGOTE = "peps_wps.jobs.zygote"
TICK_S = 0.25
PAUSE_AFTER_ERROR_S = 2.0
SWEEP_S = 60.0
LEAVE_S = 0.5
_JOB_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class RunningJob:
    """A job of this supervisor, its process, and when (monotonic) its time is over."""

    held: Claim
    process: ForkServerProcess
    deadline: float
    time_limit_s: float


class Supervisor:
    """Runs jobs until it is told to stop.

    Parameters
    ----------
    config
        ``[processing]`` says how many jobs run at once, and the times of leases.
    engine
        The database of the jobs.
    zygote
        The module that the process jobs are forked from imports first.
    """

    def __init__(self, config: Config, engine: Engine, *, zygote: str = ZYGOTE) -> None:
        self._config = config
        self._engine = engine
        self._settings = config.processing
        self._machine = f"{socket.gethostname()[:40]}:"
        self.worker = f"{self._machine}{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._context = multiprocessing.get_context("forkserver")
        self._zygote = zygote
        self._disk = ResultsDisk(config.results.path)
        self._running: dict[str, RunningJob] = {}
        self._zygote_is_ready = threading.Event()
        self._next_heartbeat = 0.0
        self._next_sweep = 0.0

    def run(self, stop: threading.Event) -> None:
        """Supervise until `stop` is set, then end the jobs that run, to be gone on with later."""
        # With the main module there, no job imports it anew.
        preloaded = ["__main__", self._zygote, self._settings.chains]
        self._context.set_forkserver_preload(preloaded)
        threading.Thread(target=self._wait_zygote, name="zygote", daemon=True).start()
        while not stop.is_set():
            try:
                self.run_once()
            except DatabaseError:
                logger.exception("the supervisor waits for the database")
                stop.wait(PAUSE_AFTER_ERROR_S)
            self._wait(TICK_S)
        self._stop_all()

    def run_once(self) -> None:
        """Do one round: bury the dead, end what must end, renew leases, claim."""
        self._reap()
        self._end_unwanted()
        now = time.monotonic()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._settings.heartbeat_s
            self._say_alive()
            self._renew_leases()
            self._recover_lost()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_S
            self._sweep()
        while self._claim_one():
            pass

    def _wait_zygote(self) -> None:
        """Wait for the zygote, which compiles the kernels when they were never used before.

        A job claimed meanwhile would hold up the supervisor until its process can be forked.
        """
        begun = time.monotonic()
        try:
            first = self._context.Process(target=os.getpid, daemon=True)
            first.start()
            first.join()
        except (OSError, EOFError):
            logger.exception("the process that jobs start from did not come up")
        self._zygote_is_ready.set()
        logger.info("ready to run jobs after %.1f s", time.monotonic() - begun)

    def _claim_one(self) -> bool:
        """Claim a job and start its process; False when there is none or no slot."""
        if len(self._running) >= self._settings.parallelprocesses:
            return False
        if not (self._zygote_is_ready.is_set() and self._someone_waits()):
            return False
        if (reason := self._disk.reason_to_wait()) is not None:
            self._tell_queued(reason)
            return False
        with self._engine.begin() as connection:
            job = job_queue.claim(
                connection,
                worker=self.worker,
                now=times.now(),
                lease_s=self._settings.lease_s,
                limit=self._settings.parallelprocesses,
                machine=self._machine,
            )
        if job is None:
            return False
        self._start(job)
        return True

    def _someone_waits(self) -> bool:
        """Look without the write lock, which an idle supervisor must not take all the time."""
        with self._engine.connect() as connection:
            return job_queue.someone_waits(connection)

    def _tell_queued(self, reason: str) -> None:
        """Say why no job begins: to the clients of those that wait, and once in the log."""
        with self._engine.connect() as connection:
            is_told = job_queue.all_queued_say(connection, reason)
        if not is_told:
            logger.warning("no job begins: %s", reason)
            with self._engine.begin() as connection:
                job_queue.tell_queued(connection, reason)

    def _start(self, job: Job) -> None:
        held = Claim(job.id, job.attempt, self.worker)
        if (left := self._running.pop(job.id, None)) is not None:
            # It gave way and is leaving; its claim had the value of this one, so its end must
            # not be told any more.
            self._kill(left)
            left.process.close()
        process = self._context.Process(
            target=child.main, args=(self._config, held, self._zygote), name=f"job-{job.id}"
        )
        try:
            process.start()
        except (OSError, EOFError) as error:
            logger.error("job %s: no process could be started: %s", job.id, error)  # noqa: TRY400
            with self._engine.begin() as connection:
                job_queue.attempt_lost(connection, held, "no process could be started")
            return
        limit_s = job.time_limit_s or self._settings.time_limit_s
        self._running[job.id] = RunningJob(held, process, time.monotonic() + limit_s, limit_s)
        with self._engine.begin() as connection:
            job_queue.set_process_group(connection, held, process.pid or 0)
        logger.info(
            "job %s: attempt %d of %d runs as process %d",
            job.id,
            job.attempt,
            job.max_attempts,
            process.pid,
        )

    def _reap(self) -> None:
        """Answer for the processes that have ended."""
        for running in list(self._running.values()):
            if running.process.is_alive():
                continue
            if running.process.exitcode == REFUSED_EXIT_CODE:
                self._put_back(running)
            else:
                self._disk.accepted()
            self._bury(running, exit_reason(running.process.exitcode))

    def _put_back(self, running: RunningJob) -> None:
        """Queue a job that the disk refused: it is begun again when there is room."""
        reason = self._disk.reason_of_refusal()
        with self._engine.begin() as connection:
            job_queue.hand_back(connection, running.held, message=reason, log=reason)
        self._disk.refused(reason)  # once a refusal, however long the database takes
        logger.warning("job %s: waits for the disk: %s", running.held.job, reason)

    def _end_unwanted(self) -> None:
        """Kill what was dismissed, taken over, or has used up its time."""
        if not self._running:
            return
        with self._engine.connect() as connection:
            wanted = job_queue.still_held(connection, [job.held for job in self._running.values()])
        for job_id, running in list(self._running.items()):
            if time.monotonic() > running.deadline:
                sentence = f"The job took longer than its limit of {running.time_limit_s:.0f} s"
                with self._engine.begin() as connection:
                    job_queue.fail(connection, job_id, sentence, held=running.held)
            elif job_id in wanted:
                continue
            else:
                running.process.join(LEAVE_S)  # it may just have ended its job, and be leaving
            self._kill(running)
            self._bury(running, "it was ended")

    def _say_alive(self) -> None:
        """Tell those who ask for the health of the service; forget who has been silent for long."""
        now = times.now()
        long_ago = now - timedelta(seconds=10 * self._settings.lease_s)
        with self._engine.begin() as connection:
            workers.note_heartbeat(connection, self.worker, self._settings.parallelprocesses, now)
            workers.forget_silent(connection, long_ago)

    def _renew_leases(self) -> None:
        for running in list(self._running.values()):
            with self._engine.begin() as connection:
                job_queue.heartbeat(
                    connection, running.held, now=times.now(), lease_s=self._settings.lease_s
                )

    def _recover_lost(self) -> None:
        with self._engine.begin() as connection:
            recovered = job_queue.recover_lost(connection, times.now())
        for job_id, state in recovered:
            logger.warning("job %s: its worker was lost, now %s", job_id, state)

    def _bury(self, running: RunningJob, reason: str) -> None:
        """Forget a process that has ended; if its job has not, have it tried again."""
        running.process.join()
        with self._engine.begin() as connection:
            state = job_queue.attempt_lost(connection, running.held, reason)
        if state is not None:
            logger.warning("job %s: %s, now %s", running.held.job, reason, state)
        self._running.pop(running.held.job).process.close()
        self._clean([running.held.job])

    def _clean(self, job_ids: list[str]) -> None:
        """Remove the scratch of jobs that have ended."""
        with self._engine.connect() as connection:
            finished = job_queue.finished_among(connection, job_ids)
        for job_id in finished:
            clean_folder(scratch_folder(self._config, job_id))

    def _sweep(self) -> None:
        """Remove results that have expired, and what jobs and supervisors that died left."""
        with self._engine.connect() as connection:
            expired = job_queue.expired(connection, times.now())
        for job in expired:
            with self._engine.begin() as connection:
                job_queue.forget_results(connection, job.id)
            clean_folder(results_folder(self._config, job.id))
            logger.info("job %s: results expired", job.id)
        scratch = scratch_folder(self._config, "any").parent
        self._clean(_folders_of_jobs(scratch))
        # Listed before the jobs are asked: one that ended without results publishes none later.
        published = _folders_of_jobs(scratch.parent)
        with self._engine.connect() as connection:
            left = job_queue.without_results(connection, published)
        for job_id in left:
            clean_folder(results_folder(self._config, job_id))
            logger.warning("job %s: removed files that it did not publish", job_id)
        for folder in (scratch, scratch.parent):
            for removed in folder.glob(f"{REMOVED}*"):
                clean_folder(removed)

    def _stop_all(self) -> None:
        """End the jobs that run; another supervisor, or the next start, goes on with them."""
        for running in list(self._running.values()):
            self._kill(running)
            with self._engine.begin() as connection:
                job_queue.hand_back(
                    connection,
                    running.held,
                    message="Waiting for the service to start again",
                    log="The service stopped while the job ran",
                )
            self._bury(running, "the service stopped")
        with self._engine.begin() as connection:
            workers.forget(connection, self.worker)

    def _kill(self, running: RunningJob) -> None:
        if running.process.pid is not None:
            kill_group(running.process.pid)
        running.process.join()

    def _wait(self, timeout_s: float) -> None:
        """Wait for a tick, or less when a job ends."""
        sentinels = [running.process.sentinel for running in self._running.values()]
        if sentinels:
            pipes.wait(sentinels, timeout_s)
        else:
            time.sleep(timeout_s)


def _folders_of_jobs(folder: Path) -> list[str]:
    """Return the jobs that have a folder in `folder`; nothing else there is ours."""
    return [path.name for path in folder.glob("*-*-*-*-*") if _JOB_ID.fullmatch(path.name)]


def exit_reason(exit_code: int | None) -> str:
    """Return why a process ended, in words."""
    if exit_code is not None and exit_code < 0:
        return f"its process was killed by {signal.Signals(-exit_code).name}"
    return f"its process ended with exit code {exit_code}"
