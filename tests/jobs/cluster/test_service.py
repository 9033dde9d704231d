"""The whole service with its tasks on a cluster, over HTTP, under kills."""

from pathlib import Path

import pytest

from tests.jobs.cluster.dask_cluster import DaskCluster
from tests.jobs.cluster.slurm_node import SlurmNode
from tests.jobs.cluster.test_drills import ON_DASK, ON_SLURM
from tests.jobs.cluster.test_slurm import DRILLS
from tests.jobs.job_house import House, opened_house
from tests.jobs.kills import kill_everything, kill_web, survive
from tests.jobs.served_house import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.drill]


# Each is a service of its own, and workers that load all kernels.
EXECUTORS = [pytest.param("dask", marks=ON_DASK)]
if DRILLS:
    EXECUTORS.append(pytest.param("slurm", marks=ON_SLURM))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_nothing_is_lost_with_web_or_all_of_it_killed(
    request: pytest.FixtureRequest, executor: str, tmp_path: Path
) -> None:
    cluster: DaskCluster | SlurmNode
    settings: dict[str, object] = {"PEPS_PROCESSING_EXECUTOR": executor}
    if executor == "dask":
        cluster = request.getfixturevalue("dask_cluster")
        settings["PEPS_DASK_ADDRESS"] = cluster.address
    else:
        cluster = request.getfixturevalue("slurm_node")
        wishes = {"maximum_jobs": 1, "cores": 1, "memory": "512mb", "interface": "lo"}
        settings |= {f"PEPS_SLURM_{key.upper()}": value for key, value in wishes.items()}

    def kill_all(house: House, service: Served, job_id: str) -> None:
        cluster.stop()
        kill_everything(house, service, job_id)
        cluster.start()

    with opened_house(tmp_path) as house, served(house, **settings) as service:
        jobs = survive(house, service, kill_web, orders=2)
        assert {job.attempt for job in jobs} == {1}  # they did not notice
        if DRILLS:
            house.journal.unlink()
            jobs = survive(house, service, kill_all)
            assert max(job.attempt for job in jobs) <= 2
