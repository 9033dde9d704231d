"""Claims jobs, runs each in a process of its own, and answers for how that process ends.

Jobs are forked from a zygote (``multiprocessing``'s fork server) that has imported everything and
loaded the compiled kernels, so a job begins to work at once and a crash takes only itself along.
Limits count the jobs of all supervisors on the database: those of this machine, and those of all.

Jobs run in two lanes with slots of their own: ``main``, and ``quick`` for processes that take
seconds, whose clients need not wait behind hours of the others.
"""

import logging
import math
import multiprocessing
import os
import re
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import connection as pipes
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.processing import job_purge, job_queue, job_waiting, workers
from catalog_db.processing.job_queue import Claim, DatabaseError, RunningLimits
from catalog_db.processing.jobs import Job
from peps_wps.config import Config
from peps_wps.jobs import child
from peps_wps.jobs.dismissal import REMOVED, clean_folder, results_folder, scratch_folder
from peps_wps.jobs.lifeline import exit_reason, kill_group
from peps_wps.jobs.results_disk import REFUSED_EXIT_CODE, ResultsDisk
from peps_wps.jobs.task_runner import modules_of
from storage.lateness import Lateness
from storage.outage import Outage, reason_of

logger = logging.getLogger(__name__)

ZYGOTE = "peps_wps.jobs.zygote"
TICK_S = 0.1
PAUSE_AFTER_ERROR_S = 2.0
SWEEP_S = 60.0
LEAVE_S = 0.5
_JOB_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class RunningJob:
    """A job of this supervisor, its process, and when (monotonic) its time is over."""

    held: Claim
    lane: str
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
        # Of each lane; the quick one has a limit of this machine only.
        self._limits = {
            "quick": RunningLimits(self._settings.quickprocesses),
            "main": RunningLimits(
                self._settings.parallelprocesses,
                self._settings.maxrunning,
                self._settings.maxrunning_user,
            ),
        }
        self._machine = f"{socket.gethostname()[:40]}:"
        self.worker = f"{self._machine}{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._context = multiprocessing.get_context("forkserver")
        self._zygote = zygote
        self._disk = ResultsDisk(config.results.path)
        self._running: dict[str, RunningJob] = {}
        self._zygote_is_ready = threading.Event()
        self._next_heartbeat = 0.0
        self._leases_count_from = 0.0
        self._lateness = Lateness(self._settings.lease_s)
        self._next_sweep = 0.0

    def run(self, stop: threading.Event) -> None:
        """Supervise until `stop` is set, then end the jobs that run, to be gone on with later."""
        # The main module of the service: there already, no job imports it anew.
        modules = (self._zygote, self._settings.chains, *modules_of(self._config))
        preloaded = ["peps_wps.cli", *modules]
        self._context.set_forkserver_preload(preloaded)
        threading.Thread(target=self._wait_zygote, name="zygote", daemon=True).start()
        outage = Outage("the supervisor", logger)
        while not stop.is_set():
            try:
                self.run_once()
            except DatabaseError as error:
                outage.note(error)
                self._leases_count_from = math.inf
                stop.wait(PAUSE_AFTER_ERROR_S)
            else:
                outage.over()
                self._trust_leases_later()
            self._wait(TICK_S)
        self._stop_all()

    def run_once(self) -> None:
        """Do one round: bury the dead, end what must end, renew leases, claim."""
        self._reap()
        self._end_unwanted()
        self._keep_alive()
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_S
            self._sweep()
        for lane in self._limits:
            while self._claim_one(lane):
                self._keep_alive()

    def _trust_leases_later(self) -> None:
        """After an outage, in which nobody could renew a lease, give the others time to do it."""
        if self._leases_count_from == math.inf:
            grace_s = PAUSE_AFTER_ERROR_S + self._settings.lease_s
            self._leases_count_from = time.monotonic() + grace_s

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

    def _claim_one(self, lane: str) -> bool:
        """Claim a job and start its process; False when there is none or no slot."""
        limits = self._limits[lane]
        if sum(job.lane == lane for job in self._running.values()) >= limits.machine:
            return False
        if not (self._zygote_is_ready.is_set() and self._someone_waits(lane)):
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
                limits=limits,
                lane=lane,
            )
        if job is None:
            return False
        self._start(job)
        return True

    def _someone_waits(self, lane: str) -> bool:
        """Look without the write lock, which an idle supervisor must not take all the time."""
        with self._engine.connect() as connection:
            return job_queue.someone_waits(connection, lane)

    def _tell_queued(self, reason: str) -> None:
        """Say why no job begins: to the clients of those that wait, and once in the log."""
        with self._engine.connect() as connection:
            is_told = job_waiting.all_queued_say(connection, reason)
        if not is_told:
            logger.warning("no job begins: %s", reason)
            with self._engine.begin() as connection:
                job_waiting.tell_queued(connection, reason)

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
        deadline = time.monotonic() + limit_s
        self._running[job.id] = RunningJob(held, job.lane, process, deadline, limit_s)
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

    def _keep_alive(self) -> None:
        """Renew the leases when it is time."""
        now = time.monotonic()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._settings.heartbeat_s
            self._say_alive()

    def _say_alive(self) -> None:
        """Renew the leases, take over what others have lost, tell that this worker is there."""
        now = times.now()
        if self._lateness.begins(now):
            grace_from = time.monotonic() + self._settings.lease_s
            self._leases_count_from = max(self._leases_count_from, grace_from)
        long_ago = now - timedelta(seconds=10 * self._settings.lease_s)
        held = [running.held for running in self._running.values()]
        slots = self._settings.parallelprocesses
        with self._engine.begin() as connection:
            job_queue.heartbeat(connection, held, now=now, lease_s=self._settings.lease_s)
            job_queue.shorten_leases(connection, now=now, lease_s=self._settings.lease_s)
            is_early = time.monotonic() < self._leases_count_from
            recovered = [] if is_early else job_queue.recover_lost(connection, now)
            workers.note_heartbeat(
                connection, self.worker, slots, now, quick_slots=self._settings.quickprocesses
            )
            workers.forget_silent(connection, long_ago)
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
            finished = job_purge.finished_among(connection, job_ids)
        for job_id in finished:
            self._remove(scratch_folder(self._config, job_id))

    def _remove(self, folder: Path) -> None:
        """Remove a folder, which may take longer than a lease lasts."""
        with ThreadPoolExecutor(1, "removal") as executor:
            removal = executor.submit(clean_folder, folder)
            while not wait([removal], TICK_S).done:
                self._keep_alive()
            removal.result()

    def _sweep(self) -> None:
        """Remove what is kept no longer, and what jobs and supervisors that died left."""
        self._purge()
        scratch = scratch_folder(self._config, "any").parent
        self._clean(_folders_of_jobs(scratch))
        # Listed before the jobs are asked: one that ended without results publishes none later.
        published = _folders_of_jobs(scratch.parent)
        with self._engine.connect() as connection:
            left = job_purge.without_results(connection, published)
        for job_id in left:
            self._remove(results_folder(self._config, job_id))
            logger.warning("job %s: removed files that it did not publish", job_id)
        for folder in (scratch, scratch.parent):
            for removed in folder.glob(f"{REMOVED}*"):
                self._remove(removed)

    def _purge(self) -> None:
        """Remove the results, tasks and logs of old jobs, and the rows of very old ones.

        Where there are more than a batch, the next round goes on with them.
        """
        now = times.now()
        kept = timedelta(days=self._settings.result_days)
        with self._engine.connect() as connection:
            old = job_purge.to_purge(connection, now, kept)
        for job_id in old:
            with self._engine.begin() as connection:
                is_purged = job_purge.purge(connection, job_id, now)
            if is_purged:
                self._remove(results_folder(self._config, job_id))
                logger.info("job %s: results and log expired", job_id)
        with self._engine.begin() as connection:
            forgotten = job_purge.forget(connection, now - timedelta(days=self._settings.job_days))
        if forgotten:
            logger.info("rows of %d jobs forgotten", forgotten)
        if job_purge.BATCH in (len(old), forgotten):
            self._next_sweep = 0.0

    def _stop_all(self) -> None:
        """End the jobs that run; another supervisor, or the next start, goes on with them."""
        for running in self._running.values():
            self._kill(running)
        try:
            self._hand_all_back()
        except DatabaseError as error:
            # Their leases end by themselves.
            logger.warning("running jobs could not be handed back: %s", reason_of(error))

    def _hand_all_back(self) -> None:
        for running in list(self._running.values()):
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
