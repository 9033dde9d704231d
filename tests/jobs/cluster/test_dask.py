"""Tasks on a cluster of dask.distributed whose parts are killed one by one."""

import os
import signal
from pathlib import Path

import pytest
from distributed import Client

from catalog_db.processing import jobs
from catalog_db.processing.jobs import Job
from peps_wps.config import Config
from peps_wps.errors import ConfigError
from peps_wps.jobs.task_runner import check_executor
from tests.jobs.cluster.dask_cluster import DaskCluster, kill_tree
from tests.jobs.cluster.test_drills import LIMIT_S, ON_DASK, answer_of, begun, gathered
from tests.jobs.job_house import House
from tests.patience import until
from tests.processes import is_alive

pytestmark = ON_DASK

# A process, its zygote, and the worker that started it.
STAT_PARENT = 1


def parent_of(process: int) -> int:
    stat = Path(f"/proc/{process}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[STAT_PARENT])


def worker_of(process: int) -> int:
    """Return the dask worker that a task runs under: the process of a task is forked twice."""
    return parent_of(parent_of(process))


def log_of(house: House, job_id: str) -> str:
    with house.engine.connect() as connection:
        return " ".join(line.message for line in jobs.log_of(connection, job_id))


def test_tasks_of_one_job_run_at_once(dask_house: House) -> None:
    job = dask_house.wait(dask_house.submit(tasks=2, behaviour="meet"), limit_s=LIMIT_S)

    assert job.state == "succeeded"
    assert answer_of(dask_house, job.id) == "task 0 []\ntask 1 []\n"


def test_a_task_that_waits_for_others_begins_when_they_have_ended(dask_house: House) -> None:
    job_id = dask_house.submit(tasks=3, behaviour="then another", seconds=0.2)

    assert dask_house.wait(job_id, limit_s=LIMIT_S).state == "succeeded"
    told = [line.split(" ", 2)[2] for line in dask_house.lines("")][:-1]
    others, last = told[:6], told[6:]
    given = [f"another has task {n}" for n in range(3)]
    assert last == ["begin another", *given, "end another"]
    assert sorted(others) == sorted(
        f"{word} task {n}" for word in ("begin", "end") for n in range(3)
    )


def test_progress_of_tasks_comes_back(dask_house: House) -> None:
    job_id = dask_house.submit(tasks=2, behaviour="hold")
    # All of the first task and half of the second: three quarters of nine tenths.
    job = until(lambda: job if (job := dask_house.job(job_id)).progress == 67 else None, LIMIT_S)
    assert job.message == "task 1: Holding"
    dask_house.let_go()

    assert dask_house.wait(job_id, limit_s=LIMIT_S).progress == 100


def test_the_tasks_of_a_killed_worker_are_run_by_another(
    dask_house: House, dask_cluster: DaskCluster
) -> None:
    job_id = dask_house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(dask_house, "task 1"), LIMIT_S)
    os.kill(worker_of(held), signal.SIGKILL)
    until(lambda: not is_alive(held), 5)
    until(lambda: len(begun(dask_house, "task 1")) == 2, LIMIT_S)
    dask_house.let_go()
    job = dask_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert gathered(dask_house) == 1


def test_a_killed_process_of_a_task_costs_an_attempt_and_no_more(dask_house: House) -> None:
    job_id = dask_house.submit(behaviour="hold")
    os.kill(until(lambda: begun(dask_house), LIMIT_S)[0], signal.SIGKILL)
    dask_house.let_go()
    job = dask_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert "Attempt 2 of 3 follows: its process was killed by SIGKILL" in log_of(dask_house, job_id)


def allow_failures(cluster: DaskCluster, number: int) -> None:
    """Set how many workers may die under a task before its scheduler gives it up."""
    with Client(cluster.address, set_as_default=False) as client:
        client.run_on_scheduler(
            lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", number)
        )


def test_a_task_that_the_cluster_gives_up_costs_an_attempt(
    dask_house: House, dask_cluster: DaskCluster
) -> None:
    allow_failures(dask_cluster, 0)
    job_id = dask_house.submit(behaviour="hold")
    (held,) = until(lambda: begun(dask_house), LIMIT_S)
    os.kill(worker_of(held), signal.SIGKILL)
    dask_house.let_go()
    job = dask_house.wait(job_id, limit_s=LIMIT_S)
    allow_failures(dask_cluster, 3)

    assert (job.state, job.attempt) == ("succeeded", 2)
    sentence = "Attempt 2 of 3 follows: the workers of the cluster that ran it died"
    assert sentence in log_of(dask_house, job_id)


def test_a_job_waits_for_another_scheduler_when_its_own_is_killed(
    dask_house: House, dask_cluster: DaskCluster
) -> None:
    job_id = dask_house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(dask_house, "task 1"), LIMIT_S)
    assert dask_cluster.scheduler is not None
    kill_tree(dask_cluster.scheduler)
    # Workers without a scheduler end, and what they ran with them.
    until(lambda: not is_alive(held), 10)
    until(lambda: "does not answer" in dask_house.job(job_id).message, LIMIT_S)
    assert dask_house.job(job_id).state == "running"
    dask_house.let_go()
    dask_cluster.start()
    job = dask_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [len(begun(dask_house, f"task {number}")) for number in range(2)] == [1, 2]
    assert gathered(dask_house) == 1


def test_the_job_of_a_stalled_supervisor_is_taken_over_and_published_once(
    dask_house: House,
) -> None:
    house = dask_house
    job_id = house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(house, "task 1"), LIMIT_S)
    stalled = house.stall()
    try:
        house.start()
        # The first attempt finds that it lost its claim; its task makes place.
        until(lambda: not is_alive(held), LIMIT_S)
        until(lambda: len(begun(house, "task 1")) == 2, LIMIT_S)
        house.let_go()
        job = house.wait(job_id, limit_s=LIMIT_S)
    finally:
        os.kill(stalled, signal.SIGCONT)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert gathered(house) == 1


def test_an_order_larger_than_the_pool_ends_with_several_tasks_at_once(dask_house: House) -> None:
    titles = [f"PRODUCT_{number}" for number in range(5)]
    for title in titles:
        dask_house.archive(title)
    job = dask_house.wait(dask_house.submit(product=titles, seconds=0.2), limit_s=LIMIT_S)

    assert job.state == "succeeded"
    assert answer_of(dask_house, job.id) == "".join(
        f"task {number} ['{title}.......']\n" for number, title in enumerate(titles)
    )


def test_an_executor_that_could_run_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"PEPS_PROCESSING_EXECUTOR": "dask"}
    with pytest.raises(ConfigError, match=r"dask needs \[dask\] address"):
        check_executor(Config.load(var=tmp_path, environ=environ))
    environ["PEPS_DASK_ADDRESS"] = "tcp://127.0.0.1:8786"
    check_executor(Config.load(var=tmp_path, environ=environ))
    environ["PEPS_PROCESSING_EXECUTOR"] = "slurm"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="slurm needs sbatch"):
        check_executor(Config.load(var=tmp_path, environ=environ))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs the package distributed: install peps with"):
        check_executor(Config.load(var=tmp_path, environ=environ))


def test_a_task_is_told_its_cores_and_not_where_the_database_is(dask_house: House) -> None:
    dask_house.wait(dask_house.submit(behaviour="tell"), limit_s=LIMIT_S)

    (told,) = dask_house.lines("told")
    assert told.split()[3:] == ["3", "cores,", "sqlite:///catalog.db"]


def test_a_task_that_keeps_dying_fails_its_job_after_the_last_attempt(dask_house: House) -> None:
    job = dask_house.wait(dask_house.submit(behaviour="segfault"), limit_s=LIMIT_S)

    assert job.state == "failed"
    assert job.message.startswith("The job was given up after 3 attempts: its process was killed")
    assert len(begun(dask_house)) == 3


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("chain error", "The measurement ends at byte 17, expected 40"),
        ("bug", "The processing met an internal error"),
    ],
)
def test_what_a_task_raises_is_judged_as_if_it_ran_here(
    dask_house: House, behaviour: str, message: str
) -> None:
    job = dask_house.wait(dask_house.submit(behaviour=behaviour), limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("failed", 1)
    assert job.message.startswith(message)
    with dask_house.engine.connect() as connection:
        log = " ".join(line.message for line in jobs.log_of(connection, job.id))
    # The traceback of the node, for the operators.
    assert ("KeyError: 'secret path /srv/peps'" in log) == (behaviour == "bug")
    assert ("in misbehave" in log) == (behaviour == "bug")


def test_a_disk_that_is_full_for_a_node_costs_no_attempt(dask_house: House) -> None:
    job_id = dask_house.submit(behaviour="disk full")
    # It is tried again and again; between two tries it waits, as if it had not been tried.
    waiting = until(lambda: _waiting_for_the_disk(dask_house, job_id), LIMIT_S)
    assert waiting.attempt == 0
    dask_house.journal.with_name("journal.room").touch()

    assert dask_house.wait(job_id, limit_s=LIMIT_S).attempt == 1


def _waiting_for_the_disk(house: House, job_id: str) -> Job | None:
    job = house.job(job_id)
    return job if job.state == "queued" and "was full" in job.message else None
