"""A real Slurm of one node on loopback: munged, slurmctld and slurmd with folders of their own."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.jobs.cluster.dask_cluster import kill_tree
from tests.patience import until
from tests.ports import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
KILL_WAIT_S = 2
CLEAR_S = 30

_SETTINGS = """\
ClusterName=peps
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=sched_min_interval=0,sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait={kill_wait_s}
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmNode:
    """Slurm's daemons; `environment` is what leads its commands to them.

    Parameters
    ----------
    folder
        Where everything lies; its path is short enough for a socket.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = socket.gethostname().partition(".")[0]
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(64))
        key.chmod(0o400)
        settings = _SETTINGS.format(
            folder=folder,
            host=self.host,
            user=pwd.getpwuid(os.geteuid()).pw_name,
            controller_port=free_port(),
            node_port=free_port(),
            kill_wait_s=KILL_WAIT_S,
        )
        (folder / "slurm.conf").write_text(settings)

    def start(self) -> None:
        """Start the daemons and wait until the node can take jobs."""
        options = [f"--{name}={self.folder}/munge.{name}" for name in ("socket", "seed-file")]
        options += [f"--key-file={self.folder}/munge.key", f"--pid-file={self.folder}/munge.pid"]
        self._run("munged", "--foreground", "--force", *options)
        until((self.folder / "munge.socket").exists)
        self.start_controller()
        self._run("slurmd", "-D")
        # Mixed, where it knows of jobs from before that ended with it.
        until(lambda: self.state() in ("idle", "mixed"), 30)

    def start_controller(self) -> None:
        """Start the controller, which goes on from the state that it saved."""
        self._run("slurmctld", "-D")

    def kill_controller(self, name: str) -> None:
        """Kill the controller with SIGKILL; jobs and node go on without it.

        It saves what it knows within seconds; one that had not heard of the last job when it comes
        back would give its number to another, which the node then takes for the one that ended.

        Parameters
        ----------
        name
            Part of the name of the job that it must have saved.
        """
        until(lambda: name.encode() in self._saved_state())
        kill_tree(self._daemons.pop("slurmctld"))

    def _saved_state(self) -> bytes:
        """Return what the controller has saved, nothing while it puts a new file in place."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "state/job_state").read_bytes()
        return b""

    def clear(self) -> None:
        """Cancel what a test before has left, and wait until nothing is there.

        A job whose steps were killed with their machine counts as running until the node registers.
        """
        if left := self.jobs():
            self.call("scancel", "--quiet", *left)
            until(lambda: not self.jobs(), CLEAR_S)

    def stop(self) -> None:
        """Cancel all jobs and kill the daemons."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.call("scancel", "--quiet", "--state=PENDING")
            self.call("scancel", "--quiet", "--full", "--signal=KILL", *self.jobs())
        for daemon in self._daemons.values():
            kill_tree(daemon)
        self._kill_steps()

    def _kill_steps(self) -> None:
        """Kill what the node ran: its daemon may have died before it could."""
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}"
        for process in Path("/proc").glob("[0-9]*"):
            # Others end meanwhile, or belong to others; those of the test know the node too.
            with contextlib.suppress(OSError):
                settings = (process / "environ").read_bytes().decode(errors="replace").split("\0")
                is_step = any(setting.startswith("SLURM_JOB_ID=") for setting in settings)
                is_daemon = (process / "comm").read_text().strip() == "slurmstepd"
                if mark in settings and (is_step or is_daemon):
                    os.kill(int(process.name), signal.SIGKILL)

    @contextlib.contextmanager
    def drained(self) -> Iterator[None]:
        """Take no more jobs on the node inside the block; those that run go on."""
        node = f"node={self.host}"
        self.call("scontrol", "update", node, "state=drain", "reason=test")
        try:
            yield
        finally:
            self.call("scontrol", "update", node, "state=resume")

    def state(self) -> str:
        """Return the state of the node, empty while the controller is silent."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return self.call("sinfo", "--noheader", "--format=%T").strip("*\n")
        return ""

    def jobs(self, name: str | None = None) -> list[str]:
        """Return the jobs that have not ended, by name or all."""
        names = [] if name is None else [f"--name={name}"]
        return self.call("squeue", "--noheader", "--format=%i", *names).split()

    def call(self, *command: str) -> str:
        """Run a command of Slurm and return what it says."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def _run(self, *command: str) -> None:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            self._daemons[command[0]] = subprocess.Popen(
                command,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def missing_programs() -> list[str]:
    """Return what of Slurm is not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]
