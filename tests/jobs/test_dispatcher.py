"""Staging of jobs: recalls shared, room reserved together, pins let go."""

import dataclasses
from typing import Any

import pytest

from catalog_db.catalogue import products
from catalog_db.catalogue.products import product_uid
from catalog_db.processing import jobs
from peps_wps.chains.contract import Plan, Task
from peps_wps.errors import OrderRefusedError
from peps_wps.jobs.dismissal import dismiss
from peps_wps.jobs.dispatcher import Dispatcher, recall_message
from peps_wps.staging import Archive, FileStatus, RequestStatus
from tests.jobs.job_house import House
from tests.jobs.stand_in_chains import StandIn
from tests.patience import until

TITLES = [f"PRODUCT_{n}" for n in range(6)]


def answer_of(house: House, job_id: str) -> str:
    return (house.config.results.path / job_id / "answer.txt").read_text()


def recalls(house: House) -> int:
    with house.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM recall").scalar_one())


def spoil(house: House, title: str) -> None:
    """Change what is on tape of a product."""
    content = title.encode().ljust(1000, b".")
    (path,) = (
        p
        for p in house.config.tape.path.rglob("*")
        if p.is_file() and p.stat().st_size == 1000 and p.read_bytes() == content
    )
    path.write_bytes(b"x" * 1000)


def held_requests(house: House) -> int:
    with house.engine.connect() as connection:
        statement = "SELECT count(*) FROM request WHERE released_us IS NULL"
        return int(connection.exec_driver_sql(statement).scalar_one())


def test_many_jobs_on_one_product_cost_one_recall(house: House) -> None:
    house.archive("PRODUCT_0")
    job_ids = [house.submit(product="PRODUCT_0") for _ in range(5)]
    house.start()

    assert {house.wait(job_id).state for job_id in job_ids} == {"succeeded"}
    assert all(answer_of(house, job_id) == "task 0 ['PRODUCT_0.......']\n" for job_id in job_ids)
    assert recalls(house) == 1


class KilledError(BaseException):
    """As if the process ended here."""


@pytest.mark.one_database
def test_a_job_dismissed_after_its_dispatcher_was_killed_leaves_nothing_pinned(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = house.submit(product=house.archive("PRODUCT_0"))
    archive = Archive(house.config, house.engine)
    request = archive.request

    def be_killed_after(*arguments: Any, **options: Any) -> str:
        request(*arguments, **options)
        raise KilledError

    monkeypatch.setattr(archive, "request", be_killed_after)
    with pytest.raises(KilledError):
        Dispatcher(house.config, house.engine, archive).run_once()
    assert held_requests(house) == 1

    assert dismiss(house.engine, house.config, job_id)
    assert held_requests(house) == 0


@pytest.mark.parametrize("pool_gb", ["0.0000025"])
def test_orders_larger_than_the_pool_end_and_leave_nothing_pinned(house: House) -> None:
    for title in TITLES:
        house.archive(title)
    # Two products fit; each order needs six, and both run at once.
    job_ids = [house.submit(product=TITLES), house.submit(product=TITLES[::-1])]
    house.start()

    assert [house.wait(job_id, limit_s=40).state for job_id in job_ids] == ["succeeded"] * 2
    until(lambda: held_requests(house) == 0)


@pytest.mark.one_database
@pytest.mark.parametrize("pool_gb", ["0.0000025"])
def test_what_can_never_lie_on_disk_together_is_refused(house: House) -> None:
    for title in TITLES:
        house.archive(title)
    with pytest.raises(OrderRefusedError, match="6 products"):
        house.submit(product=TITLES, behaviour="together")


@pytest.mark.parametrize("pool_gb", ["0.0000015"])
def test_a_task_waits_for_others_whose_inputs_are_on_tape(house: House) -> None:
    for title in TITLES[:3]:
        house.archive(title)
    # One product fits at a time, and the last task needs none.
    job_id = house.submit(product=TITLES[:3], behaviour="then another")
    house.start()

    assert house.wait(job_id).state == "succeeded"
    begun = [line.split(" begin ")[1] for line in house.lines(" begin ")]
    assert begun == ["task 0", "task 1", "task 2", "another"]
    given = [line.split(" has ")[1] for line in house.lines("another has ")]
    assert given == ["task 0", "task 1", "task 2"]


@pytest.mark.one_database
def test_a_plan_whose_task_waits_for_a_later_one_is_refused(house: House) -> None:
    tasks = (Task("first", (), {}, after=("second",)), Task("second", (), {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StandIn, "plan", lambda *_: Plan(tasks))
        with pytest.raises(ValueError, match="first waits for second, which is not before it"):
            house.submit()


def test_a_product_withdrawn_while_it_is_waited_for_fails_the_job(house: House) -> None:
    house.archive("PRODUCT_0")
    job_id = house.submit(product="PRODUCT_0")
    with house.engine.begin() as connection:
        products.withdraw(connection, product_uid("S1", "PRODUCT_0"))
    house.start()
    job = house.wait(job_id)

    assert job.state == "failed"
    assert job.message == "the product PRODUCT_0 has been withdrawn"
    until(lambda: held_requests(house) == 0)


@pytest.mark.one_database
def test_a_tape_that_fails_fails_the_job_with_its_reason(house: House) -> None:
    house.configure(max_attempts=1)
    house.archive("PRODUCT_0")
    spoil(house, "PRODUCT_0")
    house.start()
    job = house.wait(house.submit(product="PRODUCT_0"), limit_s=30)

    assert job.state == "failed"
    assert "PRODUCT_0" in job.message


@pytest.mark.one_database
@pytest.mark.parametrize("pool_gb", ["0.0000015"])
def test_a_job_goes_on_without_optional_tasks_whose_products_cannot_be_had(house: House) -> None:
    house.configure(max_attempts=1)
    for title in TITLES[:4]:
        house.archive(title)
    spoil(house, "PRODUCT_1")
    job_id = house.submit(product=TITLES[:4], behaviour="go on without")
    with house.engine.begin() as connection:
        products.withdraw(connection, product_uid("S1", "PRODUCT_2"))
    house.start()

    job = house.wait(job_id, limit_s=30)
    assert job.state == "succeeded", job.message
    begun = [line.split(" begin ")[1] for line in house.lines(" begin ")]
    assert begun == ["task 0", "task 3", "another"]
    given = [line.split("another ")[1] for line in house.lines(" another ")]
    assert given == ["has task 0", "is without task 1", "is without task 2", "has task 3"]
    assert job.results is not None
    first, corrupt, withdrawn, last, another = job.results["report"]["value"]["left out"]
    assert first is last is another is None
    assert "checksum" in corrupt
    assert withdrawn == "the product PRODUCT_2 has been withdrawn"
    with house.engine.connect() as connection:
        log = [line.message for line in jobs.log_of(connection, job_id)]
    assert f"Task task 1 is left out: {corrupt}" in log
    until(lambda: held_requests(house) == 0)


def test_the_message_says_how_far_the_recall_is() -> None:
    files = (
        FileStatus("a", "waiting", 300_000_000, 1_000_000_000, 12.0),
        FileStatus("b", "waiting", 0, 500_000_000, 30.0),
        FileStatus("c", "ready", 500_000_000, 500_000_000, 0.0),
    )
    message = recall_message([RequestStatus(False, None, files)])

    assert message == "Recalling 2 products from tape, 20 percent of 1.50 GB, about 30 s left"


@pytest.mark.parametrize("pool_gb", ["0.0000015"])
def test_a_job_that_waits_for_tape_lets_another_run(house: House) -> None:
    # One slot, room for one product: each task of the first job waits for a recall of its own.
    processing = dataclasses.replace(house.config.processing, parallelprocesses=1)
    house.config = dataclasses.replace(house.config, processing=processing)
    for title in TITLES[:4]:
        house.archive(title)
    patient = house.submit(product=TITLES[:4])
    house.start()
    until(lambda: house.lines("begin task 0"))
    others = [house.submit() for _ in range(3)]

    job = house.wait(patient, limit_s=40)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert all(house.wait(other).state == "succeeded" for other in others)
    ends = [house.job(other).finished or job.finished for other in others]
    assert min(ends) < job.finished
