"""Leases of jobs when clocks jump, machines are suspended and disks are slow."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from catalog_db import times
from catalog_db.processing import job_purge, job_queue
from catalog_db.processing.job_queue import Claim, RunningLimits
from catalog_db.tables import job as job_table
from peps_wps.jobs import supervisor as supervisor_module
from peps_wps.jobs.supervisor import Supervisor
from tests.jobs.job_house import House
from tests.patience import stretched

LEASE_S = 30.0


def claim(house: House, *, lease_s: float = LEASE_S, ahead_s: float = 0.0) -> Claim:
    """Claim a new job for another worker, whose clock is ahead."""
    job_id = house.submit()
    now = times.now() + timedelta(seconds=ahead_s)
    with house.engine.begin() as connection:
        connection.execute(update(job_table).values(state="queued"))
        job_queue.claim(
            connection, worker="other:1:a", now=now, lease_s=lease_s, limits=RunningLimits(9)
        )
    return Claim(job_id, 1, "other:1:a")


def test_the_lease_of_a_lost_worker_ends_soon_though_the_clock_was_set_back(house: House) -> None:
    held = claim(house, ahead_s=3600)
    now = times.now()
    with house.engine.begin() as connection:
        job_queue.shorten_leases(connection, now=now, lease_s=LEASE_S)
        assert job_queue.recover_lost(connection, now) == []
        later = now + timedelta(seconds=10 * LEASE_S + 1)
        assert job_queue.recover_lost(connection, later) == [(held.job, "queued")]


def test_no_other_lease_is_shortened(house: House) -> None:
    held = claim(house, ahead_s=60)  # clocks of machines differ
    before = house.job(held.job).lease_until
    with house.engine.begin() as connection:
        job_queue.shorten_leases(connection, now=times.now(), lease_s=LEASE_S)
    assert house.job(held.job).lease_until == before


@pytest.mark.one_database
def test_a_worker_with_much_longer_leases_keeps_its_jobs(house: House) -> None:
    heartbeat_s, lease_s = 9 * LEASE_S, 20 * LEASE_S
    held, now = claim(house, lease_s=lease_s), times.now()
    with house.engine.begin() as connection:
        for beats in range(4):
            since = now + timedelta(seconds=beats * heartbeat_s)
            job_queue.heartbeat(connection, [held], now=since, lease_s=lease_s)
            for passed_s in (0.0, heartbeat_s):
                moment = since + timedelta(seconds=passed_s)
                job_queue.shorten_leases(connection, now=moment, lease_s=LEASE_S)
                assert job_queue.recover_lost(connection, moment) == []


@pytest.fixture
def supervisor(house: House) -> Supervisor:
    """One that claims nothing: the process that jobs start from is not there.

    Its lease outlasts any pause of a loaded machine.
    """
    house.configure(lease_s=600.0)
    return Supervisor(house.config, house.engine)


@pytest.mark.one_database
def test_who_was_suspended_gives_the_others_time_to_renew_their_leases(
    house: House, supervisor: Supervisor
) -> None:
    lease_s = house.config.processing.lease_s
    supervisor.run_once()
    held = claim(house, lease_s=-1)
    assert supervisor._lateness._looked is not None
    supervisor._lateness._looked -= timedelta(seconds=lease_s + 1)
    supervisor._say_alive()
    assert house.job(held.job).state == "running"

    supervisor._leases_count_from = 0.0  # the grace is over
    supervisor._say_alive()
    assert house.job(held.job).state == "queued"


@pytest.mark.one_database
def test_leases_are_renewed_while_a_large_folder_is_removed(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    renewed, seen = threading.Event(), []
    heartbeat = job_queue.heartbeat

    def renewing(*arguments: Any, **options: Any) -> None:
        heartbeat(*arguments, **options)
        renewed.set()

    def remove_slowly(_folder: Path) -> None:
        renewed.clear()
        seen.append(renewed.wait(stretched(20)))

    monkeypatch.setattr(job_queue, "heartbeat", renewing)
    monkeypatch.setattr(supervisor_module, "clean_folder", remove_slowly)
    supervisor._remove(tmp_path)
    assert seen == [True]


@pytest.mark.one_database
def test_more_old_jobs_than_a_batch_go_in_the_rounds_that_follow(
    house: House, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_purge, "BATCH", 2)
    for _ in range(5):
        house.submit()
    with house.engine.begin() as connection:
        connection.execute(update(job_table).values(state="failed", finished_us=1))

    def left() -> int:
        with house.engine.connect() as connection:
            query = select(job_table.c.id).where(job_table.c.purged_us.is_(None))
            return len(connection.execute(query).all())

    counts = []
    for _ in range(4):
        supervisor.run_once()
        counts.append(left())
    assert counts == [3, 1, 0, 0]
