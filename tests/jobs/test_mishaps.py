"""What goes wrong around jobs: pids used again, databases that refuse, inputs that go away."""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from catalog_db import times
from catalog_db.catalogue import products
from catalog_db.processing import job_queue
from catalog_db.processing.job_queue import RunningLimits
from catalog_db.tables import job as table
from peps_wps.jobs import dispatcher as dispatcher_module
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.staging import Archive
from storage.outage import Outage
from tests.jobs.job_house import House
from tests.patience import until
from tests.processes import is_alive


@pytest.fixture
def innocent() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of somebody else."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.one_database
def test_a_pid_that_somebody_else_has_now_is_neither_waited_for_nor_killed(
    house: House, innocent: "subprocess.Popen[bytes]"
) -> None:
    job_id = house.submit()
    with house.engine.begin() as connection:
        claimed = job_queue.claim(
            connection,
            worker=f"{os.uname().nodename}:{innocent.pid}:gone",
            now=times.now(),
            lease_s=-1,
            limits=RunningLimits(9),
        )
        assert claimed is not None
        connection.execute(
            table.update().where(table.c.id == job_id).values(process_group=innocent.pid)
        )
    house.start()
    job = house.wait(job_id)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert is_alive(innocent.pid)


@pytest.mark.one_database
def test_a_dismissed_job_kills_nobody_who_has_its_old_pid(
    house: House, innocent: "subprocess.Popen[bytes]"
) -> None:
    house.start()
    job_id = house.submit(seconds=30)
    until(lambda: house.lines("begin"))
    with house.engine.begin() as connection:
        connection.execute(
            table.update().where(table.c.id == job_id).values(process_group=innocent.pid)
        )
        assert job_queue.dismiss(connection, job_id)
    worker = int(house.lines("begin")[0].split()[1])

    until(lambda: not is_alive(worker), 5)
    assert is_alive(innocent.pid)


def test_queued_jobs_are_rows_and_not_processes(house: House) -> None:
    house.configure(parallelprocesses=1)
    house.start()
    job_ids = [house.submit(seconds=0.2) for _ in range(6)]
    begun: set[int] = set()
    while not all(house.job(job_id).is_finished for job_id in job_ids):
        begun |= {int(line.split()[1]) for line in house.lines("begin")}
        # One works; the one before it may be leaving.
        assert sum(map(is_alive, begun)) <= 2
        time.sleep(0.02)

    assert {house.job(job_id).state for job_id in job_ids} == {"succeeded"}
    assert len(begun) == 6
    until(lambda: not any(map(is_alive, begun)))


def test_a_failure_that_an_input_caused_names_it(house: House) -> None:
    house.start()
    job = house.wait(house.submit(behaviour="wrong input"))

    assert (job.state, job.error_code, job.error_locator) == (
        "failed",
        "InvalidParameterValue",
        "tasks",
    )


def test_a_product_withdrawn_while_it_is_recalled_names_its_input(house: House) -> None:
    uid = house.archive("PRODUCT")
    job_id = house.submit(product="PRODUCT")
    dispatcher = Dispatcher(house.config, house.engine, Archive(house.config, house.engine))
    dispatcher.run_once()
    with house.engine.begin() as connection:
        products.withdraw(connection, uid)
    dispatcher.run_once()
    job = house.job(job_id)

    assert (job.state, job.error_locator) == ("failed", "product")
    assert "PRODUCT has been withdrawn" in job.message


def test_a_database_that_refuses_is_told_once_and_its_return_too(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatcher_module, "PAUSE_AFTER_ERROR_S", 0.01)
    with house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE job RENAME TO gone")
    stop = threading.Event()
    dispatcher = Dispatcher(house.config, house.engine, Archive(house.config, house.engine))
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    with caplog.at_level(logging.INFO):
        thread.start()
        time.sleep(0.7)
        with house.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO job")
        until(lambda: "goes on after" in caplog.text)
        stop.set()
        thread.join()

    told = [one for one in caplog.records if "waits for its database" in one.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info is None
    assert "Traceback" not in caplog.text


def test_a_long_outage_is_told_again_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter(float(second) for second in range(0, 1000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    outage = Outage("the supervisor", logging.getLogger("test"))
    full = job_queue.DatabaseError("database or disk is full")
    for _ in range(100):  # 200 s, one refusal every 2 s
        outage.note(full)

    told = [one.getMessage() for one in caplog.records]
    assert told[0].endswith("for 0 s so far: database or disk is full")
    assert len(told) == 4
