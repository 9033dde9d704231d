"""Dask workers on Slurm for the tasks of one job: as many as its tasks can use.

The scheduler of dask lives in the process of the job, so it begins and ends with it, and workers
end when they lose it. dask-jobqueue writes the job scripts. How many Slurm jobs there are is asked
of Slurm itself each time, and what is missing is submitted: a job that was cancelled, preempted,
or reached its time limit is replaced, and a Slurm that does not answer is asked again later.
"""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dask_jobqueue.slurm import SLURMJob
from distributed import Client, Scheduler, SpecCluster
from distributed.security import Security

from catalog_db.processing.job_queue import Claim
from peps_wps.config import Config
from peps_wps.jobs.dismissal import scratch_folder
from peps_wps.jobs.task_work import TaskLostError

logger = logging.getLogger(__name__)

PRELOADED = "peps_wps.jobs.cluster_preload"
ROUND_S = 1.0
CALL_LIMIT_S = 60.0
CONNECT_S = 5.0
# A worker that finds no scheduler for so long, or loses it, ends.
DEATH_TIMEOUT_S = 30
# Workers that nothing is left for are kept this long.
IDLE_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

_ALIVE = "PENDING,CONFIGURING,RUNNING,SUSPENDED"


class SlurmWorkers:
    """A dask scheduler, and Slurm jobs that run its workers. A context: left, all end.

    Parameters
    ----------
    config
        ``[slurm]`` says what is asked for.
    held
        The attempt, which names the Slurm jobs.
    """

    def __init__(self, config: Config, held: Claim) -> None:
        self._settings = config.slurm
        self._name = f"peps-{held.job}-{held.attempt}"
        self._folder = scratch_folder(config, held.job) / f"cluster-{held.attempt}"
        self._stop = threading.Event()
        self._wanted = 0
        self._submitted = 0
        self._pause_s = FIRST_PAUSE_S
        self._not_before = 0.0
        self._surplus_since: float | None = None
        self._failure: Exception | None = None

    def __enter__(self) -> "SlurmWorkers":
        self._folder.mkdir(parents=True, exist_ok=True)
        self._security = _own_security(self._folder)
        self._cluster = SpecCluster(
            scheduler={"cls": Scheduler, "options": self._scheduler_options()},
            workers={},
            silence_logs=logging.WARNING,
            security=self._security,
            name=self._name,
        )
        self._lifeline = _cancel_at_end(self._name)
        self._thread = threading.Thread(target=self._look_after, name="slurm", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        os.close(self._lifeline)
        self._cluster.close()

    def connect(self) -> Client:
        """Open a client of the scheduler."""
        return Client(
            self._cluster.scheduler_address,
            security=self._security,
            timeout=CONNECT_S,
            set_as_default=False,
        )

    def demand(self, tasks: int) -> None:
        """Say how many tasks there are to run now.

        Raises
        ------
        TaskLostError
            When nothing looks after the workers any more.
        """
        if self._failure is not None:
            raise TaskLostError("no workers could be had on Slurm") from self._failure
        if tasks < self._wanted:
            self._pause_s = FIRST_PAUSE_S  # one was done: the workers work
        self._wanted = tasks

    def _look_after(self) -> None:
        while not self._stop.is_set():
            try:
                self._round()
            except (OSError, subprocess.SubprocessError) as error:
                logger.warning("%s: Slurm refused: %s", self._name, _words_of(error))
            except Exception as error:  # noqa: BLE001  raised where the job sees it
                self._failure = error
                return
            self._stop.wait(ROUND_S)

    def _round(self) -> None:
        """Have as many Slurm jobs as there is work for."""
        listed = _call("squeue", "--noheader", "--name", self._name, "--states", _ALIVE, "-o", "%i")
        alive = len(listed.split())
        wanted = min(max(self._wanted, self._settings.minimum_jobs), self._settings.maximum_jobs)
        now = time.monotonic()
        if alive < wanted and now >= self._not_before:
            # Each time later, until a task is done: jobs that die at once are not for ever new.
            self._not_before = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            for _ in range(wanted - alive):
                if not self._stop.is_set():
                    self._submit()
        if alive <= wanted:
            self._surplus_since = None
        elif self._surplus_since is None:
            self._surplus_since = now
        elif now - self._surplus_since > IDLE_S:
            self._let_go(alive - wanted)

    def _submit(self) -> None:
        self._submitted += 1
        job = SLURMJob(
            scheduler=self._cluster.scheduler_address,
            name=f"{self._name}-{self._submitted}",
            **self._job_options(),
        )
        submitted = _call("sbatch", "--parsable", script=job.job_script())
        logger.info("%s: submitted Slurm job %s", self._name, submitted.strip())

    def _let_go(self, surplus: int) -> None:
        """Cancel what waits in vain, and end workers that have nothing to do."""
        _call("scancel", "--quiet", "--name", self._name, "--state", "PENDING")
        self._cluster.sync(_retire_idle, self._cluster.scheduler, surplus)

    def _scheduler_options(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "protocol": "tls://",
            "security": self._security,
            "host": settings.host or None,
            "interface": settings.interface or None,
            "port": 0,
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        }

    def _job_options(self) -> dict[str, Any]:
        """Return a Slurm job as dask-jobqueue describes it: one worker, one task at a time."""
        settings = self._settings
        return {
            "queue": settings.partition or None,
            "account": settings.account or None,
            "walltime": settings.walltime,
            "cores": 1,
            "processes": 1,
            "job_cpu": settings.cores,
            "memory": settings.memory,
            "nanny": False,
            "death_timeout": DEATH_TIMEOUT_S,
            "worker_extra_args": ["--preload", PRELOADED],
            "interface": settings.interface or None,
            "protocol": "tls://",
            "security": self._security,
            "job_name": self._name,
            "job_extra_directives": _parts(settings.job_extra),
            "job_script_prologue": _parts(settings.prologue),
            "log_directory": str(self._folder),
        }


def _cancel_at_end(name: str) -> int:
    """Have the Slurm jobs of a name cancelled when this process ends, however it does.

    Returns
    -------
    The descriptor to close to have it done at once; a Slurm that is silent is not waited for.
    """
    reader, writer = os.pipe()
    # In the background, whose standard input the shell takes away.
    wait_and_cancel = 'exec 3<&0; { read -r _ <&3; exec scancel --quiet --name "$0"; } &'
    command = ["sh", "-c", wait_and_cancel, name]
    subprocess.run(command, stdin=reader, start_new_session=True, check=True)
    os.close(reader)
    return writer


async def _retire_idle(scheduler: Scheduler, most: int) -> None:
    idle = [worker.address for worker in scheduler.workers.values() if not worker.processing]
    if idle:
        await scheduler.retire_workers(workers=idle[:most], close_workers=True, remove=True)


def _own_security(folder: Path) -> Security:
    """Return what only the workers of this attempt and this process can connect with.

    Whoever reaches an open scheduler can run code as its user.
    """
    made = Security.temporary()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    key.touch(mode=0o600)
    certificate.write_text(made.tls_ca_file)
    key.write_text(made.tls_worker_key)
    roles = {
        f"tls_{role}_{part}": str(path)
        for role in ("client", "scheduler", "worker")
        for part, path in (("cert", certificate), ("key", key))
    }
    return Security(tls_ca_file=str(certificate), require_encryption=True, **roles)


def _call(*command: str, script: str | None = None) -> str:
    """Run a command of Slurm and return what it says."""
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=True
    )
    return done.stdout


def _words_of(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return str(error.stderr).strip() or str(error)
    return str(error)


def _parts(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
