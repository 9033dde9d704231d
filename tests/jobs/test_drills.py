"""Jobs under blows: killed children, killed supervisors, dismissals, time limits."""

import dataclasses
import itertools
import os
import re
import signal
import threading
import time

import pytest

from catalog_db.processing import jobs
from peps_wps import jobs as job_store
from peps_wps.jobs import results_disk
from peps_wps.jobs.dismissal import results_folder, scratch_folder
from tests.jobs.job_house import House
from tests.patience import stretched, until
from tests.processes import is_alive


def test_a_job_runs_to_its_results(house: House) -> None:
    house.start()
    job = house.wait(house.submit(tasks=3))

    assert (job.state, job.progress, job.attempt) == ("succeeded", 100, 1)
    assert job.results is not None
    answer = results_folder(house.config, job.id) / job.results["archive"]["href"]
    assert answer.read_text() == "task 0 []\ntask 1 []\ntask 2 []\n"
    assert job.results["archive"]["size"] == answer.stat().st_size
    assert job.results["report"]["value"] == {"tasks": 3}
    assert until(lambda: not scratch_folder(house.config, job.id).exists())


def test_a_job_goes_on_after_its_process_was_killed(house: House) -> None:
    house.start()
    job_id = house.submit(tasks=3, seconds=0.4)
    until(lambda: house.lines("begin task 1"))
    os.killpg(house.job(job_id).process_group, signal.SIGKILL)
    job = house.wait(job_id)

    assert (job.state, job.attempt) == ("succeeded", 2)
    # The task that was done before the kill is not done again.
    assert [len(house.lines(f"begin task {n}")) for n in range(3)] == [1, 2, 1]
    with house.engine.connect() as connection:
        log = " ".join(line.message for line in jobs.log_of(connection, job_id))
    assert "Attempt 2 of 3 follows: its process was killed by SIGKILL" in log


@pytest.mark.one_database
@pytest.mark.parametrize("behaviour", ["system exit", "exit", "killed", "memory", "segfault"])
def test_a_job_that_keeps_dying_fails_after_the_last_attempt(house: House, behaviour: str) -> None:
    house.start()
    job = house.wait(house.submit(behaviour=behaviour))

    assert job.state == "failed"
    assert job.message.startswith("The job was given up after 3 attempts: it")
    assert len(house.lines("begin")) == 3
    # Its slot is free again: as many jobs run beside each other as before.
    others = [house.submit(seconds=0.1) for _ in range(2)]
    assert {house.wait(other).state for other in others} == {"succeeded"}


@pytest.mark.one_database
def test_no_job_begins_while_the_results_cannot_be_written(house: House) -> None:
    results = house.config.results.path
    results.parent.mkdir(exist_ok=True)
    results.write_text("a file in the place of the folder")
    house.start()
    job_id = house.submit()
    until(lambda: house.job(job_id).message.startswith("The results folder cannot be written"))
    assert (house.job(job_id).state, house.job(job_id).attempt) == ("queued", 0)
    results.unlink()

    job = house.wait(job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)


@pytest.mark.one_database
def test_a_disk_that_fills_up_costs_no_attempt(house: House) -> None:
    house.start()
    job_id = house.submit(behaviour="disk full")
    until(lambda: "was full" in house.job(job_id).message)
    assert (house.job(job_id).state, house.job(job_id).attempt) == ("queued", 0)
    house.journal.with_name("journal.room").touch()

    job = house.wait(job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)
    # Attempts that were refused, then one that was not: the pause between them is seconds long.
    begun = [float(line.split()[0]) for line in house.lines("begin")]
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert min(pauses_s) > 0.9 * results_disk.FIRST_PAUSE_S


@pytest.mark.one_database
def test_an_error_in_the_data_fails_at_once_with_its_sentence(house: House) -> None:
    house.start()
    job = house.wait(house.submit(behaviour="chain error"))

    assert (job.state, job.attempt) == ("failed", 1)
    assert job.message == "The measurement ends at byte 17, expected 40"
    assert not results_folder(house.config, job.id).exists()


@pytest.mark.one_database
def test_a_bug_is_told_in_one_sentence_and_logged_whole(house: House) -> None:
    house.start()
    job = house.wait(house.submit(behaviour="bug"))

    assert job.state == "failed"
    assert "/srv/peps" not in job.message
    with house.engine.connect() as connection:
        log = " ".join(line.message for line in jobs.log_of(connection, job.id))
    assert "KeyError: 'secret path /srv/peps'" in log


def test_jobs_survive_the_death_of_everything(house: House) -> None:
    first = house.start()
    job_ids = [house.submit(tasks=2, behaviour="hold") for _ in range(4)]
    until(lambda: len(house.lines("begin")) >= 2)
    workers = {int(line.split()[1]) for line in house.lines("begin")}
    os.kill(first.pid, signal.SIGKILL)
    # No job outlives its supervisor: nothing would answer for it.
    until(lambda: not any(is_alive(process) for process in workers), 5)

    house.let_go()
    house.start()
    states = [house.wait(job_id, limit_s=30).state for job_id in job_ids]
    assert states == ["succeeded"] * 4
    assert len(house.lines("gather")) == 4


def test_two_supervisors_keep_one_limit_and_publish_once(house: House) -> None:
    house.configure(lease_s=60.0)  # neither takes the other for dead
    for _ in range(2):
        house.start()
    job_ids = [house.submit(seconds=0.3) for _ in range(10)]
    most = 0
    while any(not house.job(job_id).is_finished for job_id in job_ids):
        with house.engine.connect() as connection:
            most = max(most, jobs.count_by_state(connection).get("running", 0))
        time.sleep(0.02)

    assert {house.job(job_id).state for job_id in job_ids} == {"succeeded"}
    assert most == house.config.processing.parallelprocesses
    assert len(house.lines("gather")) == len(job_ids)


def test_a_dismissed_job_is_gone_within_seconds(house: House) -> None:
    house.start()
    job_id = house.submit(seconds=30)
    worker = int(until(lambda: house.lines("begin"))[0].split()[1])
    begun = time.monotonic()

    assert job_store.dismiss(house.engine, house.config, job_id)
    assert house.job(job_id).state == "dismissed"
    until(lambda: not is_alive(worker), 5)
    until(lambda: not scratch_folder(house.config, job_id).exists(), 5)
    assert time.monotonic() - begun < stretched(5)
    # Its slot is free again.
    assert house.wait(house.submit()).state == "succeeded"
    assert not job_store.dismiss(house.engine, house.config, job_id)


@pytest.mark.one_database
def test_a_job_is_ended_at_its_time_limit(house: House) -> None:
    processing = dataclasses.replace(house.config.processing, time_limit_s=1)
    house.config = dataclasses.replace(house.config, processing=processing)
    house.start()
    job = house.wait(house.submit(seconds=30))

    assert job.state == "failed"
    assert job.message == "The job took longer than its limit of 1 s"


def test_a_service_that_stops_in_order_costs_no_attempt(house: House) -> None:
    first = house.start()
    job_id = house.submit(tasks=2, seconds=0.5)
    until(lambda: house.lines("begin task 1"))
    first.terminate()
    first.join()
    assert first.exitcode == 0
    waiting = house.job(job_id)
    assert (waiting.state, waiting.shown_state, waiting.attempt) == ("queued", "running", 0)

    house.start()
    assert house.wait(job_id).attempt == 1
    assert len(house.lines("begin task 0")) == 1


def test_fifty_submissions_from_ten_threads_all_end(house: House) -> None:
    job_ids: list[str] = []

    def submit_five() -> None:
        for _ in range(5):
            one = house.submit(tasks=0)
            job_ids.append(one)

    threads = [threading.Thread(target=submit_five) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    positions = sorted(house.job(job_id).queue_position or 0 for job_id in job_ids)
    house.start()

    assert positions == list(range(1, 51))
    assert {house.wait(job_id, limit_s=60).state for job_id in job_ids} == {"succeeded"}
    assert all(re.fullmatch(r"[0-9a-f-]{36}", job_id) for job_id in job_ids)


def test_the_job_of_a_stalled_supervisor_is_taken_over_and_published_once(house: House) -> None:
    house.start()
    job_id = house.submit(behaviour="hold")
    until(lambda: house.lines("begin"))
    stalled = house.stall()
    try:
        house.start()
        until(lambda: len(house.lines("begin")) == 2)
        # Both attempts come to their ends; only the one that holds the lease may publish.
        house.let_go()
        job = house.wait(job_id, limit_s=30)
    finally:
        os.kill(stalled, signal.SIGCONT)

    assert (job.state, job.attempt) == ("succeeded", 2)
    workers = {int(line.split()[1]) for line in house.lines("begin")}
    until(lambda: not any(is_alive(process) for process in workers))
    assert len(house.lines("gather")) == 1


def test_what_a_death_between_rename_and_commit_left_is_replaced(house: House) -> None:
    job_id = house.submit()
    left = results_folder(house.config, job_id)
    left.mkdir(parents=True)
    (left / "left.txt").touch()
    house.start()

    assert house.wait(job_id).state == "succeeded"
    assert [path.name for path in left.iterdir()] == ["answer.txt"]


@pytest.mark.one_database
def test_results_are_removed_when_they_expire(house: House) -> None:
    processing = dataclasses.replace(house.config.processing, result_days=0.0)
    house.config = dataclasses.replace(house.config, processing=processing)
    first = house.start()
    job_id = house.submit()
    house.wait(job_id)
    first.terminate()
    first.join()

    house.start()
    until(lambda: house.job(job_id).results is None)
    job = house.job(job_id)
    assert (job.state, job.message) == ("succeeded", "Finished; the results have expired")
    until(lambda: not results_folder(house.config, job_id).exists())
