"""Lists of jobs against a plain Python filter of the same rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_db import times
from catalog_db.engine import Connection, Engine
from catalog_db.errors import QueryError
from catalog_db.processing.job_listing import JobFilter, JobPage, page_of_jobs
from catalog_db.processing.jobs import ACTIVE, FINISHED, Job, insert_job
from catalog_db.tables import job as table

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STATES = (*ACTIVE, *FINISHED)
OWNERS = ("ada", "bob", "eve")
PROCESSES = ("S1_ORTHO", "ECHO")


def insert(connection: Connection, rng: np.random.Generator, number: int) -> None:
    """Insert jobs of any age and state; several share an instant of creation."""
    for n in range(number):
        created = NOW - timedelta(minutes=int(rng.integers(0, number // 2)))
        state = STATES[rng.integers(len(STATES))]
        job = Job(
            id=f"{rng.integers(2**63):036d}",
            process=PROCESSES[rng.integers(2)],
            owner=OWNERS[rng.integers(3)],
            state=state,
            inputs={},
            order={},
            max_attempts=3,
            created=created,
            updated=created,
        )
        insert_job(connection, job, [])
        # A waiting job may have been started before: handed back or gone to wait for inputs.
        has_started = state in ("running", "succeeded") or n % 3 == 0
        started_us = times.to_us(created) + int(rng.integers(0, 30_000_000))
        ended_us = started_us + int(rng.integers(0, 600_000_000))
        connection.execute(
            table.update()
            .where(table.c.id == job.id)
            .values(
                started_us=started_us if has_started else None,
                finished_us=ended_us if state in FINISHED else None,
            )
        )


@pytest.fixture
def listed(engine: Engine, rng: np.random.Generator) -> Engine:
    with engine.begin() as connection:
        insert(connection, rng, 60)
    return engine


def every(engine: Engine, wanted: JobFilter, limit: int = 1000) -> tuple[list[Job], int]:
    """Return all pages together, and the total that each of them told."""
    found: list[Job] = []
    cursor = None
    while True:
        with engine.connect() as connection:
            page: JobPage = page_of_jobs(connection, wanted, limit=limit, cursor=cursor, now=NOW)
        found += page.jobs
        if page.cursor is None:
            return found, page.total
        assert len(page.jobs) == limit
        cursor = page.cursor


def passes(job: Job, wanted: JobFilter) -> bool:
    duration_s = None if job.started is None else ((job.finished or NOW) - job.started)
    duration = None if duration_s is None else duration_s.total_seconds()
    least, most = wanted.min_duration_s, wanted.max_duration_s
    return (
        (not wanted.owners or job.owner in wanted.owners)
        and (not wanted.processes or job.process in wanted.processes)
        and (not wanted.states or job.shown_state in wanted.states)
        and (wanted.created_from is None or job.created >= wanted.created_from)
        and (wanted.created_until is None or job.created <= wanted.created_until)
        and (least is None or (duration is not None and duration >= least))
        and (most is None or (duration is not None and duration <= most))
    )


subsets = {
    "owners": st.lists(st.sampled_from((*OWNERS, "nobody")), max_size=2),
    "processes": st.lists(st.sampled_from(PROCESSES), max_size=1),
    "states": st.lists(st.sampled_from(STATES), max_size=3),
    "created_from": st.none() | st.integers(0, 30).map(lambda m: NOW - timedelta(minutes=m)),
    "created_until": st.none() | st.integers(0, 30).map(lambda m: NOW - timedelta(minutes=m)),
    "min_duration_s": st.none() | st.floats(0, 700),
    "max_duration_s": st.none() | st.floats(0, 700),
}


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wanted=st.builds(JobFilter, **subsets), limit=st.integers(1, 20))
def test_a_filter_lets_pass_what_python_lets_pass(
    listed: Engine, wanted: JobFilter, limit: int
) -> None:
    everything, _ = every(listed, JobFilter())
    found, total = every(listed, wanted, limit)

    assert found == [job for job in everything if passes(job, wanted)]
    assert total == len(found)


def test_the_newest_come_first_and_pages_do_not_shift(
    listed: Engine, rng: np.random.Generator
) -> None:
    everything, total = every(listed, JobFilter())
    assert len(everything) == total == 60
    assert everything == sorted(everything, key=lambda job: (job.created, job.id), reverse=True)

    with listed.connect() as connection:
        first = page_of_jobs(connection, JobFilter(), limit=10)
    newcomer = Job(
        id="0" * 36,
        process="ECHO",
        owner="ada",
        state="accepted",
        inputs={},
        order={},
        max_attempts=3,
        created=NOW + timedelta(seconds=1),
        updated=NOW,
    )
    with listed.begin() as connection:
        insert_job(connection, newcomer, [])
    with listed.connect() as connection:
        second = page_of_jobs(connection, JobFilter(), limit=10, cursor=first.cursor)
    assert [*first.jobs, *second.jobs] == everything[:20]


@pytest.mark.parametrize("cursor", ["", "x", "12", "-5.abc", "9" * 30 + ".a", "\u0661.a"])
def test_what_is_no_cursor_is_refused(engine: Engine, cursor: str) -> None:
    with engine.connect() as connection, pytest.raises(QueryError, match="is no cursor"):
        page_of_jobs(connection, JobFilter(), cursor=cursor)
