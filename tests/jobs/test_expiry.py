"""What is kept of a job after its end, and what every trace of it becomes."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from catalog_db import times
from catalog_db.processing import job_purge, job_queue, job_tasks, jobs
from catalog_db.tables import job as job_table
from catalog_db.tables import job_log, request, request_file, task
from peps_wps import jobs as job_store
from peps_wps.jobs.dismissal import results_folder, scratch_folder
from tests.jobs.job_house import House
from tests.patience import until

TRACES = (job_log, task, request, request_file)


def rows(house: House) -> dict[str, int]:
    """Count what hangs on jobs."""
    with house.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in TRACES
        }


def held_requests(house: House, job_id: str) -> list[job_tasks.HeldRequest]:
    with house.engine.connect() as connection:
        return job_tasks.requests_of(connection, job_id)


def stop(house: House) -> None:
    for process in house.supervisors:
        process.terminate()
        process.join()


def test_what_a_job_leaves_goes_when_it_expires_and_its_row_says_so(house: House) -> None:
    product = house.archive("PRODUCT")
    house.configure(result_days=0.0)
    house.start()
    job_id = house.submit(product=product)
    house.wait(job_id)
    until(lambda: not held_requests(house, job_id))
    stop(house)
    assert rows(house)["job_log"] > 0

    house.start()  # sweeps at its start
    job = until(lambda: found if (found := house.job(job_id)).results is None else None)
    assert (job.state, job.message) == ("succeeded", "Finished; the results have expired")
    assert until(lambda: not results_folder(house.config, job_id).exists())
    assert rows(house) == dict.fromkeys((table.name for table in TRACES), 0)


@pytest.mark.one_database
@pytest.mark.parametrize("behaviour", ["chain error", "dismissed"])
def test_failed_and_dismissed_jobs_are_purged_and_keep_their_reason(
    house: House, behaviour: str
) -> None:
    house.configure(result_days=0.0)
    house.start()
    job_id = house.submit(behaviour=behaviour, seconds=30 if behaviour == "dismissed" else 0)
    if behaviour == "dismissed":
        until(lambda: house.lines("begin"))
        job_store.dismiss(house.engine, house.config, job_id)
    before = house.wait(job_id)
    stop(house)
    house.start()
    until(lambda: rows(house)["job_log"] == 0)
    after = house.job(job_id)
    assert (after.state, after.message) == (before.state, before.message)


def test_a_row_goes_job_days_after_its_results(house: House) -> None:
    job_id = house.submit()
    with house.engine.begin() as connection:
        job_queue.fail(connection, job_id, "no")
        now = times.now()
        later = now + timedelta(seconds=1)
        assert job_purge.to_purge(connection, later, timedelta(days=5)) == []
        assert job_purge.to_purge(connection, later + timedelta(days=5), timedelta(days=5)) == [
            job_id
        ]
        assert job_purge.purge(connection, job_id, now)
        assert not job_purge.purge(connection, job_id, now)  # another did it already
        assert job_purge.forget(connection, now) == 0
        assert job_purge.forget(connection, later) == 1
        assert jobs.get(connection, job_id) is None


def test_a_job_that_has_not_ended_is_never_purged(house: House) -> None:
    job_id = house.submit()
    with house.engine.begin() as connection:
        much_later = times.now() + timedelta(days=1000)
        assert job_purge.to_purge(connection, much_later, timedelta(0)) == []
        assert not job_purge.purge(connection, job_id, much_later)


def test_a_purge_waits_until_what_the_job_has_pinned_is_released(house: House) -> None:
    product = house.archive("PRODUCT")
    job_id = house.submit(product=product)
    with house.engine.begin() as connection:
        connection.execute(
            request.insert().values(
                id="r", user="u", purpose=f"job:{job_id}:0", created_us=0, pin_lifetime_s=60
            )
        )
        connection.execute(task.update().where(task.c.job == job_id).values(request="r"))
        job_queue.fail(connection, job_id, "no")
        later = times.now() + timedelta(seconds=1)
        assert job_purge.to_purge(connection, later, timedelta(0)) == []
        connection.execute(task.update().where(task.c.job == job_id).values(request=None))
        assert job_purge.to_purge(connection, later, timedelta(0)) == [job_id]


@pytest.mark.one_database
def test_folders_that_no_job_answers_for_are_swept(house: House) -> None:
    orphan = "00000000-0000-4000-8000-000000000000"
    folders = [results_folder(house.config, orphan), scratch_folder(house.config, orphan)]
    foreign = house.config.results.path / "notes"
    for folder in (*folders, foreign):
        folder.mkdir(parents=True)
        (folder / "left.txt").touch()
    house.start()

    until(lambda: not any(folder.exists() for folder in folders))
    assert (foreign / "left.txt").exists()


@pytest.mark.one_database
def test_a_refused_order_leaves_nothing(house: House) -> None:
    before = rows(house)
    for inputs in ({"tasks": "many"}, {"product": "ABSENT"}):
        with pytest.raises(Exception, match=r"no number|no product"):
            house.submit(**inputs)

    assert rows(house) == before
    with house.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(job_table)).scalar_one() == 0
    assert not house.config.results.path.exists()
