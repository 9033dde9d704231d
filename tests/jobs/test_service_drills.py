"""The whole service, over HTTP, under kills, dismissals, stops and refusals."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from peps_wps import jobs as job_store
from peps_wps.jobs.dismissal import results_folder, scratch_folder
from tests.database import Databases
from tests.jobs.job_house import House, opened_house
from tests.jobs.kills import KILLS, Kill, survive
from tests.jobs.served_house import Served, served
from tests.jobs.views import VIEWS, agreed
from tests.patience import stretched, until
from tests.processes import descendants, is_alive

pytestmark = [pytest.mark.slow, pytest.mark.drill]


@pytest.fixture(scope="module")
def shared_house(
    databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("service")
    with (
        databases.fresh(database_kind, folder) as url,
        opened_house(folder, database_url=url) as house,
    ):
        yield house


@pytest.fixture(scope="module")
def shared_service(
    shared_house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with served(shared_house, TMPDIR=tmp_path_factory.mktemp("temporary")) as service:
        yield service


@pytest.fixture
def service(shared_house: House, shared_service: Served, tmp_path: Path) -> Served:
    """A service that has survived the tests before; the journal of its house is new."""
    shared_house.journal = tmp_path / "journal"
    return shared_service


@pytest.mark.parametrize("kill", KILLS.values(), ids=KILLS)
def test_no_job_is_lost_or_run_to_publication_twice(
    shared_house: House, service: Served, kill: Kill
) -> None:
    jobs = survive(shared_house, service, kill)

    assert max(job.attempt for job in jobs) <= 2
    if kill is KILLS["the web"]:
        assert {job.attempt for job in jobs} == {1}  # jobs did not notice


def dismiss_by_wps(session: requests.Session, url: str, job_id: str) -> None:
    query = {"service": "WPS", "version": "1.0.0", "request": "Dismiss", "jobid": job_id}
    session.get(f"{url}/resto/wps", params=query, timeout=30).raise_for_status()


def dismiss_by_ogc_api(session: requests.Session, url: str, job_id: str) -> None:
    session.delete(f"{url}/ogcapi/jobs/{job_id}", timeout=30).raise_for_status()


@pytest.mark.one_database
@pytest.mark.parametrize("dismiss", [dismiss_by_wps, dismiss_by_ogc_api])
def test_a_dismissed_job_is_gone_from_every_view_at_once_and_leaves_nothing(
    shared_house: House, service: Served, dismiss
) -> None:
    house = shared_house
    with requests.Session() as session:
        job_id = service.order(
            session, behaviour="with children", seconds=600, journal=house.journal
        )
        child = int(until(lambda: house.lines("child"), 30)[0].split()[-1])
        worker = int(house.lines("begin")[0].split()[1])
        begun = time.monotonic()
        dismiss(session, service.url, job_id)
        said = {name: view(session, service.url, job_id) for name, view in VIEWS.items()}

    assert set(said.values()) == {"dismissed"}, said
    until(lambda: not is_alive(worker) and not is_alive(child), 5)
    until(lambda: not scratch_folder(house.config, job_id).exists(), 5)
    assert time.monotonic() - begun < stretched(5)
    assert not results_folder(house.config, job_id).exists()
    # The slot is free: as many as may run at once do.
    with requests.Session() as session:
        others = [service.order(session, seconds=0) for _ in range(2)]
    assert {house.wait(other, limit_s=30).state for other in others} == {"succeeded"}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("wish", "state"),
    [
        ({}, "succeeded"),
        ({"behaviour": "chain error"}, "failed"),
        ({"behaviour": "exit"}, "failed"),
    ],
)
def test_every_view_says_the_same_of_an_end(
    shared_house: House, service: Served, wish: dict[str, str], state: str
) -> None:
    house = shared_house
    with requests.Session() as session:
        job_id = service.order(session, journal=house.journal, **wish)
    house.wait(job_id, limit_s=30)

    assert agreed(service.url, job_id) == state


@pytest.mark.one_database
def test_a_service_told_to_stop_hands_its_jobs_back_and_leaves_no_process(
    shared_house: House, service: Served
) -> None:
    house = shared_house
    with requests.Session() as session:
        job_id = service.order(session, tasks=2, seconds=1.5, journal=house.journal)
    until(lambda: house.lines("begin"), 30)
    processes = descendants(service.process.pid)
    begun = time.monotonic()

    assert service.stop() == 0
    assert time.monotonic() - begun < stretched(15)  # 3 s where nothing else runs
    until(lambda: not any(map(is_alive, processes)), 5)
    job = house.job(job_id)
    assert (job.state, job.shown_state, job.attempt) == ("queued", "running", 0)

    service.process = service.start()
    assert house.wait(job_id, limit_s=60).attempt == 1
    assert agreed(service.url, job_id) == "succeeded"


@contextlib.contextmanager
def another_worker(service: Served, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`peps worker` on the database of a service, at work."""
    command = [sys.executable, "-m", "peps_wps.cli", "worker"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=service.environ, stderr=stream)
    try:
        until(lambda: "Working on" in log.read_text())
        yield process
    finally:
        process.terminate()
        assert process.wait() == 0


def test_one_limit_holds_for_four_web_processes_and_two_workers(
    house: House, tmp_path: Path
) -> None:
    settings = {
        "PEPS_SERVER_WORKERS": 4,
        "PEPS_PROCESSING_PARALLELPROCESSES": 2,
        "PEPS_PROCESSING_LEASE_S": 60,  # neither worker takes the other for dead
    }
    log = tmp_path / "worker.log"
    with served(house, **settings) as service, another_worker(service, log):
        with requests.Session() as session:
            job_ids = [
                service.order(session, seconds=0.3, journal=house.journal) for _ in range(12)
            ]
        most = 0
        while not all(house.job(job_id).is_finished for job_id in job_ids):
            states = [house.job(job_id).state for job_id in job_ids]
            most = max(most, states.count("running"))
            time.sleep(0.02)
        states = {agreed(service.url, job_id) for job_id in job_ids}

    assert states == {"succeeded"}
    assert 1 <= most <= 2
    assert len(house.lines("gather")) == 12


@pytest.mark.one_database
def test_refused_orders_leave_no_file_and_no_row(shared_house: House, service: Served) -> None:
    def left() -> tuple[set[Path], int]:
        temporary = Path(service.environ["TMPDIR"])
        found = {
            path for folder in (shared_house.config.var, temporary) for path in folder.rglob("*")
        }
        page = job_store.page_of_jobs(shared_house.engine, job_store.JobFilter())
        return {path for path in found if "catalog.db" not in path.name}, page.total

    files, rows = left()
    refuse_orders(service)
    assert left()[0] - files == set()
    assert left()[1] == rows


def refuse_orders(service: Served) -> None:
    refused = [
        "identifier=NONE",
        "identifier=S1_ORTHO",
        "identifier=S1_ORTHO&datainputs=product=tasks%3Dmany%26x%3D1",
        "identifier=S1_ORTHO&datainputs=product=ABSENT",
        "identifier=S1_ORTHO&datainputs=product=a%3D1;unknown=2",
    ]
    for query in refused:
        answer = requests.get(
            f"{service.url}/resto/wps?service=WPS&version=1.0.0&request=Execute&{query}"
            "&storeExecuteResponse=true&status=true",
            timeout=30,
        )
        assert 400 <= answer.status_code < 500, answer.text
        assert "ExceptionReport" in answer.text


@pytest.mark.one_database
def test_a_full_queue_is_told_as_busy(house: House) -> None:
    with (
        served(house, PEPS_PROCESSING_MAXPROCESSES=2) as service,
        requests.Session() as session,
    ):
        for _ in range(2):
            service.order(session, seconds=60, journal=house.journal)
        until(lambda: len(house.lines("begin")) == 2, 30)
        for _ in range(2):
            service.order(session, seconds=60)
        answer = session.get(
            f"{service.url}/resto/wps",
            params={
                "service": "WPS",
                "version": "1.0.0",
                "request": "Execute",
                "identifier": "S1_ORTHO",
                "datainputs": "product=seconds%3D0",
                "storeExecuteResponse": "true",
                "status": "true",
            },
            timeout=30,
        )

    assert answer.status_code == 400
    assert 'exceptionCode="ServerBusy"' in answer.text
