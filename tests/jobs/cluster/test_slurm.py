"""Tasks on a real Slurm of one node, under what happens to a Slurm."""

import os

from tests.jobs.cluster.slurm_node import SlurmNode
from tests.jobs.cluster.test_drills import LIMIT_S, begun, gathered, let_go
from tests.jobs.job_house import House, is_alive, until

# One minute is the least that Slurm's time limits know: too long for every day.
DRILLS = os.environ.get("PEPS_DRILLS") == "1"


def test_jobs_go_on_while_the_controller_is_dead_and_begin_when_it_is_back(
    slurm_house: House, slurm_node: SlurmNode
) -> None:
    first = slurm_house.submit(tasks=2, behaviour="hold")
    until(lambda: begun(slurm_house, "task 1"), LIMIT_S)
    slurm_node.kill_controller()
    let_go(slurm_house)
    job = slurm_house.wait(first, limit_s=LIMIT_S)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert len(begun(slurm_house)) == 2

    second = slurm_house.submit()
    until(lambda: "worker of the cluster" in slurm_house.job(second).message, LIMIT_S)
    slurm_node.start_controller()
    job = slurm_house.wait(second, limit_s=LIMIT_S)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_a_job_waits_for_a_node_that_is_drained(slurm_house: House, slurm_node: SlurmNode) -> None:
    node = f"node={slurm_node.host}"
    until(lambda: slurm_node.state() == "idle", LIMIT_S)
    slurm_node.call("scontrol", "update", node, "state=drain", "reason=test")
    job_id = slurm_house.submit()
    until(slurm_node.jobs, LIMIT_S)
    until(lambda: "worker of the cluster" in slurm_house.job(job_id).message, LIMIT_S)
    assert begun(slurm_house) == []
    slurm_node.call("scontrol", "update", node, "state=resume")
    job = slurm_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert len(begun(slurm_house)) == 1


def test_a_task_whose_slurm_job_is_ended_runs_in_another(
    slurm_house: House, slurm_node: SlurmNode
) -> None:
    job_id = slurm_house.submit(tasks=2, behaviour="hold")
    (held,) = until(lambda: begun(slurm_house, "task 1"), LIMIT_S)
    (slurm_job,) = slurm_node.jobs()
    if DRILLS:
        slurm_node.call("scontrol", "update", f"job={slurm_job}", "TimeLimit=1")
        until(lambda: not is_alive(held), 150)
    else:
        slurm_node.call("scancel", slurm_job)
        until(lambda: not is_alive(held), 5)
    let_go(slurm_house)
    job = slurm_house.wait(job_id, limit_s=LIMIT_S)

    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [len(begun(slurm_house, f"task {number}")) for number in range(2)] == [1, 2]
    assert gathered(slurm_house) == 1
