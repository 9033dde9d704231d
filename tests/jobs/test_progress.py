"""Progress: percent of the work done, written seldom, never in the way of the work."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.processing import job_queue, jobs
from catalog_db.processing.job_queue import Claim, RunningLimits
from catalog_db.processing.jobs import TaskRow
from peps_wps.jobs import progress as progress_module
from peps_wps.jobs.progress import JobProgress
from tests.jobs.job_house import House
from tests.patience import stretched, until


@pytest.fixture
def running(house: House) -> tuple[Claim, list[TaskRow]]:
    """A job of two tasks that a worker holds."""
    job_id = house.submit(tasks=2)
    with house.engine.begin() as connection:
        job = job_queue.claim(
            connection, worker="w", now=times.now(), lease_s=60, limits=RunningLimits(9)
        )
        assert job is not None
        return Claim(job_id, job.attempt, "w"), jobs.tasks_of(connection, job_id)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str]]]:
    """Collect what is written to the database."""
    written: list[tuple[int, str]] = []
    real = job_queue.report_progress

    def write(engine: Engine, held: Claim, percent: int, message: str) -> None:
        real(engine, held, percent, message)
        written.append((percent, message))

    with monkeypatch.context() as patch:
        patch.setattr(job_queue, "report_progress", write)
        yield written


def test_progress_is_the_weighted_work_and_never_goes_back(
    house: House, running: tuple[Claim, list[TaskRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, (first, second) = running
    monkeypatch.setattr(progress_module, "INTERVAL_S", 0.0)
    with JobProgress(house.engine, held, [first, second], gather_share=0.2) as progress:
        steps = (
            (progress.of_task(first), "a", 50, 20),
            (progress.of_task(first), "b", 10, 20),
            (progress.of_task(second), "c", 50, 24),
            (progress.gather, "d", 0, 80),
            (progress.gather, "e", 100, 99),
        )
        for report, word, percent, expected in steps:
            report(word, percent)
            until(lambda word=word: house.job(held.job).message.endswith(word))
            assert house.job(held.job).progress == expected


def test_a_thousand_reports_a_second_are_a_few_writes_and_the_last_one_counts(
    house: House, running: tuple[Claim, list[TaskRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, tasks = running
    monkeypatch.setattr(progress_module, "INTERVAL_S", 0.2)
    with (
        counted(monkeypatch) as written,
        JobProgress(house.engine, held, tasks, gather_share=0.0) as progress,
    ):
        report = progress.of_task(tasks[0])
        begun = time.monotonic()
        for number in range(1000):
            report(f"step {number}", number / 10)
        until(lambda: house.job(held.job).message == "task 0: step 999")
        elapsed_s = time.monotonic() - begun

    assert len(written) <= 2 + elapsed_s / 0.2
    assert house.job(held.job).progress == 49


def test_work_goes_on_while_the_database_is_locked(
    house: House, running: tuple[Claim, list[TaskRow]]
) -> None:
    held, tasks = running
    locked, free = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with house.engine.begin() as connection:
            job_queue.heartbeat(connection, [held], now=times.now(), lease_s=60)
            locked.set()
            free.wait(stretched(60))

    holder = threading.Thread(target=hold_the_lock)
    holder.start()
    assert locked.wait(stretched(60))
    with JobProgress(house.engine, held, tasks, gather_share=0.0) as progress:
        report = progress.of_task(tasks[0])
        for percent in range(100):
            report("step", percent)
        # All were taken, none could be written.
        assert holder.is_alive()
        assert house.job(held.job).progress == 0
        free.set()
        holder.join()
        # Written in the end: nothing was lost.
        until(lambda: house.job(held.job).progress == 49)


@pytest.mark.one_database
@pytest.mark.parametrize("percent", [math.nan, math.inf, -math.inf, 1e300, -5.0])
def test_a_percentage_that_is_none_fails_nothing(
    house: House, running: tuple[Claim, list[TaskRow]], percent: float
) -> None:
    held, tasks = running
    with JobProgress(house.engine, held, tasks, gather_share=0.0) as progress:
        progress.of_task(tasks[0])("x" * 10_000, percent)
        until(lambda: house.job(held.job).message.startswith("task 0: xxx"))

    assert house.job(held.job).progress in (0, 50)


def test_a_database_that_refuses_fails_no_progress(
    house: House, running: tuple[Claim, list[TaskRow]], caplog: pytest.LogCaptureFixture
) -> None:
    held, tasks = running
    with house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE job RENAME TO gone")
    with JobProgress(house.engine, held, tasks, gather_share=0.0) as progress:
        progress.of_task(tasks[0])("step", 50)
        until(lambda: "progress not written" in caplog.text)


def test_an_error_inside_the_writing_ends_neither_the_job_nor_the_writing(
    house: House,
    running: tuple[Claim, list[TaskRow]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held, tasks = running
    monkeypatch.setattr(progress_module, "INTERVAL_S", 0.0)
    real = job_queue.report_progress
    answers = iter([RuntimeError("boom")])

    def fail_once(engine: Engine, claim: Claim, percent: int, message: str) -> None:
        if (error := next(answers, None)) is not None:
            raise error
        real(engine, claim, percent, message)

    monkeypatch.setattr(job_queue, "report_progress", fail_once)
    with JobProgress(house.engine, held, tasks, gather_share=0.0) as progress:
        report = progress.of_task(tasks[0])
        report("first", 10)
        until(lambda: "boom" in caplog.text)
        report("second", 20)
        until(lambda: house.job(held.job).message == "task 0: second")
