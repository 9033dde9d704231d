"""What must happen once, tried by several processes at the same instant."""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from catalog_db import times
from catalog_db.archive import claims, recalls, replicas
from catalog_db.engine import Engine, create_engine
from catalog_db.processing import job_queue, job_tasks, jobs
from catalog_db.processing.job_queue import RunningLimits
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.staging import Archive
from tests.jobs.job_house import House
from tests.patience import stretched

PROCESSES = 6
# After a statement, at most, as over a network: others come in between.
SLOWNESS_S = 0.02
_FORK = multiprocessing.get_context("fork")


def _one(url: str, barrier: Any, answers: Any, action: Callable[..., Any], index: int) -> None:
    engine = create_engine(url)
    with engine.connect():
        pass  # connected before the start
    slowness = random.Random(index)
    event.listen(
        engine, "after_cursor_execute", lambda *_: time.sleep(slowness.uniform(0, SLOWNESS_S))
    )
    barrier.wait()
    answers.put(action(engine, index))
    engine.dispose()


def at_once(house: House, action: Callable[[Engine, int], Any]) -> list[Any]:
    """Return what an action gives in processes that begin it together."""
    barrier, answers = _FORK.Barrier(PROCESSES), _FORK.Queue()
    processes = [
        _FORK.Process(target=_one, args=(house.config.catalog.url, barrier, answers, action, index))
        for index in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    found = [answers.get(timeout=stretched(60)) for _ in processes]
    for process in processes:
        process.join(stretched(20))
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    return found


def test_processes_claim_each_job_once_and_never_more_than_the_limit(house: House) -> None:
    for _ in range(12):
        house.submit()

    def claim_five(engine: Engine, index: int) -> list[str]:
        claimed = []
        for _ in range(5):
            with engine.begin() as connection:
                job = job_queue.claim(
                    connection,
                    worker=f"machine:{index}",
                    now=times.now(),
                    lease_s=60,
                    limits=RunningLimits(7),
                )
            if job is not None:
                claimed.append(job.id)
        return claimed

    claimed = [job_id for mine in at_once(house, claim_five) for job_id in mine]
    assert len(claimed) == len(set(claimed)) == 7


@pytest.mark.parametrize("pool_gb", ["0.000003"])
def test_processes_promise_the_pool_once(house: House) -> None:
    uids = [house.archive(f"PRODUCT_{n}", size=1000) for n in range(PROCESSES)]
    job_ids = [house.submit(product=f"PRODUCT_{n}") for n in range(PROCESSES)]
    assert len(set(uids)) == len(set(job_ids)) == PROCESSES

    def admit(engine: Engine, index: int) -> bool:
        with engine.begin() as connection:
            (task,) = jobs.tasks_of(connection, job_ids[index])
            return job_tasks.admit(connection, task, 3000).admitted

    assert Counter(at_once(house, admit)) == {True: 3, False: PROCESSES - 3}


def test_processes_reserve_room_in_the_pool_once(house: House) -> None:
    uids = [house.archive(f"PRODUCT_{n}", size=1000) for n in range(12)]
    archive = Archive(house.config, house.engine)
    archive.request(uids, user="u", purpose="p")

    def claim(engine: Engine, index: int) -> list[int]:
        with engine.connect() as connection:
            pending = recalls.pending_recalls(connection, "simtape", times.now())
        with engine.begin() as connection:
            claimed = claims.claim_recalls(
                connection,
                [row.id for row in pending][index::PROCESSES],  # each its own
                f"service {index}",
                budget_bytes=5000,
                now=times.now(),
                lease_s=60,
            )
        return [row.id for row in claimed]

    claimed = [row for mine in at_once(house, claim) for row in mine]
    assert len(claimed) == len(set(claimed)) == 5
    with house.engine.connect() as connection:
        assert replicas.pool_bytes(connection) == 5000


def test_requests_at_the_end_of_a_recall_are_all_served(house: House) -> None:
    # A request either sees the replica or is seen by the recall that ends: none waits for nothing.
    uids = [house.archive(f"PRODUCT_{n}", size=10) for n in range(8)]
    archive = Archive(house.config, house.engine)
    archive.request(uids, user="first", purpose="p")
    with house.engine.begin() as connection:
        pending = recalls.pending_recalls(connection, "simtape", times.now())
        claims.claim_recalls(
            connection,
            [row.id for row in pending],
            "service",
            budget_bytes=10**9,
            now=times.now(),
            lease_s=60,
        )

    def end_or_ask(engine: Engine, index: int) -> list[str]:
        if index == 0:
            for row in pending:
                time.sleep(2 * SLOWNESS_S)  # as long as a request takes
                with engine.begin() as connection:
                    assert claims.complete_recall(connection, row.id, "service", times.now())
            return []
        asking = Archive(house.config, engine)
        return [asking.request([uid], user=f"u{index}", purpose=uid) for uid in uids]

    requests = [request for mine in at_once(house, end_or_ask) for request in mine]
    assert len(requests) == (PROCESSES - 1) * len(uids)
    assert [archive.status(request).ready for request in requests] == [True] * len(requests)
    with house.engine.connect() as connection:
        assert recalls.pending_recalls(connection, "simtape", times.now()) == []


def test_a_file_that_is_pinned_while_it_is_evicted_is_recalled_again_or_stays(house: House) -> None:
    uids = [house.archive(f"PRODUCT_{n}", size=10) for n in range(8)]
    archive = Archive(house.config, house.engine)
    paths = [archive.find(uid).file.path for uid in uids]
    with house.engine.begin() as connection:
        for uid, path in zip(uids, paths, strict=True):
            file_id = archive.find(uid).file.id
            replicas.add_replica(connection, file_id, path, 10, times.now())

    def evict_or_ask(engine: Engine, index: int) -> list[str]:
        if index > 0:
            asking = Archive(house.config, engine)
            return [asking.request([uid], user=f"u{index}", purpose=uid) for uid in uids]
        for path in paths:
            time.sleep(2 * SLOWNESS_S)  # as long as a request takes
            with engine.begin() as connection:
                condemned = replicas.condemn_replicas(connection, [path], times.now())
            for one in condemned:
                with engine.begin() as connection:
                    replicas.discard_replica(connection, one)
        return []

    requests = [request for mine in at_once(house, evict_or_ask) for request in mine]
    for request in requests:
        (file,) = archive.status(request).files
        is_recalled = archive.mode([file.uid]) == {file.uid: "staging"}
        assert file.state == ("waiting" if is_recalled else "ready")


def test_dispatchers_of_several_processes_ask_for_each_product_once(house: House) -> None:
    for n in range(6):
        house.archive(f"PRODUCT_{n}", size=10)
        house.submit(product=f"PRODUCT_{n}")

    def dispatch(engine: Engine, _index: int) -> None:
        Dispatcher(house.config, engine, Archive(house.config, engine)).run_once()

    at_once(house, dispatch)
    with house.engine.connect() as connection:
        assert len(recalls.pending_recalls(connection, "simtape", times.now())) == 6
        assert job_tasks.needless_requests(connection) == []
