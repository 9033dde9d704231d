"""Loads put on a running service over HTTP, and what came of them: for tests and benchmarks."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from catalog_db.processing import jobs
from tests.jobs.job_house import House
from tests.jobs.served_house import Served, served
from tests.jobs.views import STATES, VIEWS, WAITING, agreed
from tests.patience import until


@dataclass(frozen=True)
class Burst:
    """Orders given at once: seconds until all were accepted and of each, the ends, the most run."""

    accepted_s: float
    took_s: list[float]
    states: dict[str, int]
    most_running: int


@dataclass(frozen=True)
class Stream:
    """Orders given one after the other: seconds of each, and the jobs that ran at the end."""

    took_s: list[float]
    running: int


@dataclass(frozen=True)
class Reading:
    """Documents read while jobs reported progress: how many, what was wrong, the ends."""

    reads: int
    faults: list[str]
    states: dict[str, str]
    attempts: set[int]


def burst(house: House, number: int, threads: int) -> Burst:
    """Order as many jobs as fast as the threads can, and wait until all have ended."""
    with served(house) as service, _Watch(house) as watch:

        def submit(_: int) -> float:
            begun = time.monotonic()
            with requests.Session() as session:
                service.order(session, seconds=0)
            return time.monotonic() - begun

        begun = time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            took = list(pool.map(submit, range(number)))
        accepted_s = time.monotonic() - begun
        states = until(lambda: _all_ended(house), 5.0 * number)
    return Burst(accepted_s, took, states, watch.most)


def stream(house: House, number: int, *, per_second: float, running: int) -> Stream:
    """Order at a steady rate while so many jobs run and do not end."""
    took = []
    with served(house) as service, requests.Session() as session:
        for _ in range(running):
            service.order(session, seconds=600)
        until(lambda: _running(house) == running, 30)
        begun = time.monotonic()
        for order in range(number):
            time.sleep(max(0.0, begun + order / per_second - time.monotonic()))
            asked = time.monotonic()
            service.order(session, seconds=0)
            took.append(time.monotonic() - asked)
        return Stream(took, _running(house))


def reading(house: House, number: int, *, updates: int, seconds: float) -> Reading:
    """Run jobs that report progress all the time, each read by a client of its own."""
    with (
        served(house, PEPS_PROCESSING_PARALLELPROCESSES=number) as service,
        requests.Session() as session,
    ):
        job_ids = [service.order(session, updates=updates, seconds=seconds) for _ in range(number)]
        readers = [_Reader(service, job_ids, reader) for reader in range(number)]
        with ThreadPoolExecutor(number) as pool:
            list(pool.map(_Reader.read_until_all_have_ended, readers))
        states = {job_id: agreed(service.url, job_id) for job_id in job_ids}
    return Reading(
        sum(reader.reads for reader in readers),
        [fault for reader in readers for fault in reader.faults],
        states,
        {house.job(job_id).attempt for job_id in job_ids},
    )


@dataclass
class _Reader:
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
            while open_jobs and not self.faults:
                for job_id in sorted(open_jobs):
                    name = names[(self.reads + self.number) % len(names)]
                    try:
                        state = VIEWS[name](session, self.service.url, job_id)
                    except Exception as error:  # noqa: BLE001  counted, told by the test
                        self.faults.append(f"{name}: {error!r}")
                        break
                    if STATES.index(state) < STATES.index(last[job_id]):
                        self.faults.append(f"{name} of {job_id}: {last[job_id]}, then {state}")
                    last[job_id] = state
                    self.reads += 1
                    if state in STATES[2:]:
                        open_jobs.discard(job_id)


class _Watch:
    """Watches, in the database, how many jobs run at once."""

    def __init__(self, house: House) -> None:
        self.most = 0
        self._house = house
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, _running(self._house))


def _running(house: House) -> int:
    with house.engine.connect() as connection:
        return jobs.count_by_state(connection).get("running", 0)


def _all_ended(house: House) -> dict[str, int] | None:
    """Return how many jobs are in each state, None while some have not ended."""
    with house.engine.connect() as connection:
        found = jobs.count_by_state(connection)
    return found if set(found) <= set(jobs.FINISHED) else None
