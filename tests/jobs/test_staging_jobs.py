"""Jobs that only stage: room, pins and ends, on both databases; the protocols are tested in wps."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from catalog_db.processing import job_tasks, jobs
from peps_wps import jobs as job_store
from peps_wps.jobs import Job
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.metrics.families import read
from tests.archive_world import ArchiveWorld


class Staging:
    """An archive whose products are staged by orders, round by round."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.world = ArchiveWorld(folder, **environ)
        self.dispatcher = Dispatcher(self.world.config, self.world.engine, self.world.archive)

    def order(self, *titles: str) -> str:
        world = self.world
        return job_store.submit(
            world.engine,
            world.config,
            process="AMALTHEE",
            inputs={"products": list(titles)},
            owner="anna",
        ).id

    def move_on(self) -> None:
        self.dispatcher.run_once()
        self.world.service().run_once()
        self.dispatcher.run_once()

    def job(self, job_id: str) -> Job:
        job = job_store.get(self.world.engine, self.world.config, job_id)
        assert job is not None
        return job


@pytest.fixture
def opened(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Staging]]:
    monkeypatch.setattr("peps_wps.jobs.staging_job.PAUSE_S", 0.0)
    made: list[Staging] = []

    def make(**environ: str) -> Staging:
        made.append(partial(Staging, tmp_path, PEPS_CATALOG_URL=database_url)(**environ))
        return made[-1]

    yield make
    for one in made:
        one.world.engine.dispose()


def test_what_is_staged_counts_as_promised_as_long_as_it_is_pinned(opened):
    staging = opened()
    world = staging.world
    world.add("P1", b"x" * 1000)
    world.add("P2", b"x" * 500, tier="disk")  # takes none of the budget
    job_id = staging.order("P1", "P2")
    assert staging.job(job_id).queue_position is None

    def promised() -> int:
        with world.engine.connect() as connection:
            return sum(job_tasks.promised_files(connection).values())

    assert promised() == 0
    staging.dispatcher.run_once()
    assert promised() == 1000
    assert staging.job(job_id).shown_state == "running"
    staging.move_on()
    job = staging.job(job_id)
    assert (job.state, job.progress, job.lane) == ("succeeded", 100, "stage")
    assert promised() == 1000
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE request_file SET pin_until_us = 1")
    assert promised() == 0


def test_its_request_ends_when_the_job_expires(opened):
    staging = opened()
    staging.world.add("P1", b"bytes")
    job_id = staging.order("P1")
    for _ in range(2):
        staging.move_on()

    def is_held() -> bool:
        with staging.world.engine.connect() as connection:
            (task,) = jobs.tasks_of(connection, job_id)
        return task.request is not None

    assert is_held()
    with staging.world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET expires_us = 1")
    staging.dispatcher.run_once()
    assert not is_held()


def test_two_orders_for_more_than_their_part_of_the_pool_take_turns(opened):
    staging = opened(PEPS_STORAGE_BUDGET_GB="8e-6")
    for n in range(6):
        staging.world.add(f"P{n}", b"x" * 1000)
    first, second = staging.order("P0", "P1", "P2"), staging.order("P3", "P4", "P5")
    for _ in range(3):
        staging.move_on()
    assert staging.job(first).state == "succeeded"
    assert staging.job(second).shown_state == "staging"
    assert "Waiting for room on disk" in staging.job(second).message

    with staging.world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE request_file SET pin_until_us = 1")
    for _ in range(4):
        staging.move_on()
    assert staging.job(second).state == "succeeded"


def test_a_smaller_order_does_not_overtake_one_that_waits_for_room(opened, monkeypatch):
    staging = opened(PEPS_STORAGE_BUDGET_GB="8e-6")
    for n in range(5):
        staging.world.add(f"P{n}", b"x" * 1000)
    monkeypatch.setattr("peps_wps.jobs.staging_job.PAUSE_S", 60.0)
    staging.order("P0", "P1")
    staging.move_on()
    large, small = staging.order("P1", "P2", "P3", "P4"), staging.order("P2")
    for _ in range(2):
        staging.move_on()

    assert "Waiting for room" in staging.job(large).message
    assert staging.job(small).state == "accepted"


def test_metrics_read_the_same_on_both_databases(opened):
    staging = opened()
    world = staging.world
    world.add("P1", b"x" * 1000)
    staging.order("P1")
    staging.dispatcher.run_once()
    waiting = read(world.config, world.engine, world.archive)
    staging.move_on()
    ended = read(world.config, world.engine, world.archive)

    assert waiting.queue.length == {"queued": 1}
    assert [tuple(one) for one in waiting.jobs] == [("staging", "AMALTHEE", 1)]
    assert ended.totals["jobs_succeeded", "AMALTHEE"] == 1
    assert ended.totals["recall_bytes", "simtape"] == 1000
    with world.engine.connect() as connection:
        statement = 'SELECT kind, "user", platform, size_bytes FROM event ORDER BY id'
        happened = [tuple(row) for row in connection.exec_driver_sql(statement)]
    assert happened == [("stage", "anna", "S1A", 1000), ("wps", "anna", "", 0)]
    assert (ended.jobs, ended.queue.length) == ([], {})
