"""The main job as a user does it: a product on tape, ordered by OWSLib from a running service.

The service is `peps serve` with its own web, recall and worker processes; the product is simulated
and what comes back is measured against its truth.
"""

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from owslib.wps import WebProcessingService, WPSExecution

from catalog_db.engine import create_engine
from catalog_db.processing import jobs
from simulator.score import score
from tests.chains.simulated_pass import SimulatedPass, simulate_pass
from tests.patience import stretched, until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


@dataclass
class Service:
    """A running service, its state folder and what was ingested into it."""

    url: str
    var: Path
    simulated: SimulatedPass
    environment: dict[str, str]

    @property
    def title(self) -> str:
        return self.simulated.products[0].title

    def peps(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "peps_wps.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=stretched(60),
        )

    def wps(self) -> WebProcessingService:
        return WebProcessingService(f"{self.url}/resto/wps", version="1.0.0")

    def order(self, *inputs: tuple[str, str]) -> WPSExecution:
        return self.wps().execute("S1_ORTHO", [("product", self.title), *inputs], output=[])

    def storage_mode(self) -> str:
        search = f"{self.url}/resto/api/collections/S1/search.json"
        answer = requests.get(search, params={"productIdentifier": self.title}, timeout=10).json()
        return answer["features"][0]["properties"]["storage"]["mode"]


def wait(execution: WPSExecution) -> WPSExecution:
    def is_complete() -> bool:
        execution.checkStatus(sleepSecs=0)
        return bool(execution.isComplete())

    until(is_complete, PATIENCE_S, pause_s=0.5)
    return execution


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("main-job")
    simulated = simulate_pass(folder / "product", lines=1400, samples=1700)
    var = folder / "var"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PEPS_VAR": str(var),
        "PEPS_DEM_PATH": str(simulated.folder / "dem"),
        "PEPS_TAPE_SPEED": "20",
        "PEPS_PROCESSING_LEASE_S": "4",
        "PEPS_PROCESSING_HEARTBEAT_S": "1",
    }
    port = free_port()
    made = Service(f"http://127.0.0.1:{port}", var, simulated, environment)
    ingested = made.peps("ingest", str(simulated.paths[0]), "--tape", "--json")
    assert ingested.returncode == 0, ingested.stderr
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "peps_wps.cli", "serve", "--open", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _is_ready(made.url) or process.poll() is not None, PATIENCE_S, pause_s=0.2)
        assert process.poll() is None, (folder / "serve.log").read_text()
        yield made
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=10).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def finished(service: Service) -> WPSExecution:
    """The main job, done once."""
    assert service.storage_mode() == "tape"
    return wait(service.order(("min_coverage", "1")))


@pytest.fixture(scope="module")
def results(finished: WPSExecution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, fetched by its link and unpacked."""
    assert finished.isSucceded(), finished.errors
    folder = tmp_path_factory.mktemp("results")
    links = {output.identifier: output.reference for output in finished.processOutputs}
    answer = requests.get(links["archive"], timeout=30)
    answer.raise_for_status()
    assert answer.headers["Content-Type"] == "application/zip"
    (folder / "archive.zip").write_bytes(answer.content)
    with zipfile.ZipFile(folder / "archive.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def test_the_product_was_recalled_from_tape(service: Service, finished: WPSExecution):
    assert service.storage_mode() == "disk"


@pytest.mark.parametrize("polarization", ["VV", "VH"])
def test_the_result_lies_where_the_truth_is(service: Service, results: Path, polarization: str):
    (image,) = results.glob(f"*/s1a_*_{polarization.lower()}_*.tif")
    found = score(service.simulated.truth(), image, polarization=polarization)
    assert found.easting.size >= 4
    assert found.missing == 0
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0


def test_the_report_comes_last_and_is_finished(finished: WPSExecution):
    assert [o.identifier for o in finished.processOutputs] == ["archive", "quicklook", "report"]
    report = requests.get(finished.processOutputs[-1].reference, timeout=10)
    user_info = report.json()["USER_INFO"]
    assert user_info["job_status"] == "FINISHED"
    assert user_info["percentCompleted"] == 100
    assert report.json()["tiles"][0]["geolocation"][0]["line_rms"] < 0.05


def test_a_killed_job_is_done_again_and_published_once(service: Service):
    execution = service.order(("min_coverage", "1"), ("resampling", "lanczos"))
    job = execution.statusLocation.split("pywps-")[1].removesuffix(".xml")
    os.kill(_process_of(service, job), signal.SIGKILL)

    wait(execution)

    assert execution.isSucceded(), execution.errors
    engine = create_engine(f"sqlite:///{service.var / 'catalog.db'}")
    with engine.connect() as connection:
        row = jobs.get(connection, job)
        lines = [line.message for line in jobs.log_of(connection, job)]
    engine.dispose()
    assert row is not None
    assert row.attempt == 2
    assert sum("succeeded" in line.lower() for line in lines) <= 1
    archives = list((service.var / "results" / job).glob("*.zip"))
    assert len(archives) == 1
    # Cleared by its supervisor, which hears of the end of the process after the job has ended.
    until(lambda: not (service.var / "results" / ".work" / job).exists())


def _process_of(service: Service, job: str) -> int:
    """The process group of a job, as soon as it runs."""
    engine = create_engine(f"sqlite:///{service.var / 'catalog.db'}")

    def group() -> int | None:
        with engine.connect() as connection:
            row = jobs.get(connection, job)
        return row.process_group if row is not None and row.state == "running" else None

    found = int(until(group, PATIENCE_S, pause_s=0.02))
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([("product", "S1A_NOT_HERE")], "product S1A_NOT_HERE is not in the catalogue"),
        ([("tiles", "33XVB")], "tile 33XVB lies outside"),
        ([("tiles", "31TCJ")], "below min_coverage of 10 percent"),
        ([("polarizations", "HH")], "polarization HH is not in"),
        ([("calibration", "gamma")], "gamma"),
    ],
)
def test_an_order_that_cannot_work_is_refused_at_once(service: Service, inputs, message):
    given = [("product", service.title), *inputs]
    if inputs[0][0] == "product":
        given = inputs
    with pytest.raises(Exception, match=message):
        service.wps().execute("S1_ORTHO", given, output=[])
