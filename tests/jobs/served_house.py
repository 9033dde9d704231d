"""`peps serve` on the database of a house, reached over HTTP as clients reach it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.jobs.job_house import House
from tests.patience import until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 120.0  # seconds, on a machine where much else runs


class Served:
    """A service in processes of its own.

    Parameters
    ----------
    house
        Whose configuration and database it has.
    settings
        More of the environment, ``PEPS_<SECTION>_<KEY>``.
    """

    def __init__(self, house: House, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = house.config.var.with_name("serve.log")
        self.environ = {
            **os.environ,
            **house.environ,
            "PYTHONPATH": str(ROOT),
            "PEPS_PROCESSING_CHAINS": "tests.jobs.load_chains",
            **{name: str(value) for name, value in settings.items()},
        }
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the service and wait until it answers."""
        command = [sys.executable, "-m", "peps_wps.cli", "serve", "--port", str(self.port)]
        with self.log.open("w") as stream:
            process = subprocess.Popen(command, stderr=stream, env=self.environ)
        until(lambda: "PEPS is at" in self.log.read_text() or process.poll(), START_LIMIT_S)
        assert process.poll() is None, self.log.read_text()
        return process

    def order(self, session: requests.Session, *, product: str = "", **wish: object) -> str:
        """Order a stand-in by WPS 1.0.0 as a PEPS script does; return the job."""
        words = "&".join(f"{name}={value}" for name, value in wish.items())
        answer = session.get(
            f"{self.url}/resto/wps",
            params={
                "service": "WPS",
                "version": "1.0.0",
                "request": "Execute",
                "identifier": "S1_ORTHO",
                "datainputs": f"product={requests.utils.quote(product or words)}",
                "storeExecuteResponse": "true",
                "status": "true",
            },
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        return answer.text.partition("pywps-")[2][:36]

    def stop(self) -> int:
        """End the service in order."""
        self.process.terminate()
        return self.process.wait()


@contextmanager
def served(house: House, **settings: object) -> Iterator[Served]:
    """Give a running service; it has ended after the block."""
    service = Served(house, **settings)
    try:
        # Workers are heard of a moment after the web answers.
        until(lambda: is_ready(service.url) or service.process.poll() is not None, START_LIMIT_S)
        assert is_ready(service.url), service.log.read_text()
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


def is_ready(url: str) -> bool:
    """Tell whether a service answers and has workers."""
    try:
        return requests.get(f"{url}/health", timeout=10).ok
    except requests.RequestException:
        return False


def percentile(values: list[float], percent: float) -> float:
    """Return the value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]
