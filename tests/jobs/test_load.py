"""Load over real HTTP: many submissions at once, many readers while jobs report progress.

A seeded sample runs in the suite. With ``PEPS_DRILLS=1`` the size and the times are those that the
service promises on two idle cores (docs/benchmarks.md); a busy machine meets the sample only.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests

from catalog_db import jobs
from tests.jobs.job_house import House, until
from tests.jobs.served_house import Served, percentile, served
from tests.jobs.views import STATES, VIEWS, WAITING, agreed

IS_FULL = os.environ.get("PEPS_DRILLS") == "1"

pytestmark = pytest.mark.drill


# (name, value), kept with the outcome of the test
Figures = Callable[[str, object], None]


@pytest.fixture
def figures(record_property: Figures) -> Figures:
    return record_property


def size(full: int, sample: int) -> int:
    return full if IS_FULL else sample


@dataclass
class Running:
    """Watches, from the database, how many jobs run at once."""

    house: House
    most: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Running":
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            with self.house.engine.connect() as connection:
                running = jobs.count_by_state(connection).get("running", 0)
            self.most = max(self.most, running)


def ended(house: House, limit_s: float) -> dict[str, int]:
    """Wait until every job has ended; return how many are in each state."""

    def counts() -> dict[str, int] | None:
        with house.engine.connect() as connection:
            found = jobs.count_by_state(connection)
        return found if set(found) <= set(jobs.FINISHED) else None

    found: dict[str, int] = until(counts, limit_s)
    return found


def submit_from_threads(service: Served, number: int, threads: int) -> list[float]:
    """Order as many jobs as fast as the threads can; return the seconds that each order took."""

    def submit(_: int) -> float:
        begun = time.monotonic()
        with requests.Session() as session:
            service.order(session, seconds=0)
        return time.monotonic() - begun

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(submit, range(number)))


@pytest.mark.slow
def test_jobs_submitted_at_once_are_all_accepted_and_all_end_within_the_limit(
    house: House, figures: Figures
) -> None:
    number, threads = size(200, 40), size(20, 8)
    with served(house) as service, Running(house) as running:
        begun = time.monotonic()
        took = submit_from_threads(service, number, threads)
        whole_s = time.monotonic() - begun
        states = ended(house, limit_s=5 * number)

    figures("accepted_s", whole_s)
    figures("p95_s", percentile(took, 95))
    assert states == {"succeeded": number}
    assert running.most <= house.config.processing.parallelprocesses
    if IS_FULL:
        assert whole_s < 10
        assert percentile(took, 95) < 1.5


@pytest.mark.slow
def test_five_orders_a_second_are_answered_while_two_jobs_run(
    house: House, figures: Figures
) -> None:
    number = size(100, 10)
    took = []
    with served(house) as service, requests.Session() as session:
        for _ in range(2):
            service.order(session, seconds=600)
        until(lambda: len(house_running(house)) == 2, 30)
        begun = time.monotonic()
        for order in range(number):
            time.sleep(max(0.0, begun + order / 5 - time.monotonic()))
            asked = time.monotonic()
            service.order(session, seconds=0)
            took.append(time.monotonic() - asked)
        running = house_running(house)

    figures("p95_s", percentile(took, 95))
    assert len(running) == 2
    if IS_FULL:
        assert percentile(took, 95) < 0.2


def house_running(house: House) -> list[jobs.Job]:
    with house.engine.connect() as connection:
        return jobs.list_jobs(connection, states=("running",))


@dataclass
class Reader:
    """A client that reads the views of jobs again and again, and checks what each says."""

    service: Served
    job_ids: list[str]
    number: int
    reads: int = 0
    faults: list[str] = field(default_factory=list)

    def read_until_all_have_ended(self) -> None:
        open_jobs = set(self.job_ids)
        last = dict.fromkeys(self.job_ids, WAITING)
        names = [name for name in VIEWS if not name.endswith("list")]
        with requests.Session() as session:
            while open_jobs:
                for job_id in sorted(open_jobs):
                    name = names[(self.reads + self.number) % len(names)]
                    try:
                        state = VIEWS[name](session, self.service.url, job_id)
                    except Exception as error:  # noqa: BLE001  counted, told by the test
                        self.faults.append(f"{name}: {error!r}")
                        return
                    if STATES.index(state) < STATES.index(last[job_id]):
                        self.faults.append(f"{name} of {job_id}: {last[job_id]}, then {state}")
                    last[job_id] = state
                    self.reads += 1
                    if state in STATES[2:]:
                        open_jobs.discard(job_id)


@pytest.mark.slow
def test_readers_see_whole_documents_while_jobs_report_progress(
    house: House, figures: Figures
) -> None:
    number, updates, seconds = size(20, 4), size(300, 60), size(6, 2)
    settings = {"PEPS_PROCESSING_PARALLELPROCESSES": number}
    with served(house, **settings) as service, requests.Session() as session:
        job_ids = [service.order(session, updates=updates, seconds=seconds) for _ in range(number)]
        readers = [Reader(service, job_ids, reader) for reader in range(number)]
        threads = [threading.Thread(target=reader.read_until_all_have_ended) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        states = {job_id: agreed(service.url, job_id) for job_id in job_ids}

    reads = sum(reader.reads for reader in readers)
    figures("reads", reads)
    assert [fault for reader in readers for fault in reader.faults] == []
    assert set(states.values()) == {"succeeded"}
    assert reads >= number * number
    assert {house.job(job_id).attempt for job_id in job_ids} == {1}
