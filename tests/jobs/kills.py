"""Kills of parts of a running service, and what must hold whatever was killed.

The five kills of the design study: the service, the process that works, everything at once, and
what lies between. Another executor adds its own victims and gives its settings.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import requests

from catalog_db import times
from catalog_db.processing import workers as worker_table
from peps_wps import jobs as job_store
from tests.jobs.job_house import House
from tests.jobs.served_house import Served, is_ready
from tests.jobs.views import agreed
from tests.patience import until
from tests.processes import children, descendants, is_alive

# (house, service, the job that runs) -> None
Kill = Callable[[House, Served, str], None]


def kill_web(house: House, service: Served, _job_id: str) -> None:
    """Kill every process that answers requests; the one that looks after them starts others."""
    workers = workers_of(house)
    for child in children(service.process.pid):
        command = Path(f"/proc/{child}/cmdline").read_text()
        if child not in workers and "spawn_main" in command:
            os.killpg(child, signal.SIGKILL)


def kill_workers(house: House, service: Served, _job_id: str) -> None:
    """Kill the process that works: recalls, dispatcher, supervisor; its jobs die with it."""
    workers = workers_of(house)
    jobs = [process for worker in workers for process in descendants(worker)]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    await_deaths(jobs)


def kill_job(house: House, service: Served, job_id: str) -> None:
    """Kill the process of the job."""
    process = house.job(job_id).process_group or 0
    os.killpg(process, signal.SIGKILL)
    await_deaths([process])


def kill_main(house: House, service: Served, _job_id: str) -> None:
    """Kill the process that looks after the others, which end with it; start the service anew."""
    before = descendants(service.process.pid)
    service.process.kill()
    service.process.wait()
    await_deaths(before)
    service.process = service.start()


def kill_everything(house: House, service: Served, _job_id: str) -> None:
    """Kill every process of the service at once, as a power cut does; start it anew."""
    processes = descendants(service.process.pid)
    for process in [service.process.pid, *processes]:
        with contextlib.suppress(ProcessLookupError):  # it was about to end
            os.kill(process, signal.SIGKILL)
    service.process.wait()
    await_deaths(processes)
    service.process = service.start()


def await_deaths(processes: Iterable[int]) -> None:
    """Wait until none is alive, lest what was killed goes on when jobs are let go."""
    until(lambda: not any(map(is_alive, processes)), 15)


KILLS: dict[str, Kill] = {
    "the web": kill_web,
    "the workers": kill_workers,
    "the job": kill_job,
    "the main process": kill_main,
    "everything": kill_everything,
}


def survive(house: House, service: Served, kill: Kill, *, orders: int = 4) -> list[job_store.Job]:
    """Kill while a job runs and others wait; return the jobs, which must all have succeeded.

    None comes to its end before the kill: what was gathered then would be gathered once more.
    Nothing is ordered afterwards that could set them going. Every view says the same at the end,
    and each job has been published once.
    """
    with requests.Session() as session:
        wish = {"tasks": 2, "behaviour": "hold", "journal": house.journal}
        job_ids = [service.order(session, **wish) for _ in range(orders)]
    running = until(lambda: next(iter(running_jobs(house, job_ids)), None), 60)
    kill(house, service, running)
    house.let_go()
    jobs = [house.wait(job_id, limit_s=90) for job_id in job_ids]

    until(lambda: is_ready(service.url), 60)
    assert {agreed(service.url, job_id) for job_id in job_ids} == {"succeeded"}
    assert len(house.lines("gather")) == len(job_ids)
    return jobs


def running_jobs(house: House, job_ids: list[str]) -> list[str]:
    """Return those that run, once the first task of any has begun, wherever it runs."""
    if not house.lines("begin"):
        return []
    return [job_id for job_id in job_ids if house.job(job_id).process_group]


def workers_of(house: House) -> list[int]:
    """Return the processes of the workers, by what they say in the database."""
    with house.engine.connect() as connection:
        alive = worker_table.heard_since(connection, times.from_us(0))
    return [pid for one in alive if is_alive(pid := int(one.name.split(":")[1]))]
