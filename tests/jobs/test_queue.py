"""The statements that move jobs: only who holds a claim writes, and claims are made once."""

import threading
from datetime import timedelta

from sqlalchemy import update

from catalog_db import times
from catalog_db.processing import job_queue, job_tasks, jobs
from catalog_db.processing.job_queue import Claim, RunningLimits
from catalog_db.tables import job as job_table
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.staging import Archive
from tests.jobs.job_house import House


def queue(house: House, number: int = 1, **inputs: object) -> list[str]:
    """Submit jobs and have them queued."""
    job_ids = [house.submit(**inputs) for _ in range(number)]
    Dispatcher(house.config, house.engine, Archive(house.config, house.engine)).run_once()
    assert {house.job(job_id).state for job_id in job_ids} == {"queued"}
    return job_ids


def claim(house: House, worker: str = "w", *, limit: int = 9, lease_s: float = 60) -> Claim | None:
    with house.engine.begin() as connection:
        job = job_queue.claim(
            connection,
            worker=worker,
            now=times.now(),
            lease_s=lease_s,
            limits=RunningLimits(limit),
        )
    return None if job is None else Claim(job.id, job.attempt, worker)


def test_forty_threads_claim_each_job_once_and_never_more_than_the_limit(house: House) -> None:
    job_ids = queue(house, 12)
    claims: list[Claim | None] = []
    threads = [
        threading.Thread(target=lambda n=n: claims.append(claim(house, f"w:{n}", limit=7)))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    claimed = [one.job for one in claims if one is not None]
    assert len(claimed) == len(set(claimed)) == 7
    assert set(claimed) <= set(job_ids)


def test_a_machine_counts_its_own_jobs_only(house: House) -> None:
    queue(house, 4)
    claimed = []
    for worker in ("here_1:7:a", "here_1:8:b", "hereX1:9:c", "here_1:7:d"):
        with house.engine.begin() as connection:
            job = job_queue.claim(
                connection, worker=worker, now=times.now(), lease_s=60, limits=RunningLimits(1)
            )
        claimed.append(job is not None)

    assert claimed == [True, False, True, False]


def test_jobs_are_claimed_by_priority_then_in_the_order_they_came(house: House) -> None:
    first, second, third = queue(house, 3)
    with house.engine.begin() as connection:
        connection.execute(update(job_table).where(job_table.c.id == third).values(priority=5))

    assert [house.job(one).queue_position for one in (third, first, second)] == [1, 2, 3]
    assert [one.job for one in (claim(house), claim(house), claim(house)) if one] == [
        third,
        first,
        second,
    ]


def test_a_lost_claim_writes_nothing_any_more(house: House) -> None:
    (job_id,) = queue(house)
    old = claim(house, "old", lease_s=-1)
    assert old is not None
    with house.engine.begin() as connection:
        assert job_queue.recover_lost(connection, times.now()) == [(job_id, "queued")]
    new = claim(house, "new")
    with house.engine.begin() as connection:
        row = jobs.tasks_of(connection, job_id)[0]
        lease = jobs.get(connection, job_id).lease_until
        job_queue.heartbeat(connection, [old], now=times.now(), lease_s=600)
        assert jobs.get(connection, job_id).lease_until == lease
        assert not job_tasks.begin(connection, old, row)
        assert not job_queue.succeed(connection, old, {}, expires=None)
        assert not job_queue.fail(connection, job_id, "no", held=old)
        assert job_queue.attempt_lost(connection, old, "no") is None
        assert job_queue.still_held(connection, [old]) == set()
    job_queue.report_progress(house.engine, old, 50, "no")

    job = house.job(job_id)
    assert (job.state, job.worker, job.attempt, job.progress) == ("running", "new", 2, 0)
    assert new == Claim(job_id, 2, "new")


def test_a_job_that_gives_way_keeps_its_attempt_and_is_shown_running(house: House) -> None:
    (job_id,) = queue(house)
    held = claim(house)
    assert held is not None
    with house.engine.begin() as connection:
        assert job_queue.give_way(connection, held)
    job = house.job(job_id)

    assert (job.state, job.shown_state, job.attempt, job.worker) == ("staging", "running", 0, None)
    Dispatcher(house.config, house.engine, Archive(house.config, house.engine)).run_once()
    assert claim(house) == Claim(job_id, 1, "w")


def test_nothing_ends_twice(house: House) -> None:
    (job_id,) = queue(house)
    held = claim(house)
    assert held is not None
    with house.engine.begin() as connection:
        assert job_queue.succeed(connection, held, {"a": {"value": "1"}}, expires=times.now())
        assert not job_queue.fail(connection, job_id, "too late")
        assert job_queue.recover_lost(connection, times.now() + timedelta(days=1)) == []
        assert job_queue.dismiss(connection, job_id)
        assert not job_queue.dismiss(connection, job_id)

    assert house.job(job_id).state == "dismissed"
