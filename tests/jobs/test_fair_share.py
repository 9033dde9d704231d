"""Who is served next, and how many run at once."""

import itertools
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from catalog_db import times
from catalog_db.processing import job_queue, job_tasks, jobs, workers
from catalog_db.processing.job_queue import Claim, RunningLimits
from catalog_db.processing.jobs import Job
from catalog_db.tables import job as table
from peps_wps import jobs as job_store
from peps_wps.errors import QueueFullError
from tests.jobs.job_house import House


def order(house: House, owner: str, number: int = 1, *, quick: bool = False) -> list[str]:
    """Order jobs that need no input: they are queued at once."""
    return [
        job_store.submit(
            house.engine, house.config, process="STAND_IN", inputs={}, owner=owner, quick=quick
        ).id
        for _ in range(number)
    ]


def claim(
    house: House, limits: RunningLimits, *, worker: str = "here:1", lane: str = "main"
) -> Job | None:
    with house.engine.begin() as connection:
        return job_queue.claim(
            connection, worker=worker, now=times.now(), lease_s=60, limits=limits, lane=lane
        )


@pytest.fixture
def _own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine takes between two statements is no time that a job ran."""
    begin, looks = times.now(), itertools.count()
    monkeypatch.setattr(times, "now", lambda: begin + timedelta(milliseconds=next(looks)))


def succeed(house: House, job: Job, *, after_s: float = 1.0) -> None:
    """End a job as if it had run for so long."""
    with house.engine.begin() as connection:
        claimed_us = table.c.claimed_us - round(after_s * 1e6)
        connection.execute(table.update().where(table.c.id == job.id).values(claimed_us=claimed_us))
        held = Claim(job.id, job.attempt, job.worker or "")
        assert job_queue.succeed(connection, held, {}, expires=None)


def test_users_take_turns_whoever_came_first(house: House) -> None:
    order(house, "ada", 5)
    order(house, "bob", 2)
    order(house, "eve", 1)
    owners = []
    while (job := claim(house, RunningLimits(1))) is not None:
        owners.append(job.owner)
        succeed(house, job)

    assert sorted(owners[:3]) == ["ada", "bob", "eve"]
    assert sorted(owners[3:5]) == ["ada", "bob"]
    assert owners[5:] == ["ada"] * 3


def test_a_slot_goes_to_who_holds_fewest(house: House) -> None:
    order(house, "ada", 6)
    limits = RunningLimits(4)
    assert [job.owner for _ in range(3) if (job := claim(house, limits))] == ["ada"] * 3
    order(house, "bob", 6)

    claimed = claim(house, limits)
    assert claimed is not None
    assert claimed.owner == "bob"


def test_of_equal_turns_the_one_who_used_less_comes_first(house: House) -> None:
    order(house, "ada", 1)
    first = claim(house, RunningLimits(1))
    assert first is not None
    succeed(house, first, after_s=1000)
    order(house, "ada", 1)
    order(house, "bob", 1)

    following = claim(house, RunningLimits(1))
    assert following is not None
    assert following.owner == "bob"


def test_long_jobs_and_short_ones_share_the_time(house: House, rng: np.random.Generator) -> None:
    """Two users with as many jobs waiting get as much time, not as many jobs."""
    lasts_s = {"ada": 100.0, "bob": 25.0}
    order(house, "ada", 12)
    order(house, "bob", 30)
    used = Counter({"ada": 0.0, "bob": 0.0})
    for _ in range(20):
        job = claim(house, RunningLimits(1))
        assert job is not None
        succeed(house, job, after_s=lasts_s[job.owner])
        used[job.owner] += lasts_s[job.owner]

    # Whoever is behind comes next, so they part by one job at most.
    assert abs(used["ada"] - used["bob"]) <= max(lasts_s.values())


def test_priority_comes_before_fairness(house: House) -> None:
    order(house, "bob", 1)
    urgent = order(house, "ada", 3)
    with house.engine.begin() as connection:
        connection.execute(table.update().where(table.c.id.in_(urgent)).values(priority=5))

    assert [job.owner for _ in range(3) if (job := claim(house, RunningLimits(9)))] == ["ada"] * 3


def test_the_places_told_are_the_order_in_which_jobs_are_claimed(
    house: House, rng: np.random.Generator
) -> None:
    ordered = []
    for owner in rng.choice(["ada", "bob", "eve"], size=15, p=[0.6, 0.3, 0.1]):
        ordered += order(house, str(owner))
    with house.engine.begin() as connection:
        for job_id in rng.choice(ordered, size=4, replace=False):
            statement = table.update().where(table.c.id == str(job_id)).values(priority=1)
            connection.execute(statement)
    places = {house.job(job_id).queue_position: job_id for job_id in ordered}

    assert sorted(place for place in places if place) == list(range(1, 16))
    limits = RunningLimits(99)
    claimed = [job.id for _ in ordered if (job := claim(house, limits))]
    # What runs is counted as a turn, as its place counted it before.
    assert claimed == [places[place] for place in range(1, 16)]


def test_a_user_may_hold_so_many_slots_and_no_more(house: House) -> None:
    order(house, "ada", 4)
    order(house, "bob", 1)
    limits = RunningLimits(9, user=2)
    owners = [job.owner for _ in range(5) if (job := claim(house, limits))]

    assert Counter(owners) == {"ada": 2, "bob": 1}
    assert claim(house, limits) is None


def test_one_limit_holds_on_all_machines_together(house: House) -> None:
    order(house, "ada", 9)
    limits = RunningLimits(2, everywhere=3)
    machines = ["north:1", "north:2", "south:1", "south:2", "west:1"]
    claimed = [claim(house, limits, worker=worker) is not None for worker in machines]

    assert claimed == [True, True, True, False, False]


def test_a_quick_job_does_not_wait_for_long_ones(house: House) -> None:
    order(house, "ada", 3)
    assert claim(house, RunningLimits(1)) is not None
    (quick,) = order(house, "bob", 1, quick=True)
    assert house.job(quick).queue_position == 1

    assert claim(house, RunningLimits(1)) is None
    job = claim(house, RunningLimits(1), lane="quick")
    assert job is not None
    assert job.id == quick


def test_an_order_over_the_limit_is_refused_and_leaves_nothing(house: House) -> None:
    house.configure(maxprocesses=3, maxprocesses_user=2)
    order(house, "ada", 2)
    with pytest.raises(QueueFullError, match="2 orders of yours wait already, at most 2 may"):
        order(house, "ada", 1)
    order(house, "bob", 1)
    with pytest.raises(QueueFullError, match="3 orders wait already, at most 3 may"):
        order(house, "eve", 1)

    page = job_store.page_of_jobs(house.engine, job_store.JobFilter())
    assert Counter(job.owner for job in page.jobs) == {"ada": 2, "bob": 1}
    # A job that runs waits no more.
    assert claim(house, RunningLimits(1)) is not None
    order(house, "eve", 1)


def test_staging_is_shared_fairly_too(house: House) -> None:
    product = house.archive("PRODUCT")
    for owner in ("ada", "ada", "ada", "bob"):
        inputs = {"product": [product]}
        job_store.submit(house.engine, house.config, process="STAND_IN", inputs=inputs, owner=owner)
    with house.engine.connect() as connection:
        served = [job.owner for job in job_tasks.jobs_to_serve(connection)]

    assert served == ["ada", "bob", "ada", "ada"]


@pytest.mark.usefixtures("_own_clock")
def test_expected_times_come_from_what_runs_took_for_their_weight(house: House) -> None:
    with house.engine.begin() as connection:
        for name in ("here:1:a", "here:2:b", "there:1:c"):
            workers.note_heartbeat(connection, name, 1, times.now())
    for seconds in (10, 20, 90):
        (job_id,) = order(house, "ada")
        job = claim(house, RunningLimits(1))
        assert job is not None
        succeed(house, job, after_s=seconds)
    assert job_id == job.id
    now = times.now()
    waiting = order(house, "ada", 5)

    # Two machines, one slot each, whatever the number of workers; the median run took 20 s.
    starts = [(house.job(one).expected_start or now) - now for one in waiting]
    assert [round(start.total_seconds(), -1) for start in starts] == [0, 0, 20, 30, 40]
    assert house.job(waiting[0]).expected_s == pytest.approx(20, abs=0.5)
    # One job at a time on all machines together: nothing runs beside it.
    house.configure(maxrunning=1)
    starts = [(house.job(one).expected_start or now) - now for one in waiting]
    assert [round(start.total_seconds(), -1) for start in starts] == [0, 20, 40, 60, 80]
    for one in map(house.job, waiting):
        assert one.expected_start is not None
        assert one.expected_finish is not None
        took_s = (one.expected_finish - one.expected_start).total_seconds()
        assert took_s == pytest.approx(20, abs=0.5)


@pytest.mark.usefixtures("_own_clock")
@pytest.mark.parametrize(
    ("progress", "held_s", "left_s"),
    [
        (0, 0.0, 20.0),  # as past runs took
        (50, 30.0, 20.0),  # half by past runs (10 s left), half by its own pace (30 s left)
        (90, 90.0, 9.2),  # 0.1 * (2 s + 90 s): its own pace says 10 s
    ],
)
def test_a_job_far_on_is_measured_by_its_own_pace(
    house: House, progress: int, held_s: float, left_s: float
) -> None:
    order(house, "ada")
    job = claim(house, RunningLimits(1))
    assert job is not None
    succeed(house, job, after_s=20)
    (job_id,) = order(house, "ada")
    assert claim(house, RunningLimits(1)) is not None
    with house.engine.begin() as connection:
        claimed_us = table.c.claimed_us - round(held_s * 1e6)
        connection.execute(
            table.update()
            .where(table.c.id == job_id)
            .values(claimed_us=claimed_us, progress=progress)
        )
    job = house.job(job_id)

    assert job.expected_finish is not None
    left = (job.expected_finish - times.now()).total_seconds()
    assert left == pytest.approx(left_s, abs=1.0)


@pytest.mark.usefixtures("_own_clock")
def test_time_spent_waiting_for_inputs_is_no_run_time(house: House) -> None:
    order(house, "ada")
    job = claim(house, RunningLimits(1))
    assert job is not None
    with house.engine.begin() as connection:
        held = Claim(job.id, job.attempt, job.worker or "")
        assert job_queue.give_way(connection, held)
        # It waited for an hour, and ran for ten seconds before and five after.
        connection.execute(
            table.update()
            .where(table.c.id == job.id)
            .values(
                state="queued",
                ran_us=10_000_000,
                started_us=times.to_us(times.now() - timedelta(hours=1)),
            )
        )
    again = claim(house, RunningLimits(1))
    assert again is not None
    succeed(house, again, after_s=5)

    with house.engine.connect() as connection:
        (next_id,) = order(house, "ada")
        expected_s = jobs.get(connection, next_id).expected_s
    assert expected_s == pytest.approx(15, abs=1)


def test_a_repeated_job_teaches_nothing(house: House) -> None:
    (job_id,) = order(house, "ada")
    first = claim(house, RunningLimits(1))
    assert first is not None
    with house.engine.begin() as connection:
        held = Claim(job_id, first.attempt, first.worker or "")
        assert job_queue.attempt_lost(connection, held, "killed") == "queued"
    second = claim(house, RunningLimits(1))
    assert second is not None
    succeed(house, second)

    assert house.job(order(house, "ada")[0]).expected_s is None
