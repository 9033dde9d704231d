"""A real cluster of dask.distributed on loopback: a scheduler and workers that can be killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.patience import until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]


class DaskCluster:
    """A scheduler, and workers of one thread each that may have a nanny or not.

    Parameters
    ----------
    folder
        Where logs go, and where the workers may write.
    nannies
        For each worker, whether it has one.
    """

    def __init__(self, folder: Path, nannies: Sequence[bool] = (False, True)) -> None:
        self.folder = folder
        self._port, self._http_port = free_port(), free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._nannies = nannies
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start what does not run, and wait until all have met."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.stop()  # workers that have lost their scheduler
            listening = f"--host 127.0.0.1 --port {self._port}"
            http = f"--no-dashboard --dashboard-address 127.0.0.1:{self._http_port}"
            self.scheduler = self._run("scheduler", *listening.split(), *http.split())
        for process in self.workers:
            if process.poll() is not None:
                kill_tree(process)
        alive = [process for process in self.workers if process.poll() is None]
        self.workers = alive + [self._worker(nanny) for nanny in self._nannies[len(alive) :]]
        until(lambda: self._members() == len(self._nannies), 60)

    def stop(self) -> None:
        """Kill everything."""
        for process in (*self.workers, self.scheduler):
            if process is not None:
                kill_tree(process)

    def _worker(self, has_nanny: bool) -> "subprocess.Popen[bytes]":
        options = f"{self.address} --host 127.0.0.1 --nthreads 1 --memory-limit 0 --no-dashboard"
        nanny = "--nanny" if has_nanny else "--no-nanny"
        return self._run("worker", *options.split(), nanny, "--local-directory", str(self.folder))

    def _run(self, role: str, *options: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{role}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{role}", *options],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _members(self) -> int:
        """Return how many workers the scheduler knows."""
        try:
            with urlopen(f"http://127.0.0.1:{self._http_port}/json/counts.json") as answer:
                return int(json.load(answer)["workers"])
        except (URLError, ConnectionError):
            return 0


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with the session that it leads."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
