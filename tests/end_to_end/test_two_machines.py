"""A service and a worker that share a PostgreSQL database and the archive, as two machines do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import requests
from owslib.wps import WebProcessingService

from catalog_db import migrations, times
from catalog_db.engine import create_engine
from catalog_db.processing import jobs, workers
from tests.database import Databases
from tests.patience import stretched, until
from tests.ports import free_port
from tests.readers.safe_builder import TITLE, SafeRecipe, write_folder

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A machine: a state folder of its own, the rest shared."""

    def __init__(self, folder: Path, name: str, database_url: str) -> None:
        self.log = folder / f"{name}.log"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PEPS_VAR": str(folder / name),
            "PEPS_CATALOG_URL": database_url,
            "PEPS_STORAGE_PATH": str(folder / "pool"),
            "PEPS_TAPE_PATH": str(folder / "tape"),
            "PEPS_RESULTS_PATH": str(folder / "results"),
            "PEPS_PROCESSING_CHAINS": "tests.jobs.stand_in_chains",
            "PEPS_PROCESSING_PARALLELPROCESSES": "2",
            "PEPS_PROCESSING_MAXRUNNING": "2",
            "PEPS_TAPE_SPEED": "1000",
        }

    def peps(self, *arguments: str) -> str:
        """Return what a command answers."""
        ended = subprocess.run(
            self._command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=stretched(60),
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    @contextmanager
    def running(self, *arguments: str) -> Iterator[None]:
        """Run a service within the block."""
        with self.log.open("w") as log:
            process = subprocess.Popen(
                self._command(*arguments), env=self.environment, stdout=log, stderr=log
            )
        try:
            yield
            assert process.poll() is None, self.log.read_text()
        finally:
            process.terminate()
            assert process.wait() == 0, self.log.read_text()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "peps_wps.cli", *arguments]


@pytest.fixture
def database(databases: Databases, tmp_path: Path) -> Iterator[str]:
    with databases.fresh("postgresql", tmp_path, is_migrated=False) as url:
        yield url


def test_orders_by_wps_are_done_by_two_machines_within_one_limit(
    database: str, tmp_path: Path
) -> None:
    first, second = Machine(tmp_path, "a", database), Machine(tmp_path, "b", database)
    assert first.peps("db", "upgrade") == migrations.newest()
    assert second.peps("db", "current") == migrations.newest()
    dn = np.arange(60, dtype=np.uint16).reshape(6, 10)
    safe = write_folder(SafeRecipe(dn={"VV": dn, "VH": dn + 1}), tmp_path)
    first.peps("ingest", str(safe), "--tape")
    port = free_port()
    engine = create_engine(database)

    def alive() -> int:
        with engine.connect() as connection:
            since = times.now() - timedelta(seconds=30)
            return len(workers.heard_since(connection, since))

    with ExitStack() as stack:
        stack.enter_context(first.running("serve", "--open", "--port", str(port)))
        stack.enter_context(second.running("worker"))
        until(lambda: "PEPS is at" in first.log.read_text() and alive() == 2, 60)
        url = f"http://127.0.0.1:{port}"
        service = WebProcessingService(f"{url}/resto/wps", version="1.0.0")
        orders = [
            service.execute("S1_ORTHO", [("product", TITLE)], output=[], mode="async")
            for _ in range(6)
        ]
        most = []

        def all_have_ended() -> bool:
            with engine.connect() as connection:
                most.append(jobs.count_by_state(connection).get("running", 0))
            for order in orders:
                if not order.isComplete():
                    order.checkStatus(sleepSecs=0.05)
            return all(order.isComplete() for order in orders)

        until(all_have_ended, 60)
        assert [order.status for order in orders] == ["ProcessSucceeded"] * 6
        assert max(most) <= 2
        found = requests.get(f"{url}/resto/api/collections/S1/search.json", timeout=10).json()
        assert [one["properties"]["productIdentifier"] for one in found["features"]] == [TITLE]
        listed = json.loads(second.peps("jobs", "--json"))
        assert [job["state"] for job in listed] == ["succeeded"] * 6
    engine.dispose()
