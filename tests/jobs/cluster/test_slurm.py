"""Tasks on a real Slurm of one node, under what happens to a Slurm."""

import contextlib
import os
from pathlib import Path

import pytest

from catalog_db.processing.job_queue import Claim
from peps_wps.config import Config
from peps_wps.jobs import cluster_slurm
from peps_wps.jobs.task_work import TaskLostError
from tests.jobs.cluster.slurm_node import SlurmNode
from tests.jobs.cluster.test_drills import LIMIT_S, ON_SLURM, begun, gathered
from tests.jobs.job_house import House
from tests.patience import until
from tests.processes import is_alive

pytestmark = ON_SLURM

# One minute is the least that Slurm's time limits know: too long for every day.
DRILLS = os.environ.get("PEPS_DRILLS") == "1"


def workers_of(job_id: str) -> list[str]:
    """Return the command lines of the dask workers of a job, which name it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text())
    return [line for line in found if "dask_worker" in line and f"peps-{job_id}" in line]


def test_jobs_go_on_while_the_controller_is_dead_and_begin_when_it_is_back(
    slurm_house: House, slurm_node: SlurmNode
) -> None:
    first = slurm_house.submit(tasks=2, behaviour="hold")
    until(lambda: begun(slurm_house, "task 1"), LIMIT_S)
    assert workers_of(first)
    slurm_node.kill_controller(first)
    slurm_house.let_go()
    job = slurm_house.wait(first, limit_s=LIMIT_S)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert len(begun(slurm_house)) == 2
    # Nobody can cancel its worker now.
    until(lambda: not workers_of(first), 15)

    second = slurm_house.submit()
    until(lambda: "worker of the cluster" in slurm_house.job(second).message, LIMIT_S)
    slurm_node.start_controller()
    job = slurm_house.wait(second, limit_s=LIMIT_S)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_a_task_whose_slurm_job_is_ended_runs_in_another_as_soon_as_a_node_can(
    slurm_house: House, slurm_node: SlurmNode
) -> None:
    job_id = slurm_house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(slurm_house, "task 1"), LIMIT_S)
    (first,) = slurm_node.jobs()
    with slurm_node.drained():
        if DRILLS:
            slurm_node.call("scontrol", "update", f"job={first}", "TimeLimit=1")
            until(lambda: not is_alive(held), 150)
        else:
            slurm_node.call("scancel", first)
            until(lambda: not is_alive(held), 5)
        slurm_house.let_go()
        (second,) = until(lambda: set(slurm_node.jobs()) - {first}, LIMIT_S)
        until(lambda: "worker of the cluster" in slurm_house.job(job_id).message, LIMIT_S)
        state = slurm_node.call("squeue", "--noheader", "--format=%T", "--job", second)
        assert state.strip() == "PENDING"
    job = slurm_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [len(begun(slurm_house, f"task {number}")) for number in range(2)] == [1, 2]
    assert gathered(slurm_house) == 1


def test_workers_that_nothing_is_left_for_are_let_go(
    slurm_house: House, slurm_node: SlurmNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_slurm, "IDLE_S", 1.0)
    with cluster_slurm.SlurmWorkers(slurm_house.config, Claim("some-job", 1, "me")) as workers:
        workers.demand(3)
        with workers.connect() as client:
            assert client.submit(sum, (1, 2)).result(timeout=LIMIT_S) == 3
            assert len(slurm_node.jobs()) == slurm_house.config.slurm.maximum_jobs
            workers.demand(0)
            until(lambda: not slurm_node.jobs(), LIMIT_S)


def test_a_job_hears_when_nothing_looks_after_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_workers: object) -> None:
        raise RuntimeError("the loop is closed")

    monkeypatch.setattr(cluster_slurm.SlurmWorkers, "_round", fail)
    config = Config.load(var=tmp_path, environ={})
    workers = cluster_slurm.SlurmWorkers(config, Claim("some-job", 1, "me"))
    workers.demand(1)
    workers._look_after()
    with pytest.raises(TaskLostError, match="no workers could be had on Slurm"):
        workers.demand(1)
