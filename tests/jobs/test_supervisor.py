"""One supervisor in this process: what it sweeps, and processes that leave."""

import multiprocessing
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from catalog_db import times
from catalog_db.processing import job_queue, job_tasks, workers
from catalog_db.processing.job_queue import Claim
from catalog_db.tables import job as job_table
from peps_wps.jobs.dismissal import REMOVED, results_folder, scratch_folder
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.jobs.inputs import request_for
from peps_wps.jobs.supervisor import Supervisor
from peps_wps.staging import Archive
from tests.jobs.job_house import House
from tests.processes import is_alive


def dispatch(house: House) -> None:
    Dispatcher(house.config, house.engine, Archive(house.config, house.engine)).run_once()


def idle_for_long(*_: object) -> None:
    os.setsid()
    time.sleep(60)


class ForkOfIdlers:
    """A context whose processes do nothing, whatever they are started for."""

    def Process(self, **_: object) -> multiprocessing.process.BaseProcess:  # noqa: N802
        return multiprocessing.get_context("fork").Process(target=idle_for_long, daemon=True)


@pytest.fixture
def supervisor(house: House, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    made = Supervisor(house.config, house.engine)
    monkeypatch.setattr(made, "_context", ForkOfIdlers())
    made._zygote_is_ready.set()
    return made


def left_by(house: House, job_id: str) -> Path:
    folder = results_folder(house.config, job_id)
    folder.mkdir(parents=True)
    (folder / "archive.zip").write_bytes(b"never published")
    return folder


def test_a_job_that_gave_way_is_started_again_while_its_process_leaves(
    house: House, supervisor: Supervisor
) -> None:
    job_id = house.submit()
    dispatch(house)
    supervisor.run_once()
    old = house.job(job_id).process_group
    with house.engine.begin() as connection:
        assert job_queue.give_way(connection, Claim(job_id, 1, supervisor.worker))
    dispatch(house)
    supervisor._claim_one("main")
    new = house.job(job_id).process_group

    assert (is_alive(old), is_alive(new)) == (False, True)
    supervisor.run_once()
    job = house.job(job_id)
    assert (job.state, job.attempt, job.process_group) == ("running", 1, new)
    supervisor._stop_all()
    assert not is_alive(new)


def test_a_supervisor_is_known_to_be_alive_until_it_stops(
    house: House, supervisor: Supervisor
) -> None:
    def alive() -> list[tuple[str, int]]:
        with house.engine.connect() as connection:
            known = workers.heard_since(connection, times.now() - timedelta(seconds=10))
        return [(one.name, one.slots) for one in known]

    assert alive() == []
    supervisor.run_once()
    assert alive() == [(supervisor.worker, 2)]
    supervisor._stop_all()
    assert alive() == []


@pytest.mark.one_database
def test_files_of_jobs_without_results_are_swept_and_no_others(
    house: House, supervisor: Supervisor
) -> None:
    failed, waiting, succeeded = house.submit(), house.submit(), house.submit()
    unknown = "00000000-0000-4000-8000-000000000000"
    folders = {one: left_by(house, one) for one in (failed, waiting, succeeded, unknown)}
    other = house.config.results.path / "a folder of the site"
    other.mkdir()
    with house.engine.begin() as connection:
        job_queue.fail(connection, failed, "The measurement ends at byte 17")
        connection.execute(
            update(job_table)
            .where(job_table.c.id == succeeded)
            .values(state="succeeded", results="{}")
        )
    supervisor._sweep()

    assert not folders[failed].exists()
    assert not folders[unknown].exists()
    assert folders[waiting].is_dir()  # its publication may be in progress
    assert folders[succeeded].is_dir()
    assert other.is_dir()


@pytest.mark.one_database
def test_what_cannot_be_deleted_keeps_its_name_at_every_sweep(
    house: House, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by(house, "00000000-0000-4000-8000-000000000000")
    scratch_folder(house.config, "11111111-0000-4000-8000-000000000000").mkdir(parents=True)
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    names = []
    for _ in range(3):
        supervisor._sweep()
        names.append(sorted(path.name for path in house.config.results.path.rglob(f"{REMOVED}*")))

    assert names[0] == names[1] == names[2]
    assert len(names[0]) == 2
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    supervisor._sweep()
    assert list(house.config.results.path.rglob(f"{REMOVED}*")) == []


@pytest.mark.one_database
def test_a_disk_that_refuses_does_not_stop_the_supervisor(
    house: House, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = left_by(house, "00000000-0000-4000-8000-000000000000")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    supervisor._sweep()
    assert folder.is_dir()


def test_a_task_put_back_while_it_is_staged_does_not_fail_its_job(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.archive("PRODUCT_0")
    job_id = house.submit(product="PRODUCT_0")
    request = Archive.request

    def request_and_put_back(archive: Archive, *arguments: object, **options: object) -> str:
        answer = request(archive, *arguments, **options)
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE task SET state = 'waiting'")
        return answer

    monkeypatch.setattr(Archive, "request", request_and_put_back)
    dispatch(house)
    assert house.job(job_id).state == "staging"

    monkeypatch.setattr(Archive, "request", request)
    dispatch(house)
    assert house.job(job_id).state == "staging"


@pytest.mark.one_database
@pytest.mark.parametrize("kept", [None, "another"])
def test_what_a_task_does_not_want_any_more_is_not_requested(
    house: House, monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    house.archive("PRODUCT_0")
    job_id = house.submit(product="PRODUCT_0")
    monkeypatch.setattr(job_tasks, "set_request", lambda *_: kept)
    archive = Archive(house.config, house.engine)
    asked = {"user": "u", "purpose": "p", "pin_lifetime_s": 60.0}
    with house.engine.connect() as connection:
        (task,) = job_tasks.open_tasks(connection, job_id, 1)
    assert request_for(archive, task, task.products, **asked) == kept
    assert archive.requests(only_open=False) == []


def test_a_request_released_under_a_waiting_task_that_has_another_fails_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.archive("PRODUCT_0")
    job_id = house.submit(product="PRODUCT_0")
    dispatch(house)
    status = Archive.status

    def release_before(archive: Archive, request: str) -> object:
        archive.release(request)
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE task SET state = 'waiting', request = NULL")
        return status(archive, request)

    monkeypatch.setattr(Archive, "status", release_before)
    dispatch(house)
    assert house.job(job_id).state == "staging"
    assert times.now() >= house.job(job_id).updated
