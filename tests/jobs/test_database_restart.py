"""PostgreSQL goes away and comes back under everything that works on it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_db import migrations
from catalog_db.engine import create_engine
from catalog_db.processing import jobs
from tests.database import PostgresServer
from tests.jobs.job_house import House, opened_house
from tests.patience import until


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    server = PostgresServer()
    server.execute("CREATE DATABASE peps")
    yield server
    server.remove()


@pytest.fixture
def restartable(server: PostgresServer, tmp_path: Path) -> Iterator[House]:
    with opened_house(tmp_path, database_url=server.url("peps")) as house:
        yield house


def test_no_job_loses_its_attempt_when_the_database_is_away(
    restartable: House, server: PostgresServer
) -> None:
    house = restartable
    for n in range(2):
        house.archive(f"PRODUCT_{n}")
    for _ in range(2):
        house.start()
    recalled = [house.submit(product=f"PRODUCT_{n}") for n in range(2)]
    computed = [house.submit(tasks=4, seconds=0.8) for _ in range(3)]
    for task, kind in ((1, signal.SIGINT), (3, signal.SIGQUIT)):
        until(lambda number=task: house.lines(f"begin task {number}"), 60)
        server.stop(kind)
        time.sleep(2.5)  # longer than a lease
        assert len(house.lines("gather")) < 5
        server.start()

    found = [house.wait(job_id, limit_s=60) for job_id in (*recalled, *computed)]
    assert [(job.state, job.attempt) for job in found] == [("succeeded", 1)] * 5
    assert len(house.lines("gather")) == 5
    assert len(house.lines("begin")) == 2 + 3 * 4
    # The same supervisors went on.
    assert all(process.is_alive() for process in house.supervisors)
    with house.engine.connect() as connection:
        assert jobs.count_by_state(connection) == {"succeeded": 5}


def test_an_engine_replaces_the_connections_of_a_server_that_was_restarted(
    server: PostgresServer,
) -> None:
    engine = create_engine(server.url("peps"))
    migrations.upgrade(engine)
    for kind in (signal.SIGINT, signal.SIGQUIT):
        server.stop(kind)
        server.start()
        assert migrations.current(engine) == migrations.newest()
    engine.dispose()
