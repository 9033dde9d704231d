"""Jobs under blows whose tasks run on a cluster: on dask, and on Slurm."""

import os
import signal
import time

import pytest

from peps_wps import jobs as job_store
from peps_wps.jobs.dismissal import results_folder, scratch_folder
from tests.jobs.cluster.dask_cluster import DaskCluster
from tests.jobs.cluster.slurm_node import KILL_WAIT_S, SlurmNode
from tests.jobs.job_house import House
from tests.patience import stretched, until
from tests.processes import is_alive

LIMIT_S = 90.0


# Those that share a cluster run in one process of the suite.
ON_DASK = pytest.mark.xdist_group("dask cluster")
ON_SLURM = pytest.mark.xdist_group("slurm cluster")


@pytest.fixture(params=[pytest.param("dask", marks=ON_DASK), pytest.param("slurm", marks=ON_SLURM)])
def executor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def house(executor: str, request: pytest.FixtureRequest) -> House:
    house: House = request.getfixturevalue(f"{executor}_house")
    return house


def begun(house: House, task: str = "task") -> list[int]:
    """Return the processes that began a task, in their order."""
    return [int(line.split()[1]) for line in house.lines(f"begin {task}")]


def gathered(house: House) -> int:
    return len(house.lines("gather"))


def answer_of(house: House, job_id: str) -> str:
    return (results_folder(house.config, job_id) / "answer.txt").read_text()


def test_a_job_goes_on_after_its_process_was_killed(house: House) -> None:
    job_id = house.submit(tasks=3, behaviour="hold")
    (held,) = until(lambda: begun(house, "task 2"), LIMIT_S)
    until(lambda: house.job(job_id).progress >= 75, LIMIT_S)
    os.killpg(house.job(job_id).process_group, signal.SIGKILL)
    until(lambda: not is_alive(held), 5)
    house.let_go()
    job = house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert answer_of(house, job_id) == "task 0 []\ntask 1 []\ntask 2 []\n"
    # What was done before the kill is not done again.
    assert [len(begun(house, f"task {number}")) for number in range(3)] == [1, 1, 2]
    assert gathered(house) == 1


def test_a_dismissed_job_is_gone_within_seconds(
    house: House, executor: str, request: pytest.FixtureRequest
) -> None:
    limit_s = {"dask": 5, "slurm": 5 + KILL_WAIT_S}[executor]
    job_id = house.submit(behaviour="hold")
    until(lambda: begun(house), LIMIT_S)
    moment = time.monotonic()
    assert job_store.dismiss(house.engine, house.config, job_id)
    assert house.job(job_id).state == "dismissed"
    until(lambda: not any(is_alive(process) for process in begun(house)), limit_s)
    until(lambda: not scratch_folder(house.config, job_id).exists(), limit_s)

    assert time.monotonic() - moment < stretched(limit_s)
    assert not results_folder(house.config, job_id).exists()
    if executor == "slurm":
        node: SlurmNode = request.getfixturevalue("slurm_node")
        until(lambda: not node.jobs(), limit_s)


def test_a_job_survives_the_death_of_everything(
    house: House, executor: str, request: pytest.FixtureRequest
) -> None:
    fixture = {"dask": "dask_cluster", "slurm": "slurm_node"}[executor]
    cluster: DaskCluster | SlurmNode = request.getfixturevalue(fixture)
    job_id = house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(house, "task 1"), LIMIT_S)
    until(lambda: house.job(job_id).progress >= 60, LIMIT_S)  # task 0 is recorded
    for supervisor in house.supervisors:
        supervisor.kill()
    cluster.stop()
    until(lambda: not is_alive(held), 5)
    house.let_go()
    cluster.start()
    house.start()
    job = house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert [len(begun(house, f"task {number}")) for number in range(2)] == [1, 2]
    assert gathered(house) == 1
