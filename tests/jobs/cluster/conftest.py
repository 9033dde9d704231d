import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.jobs.cluster.dask_cluster import ROOT, DaskCluster
from tests.jobs.cluster.slurm_node import SlurmNode, missing_programs
from tests.jobs.job_house import House, opened_house


@pytest.fixture(scope="session")
def dask_cluster_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def dask_cluster(dask_cluster_of_session: DaskCluster) -> DaskCluster:
    """A whole cluster, whatever the test before has killed."""
    dask_cluster_of_session.start()
    return dask_cluster_of_session


@pytest.fixture(scope="session")
def slurm_node() -> Iterator[SlurmNode]:
    if missing := missing_programs():
        pytest.skip(f"Slurm is not installed: no {', '.join(missing)}")
    with (
        # The path of a socket is short.
        tempfile.TemporaryDirectory(prefix="peps-slurm-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        node = SlurmNode(Path(folder))
        for name, value in {**node.environment, "PYTHONPATH": str(ROOT)}.items():
            patch.setenv(name, value)
        try:
            node.start()
            yield node
        finally:
            node.stop()


@contextmanager
def working(folder: Path, executor: str, **settings: object) -> Iterator[House]:
    """Give a house at work; in its pool two products of 1000 bytes have room."""
    with opened_house(folder, pool_gb="0.0000025") as house:
        use(house, executor, **settings)
        house.start()
        yield house


def use(house: House, executor: str, **settings: object) -> None:
    """Have a house use an executor, with settings of its section."""
    config = house.config
    section = dataclasses.replace(getattr(config, executor), **settings)
    processing = dataclasses.replace(config.processing, executor=executor)
    house.config = dataclasses.replace(config, processing=processing, **{executor: section})


@pytest.fixture(scope="session")
def dask_house_of_session(
    dask_cluster_of_session: DaskCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    address = dask_cluster_of_session.address
    folder = tmp_path_factory.mktemp("house")
    with working(folder, "dask", address=address, tasks_per_job=2, threads=3) as house:
        yield house


@pytest.fixture(scope="session")
def slurm_house_of_session(
    slurm_node: SlurmNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    settings = {"maximum_jobs": 1, "cores": 1, "memory": "512mb", "interface": "lo"}
    with working(tmp_path_factory.mktemp("house"), "slurm", **settings) as house:
        yield house


@pytest.fixture
def dask_house(dask_house_of_session: House, dask_cluster: DaskCluster, tmp_path: Path) -> House:
    """A house at work, with a journal for this test alone."""
    dask_house_of_session.journal = tmp_path / "journal"
    return dask_house_of_session


@pytest.fixture
def slurm_house(slurm_house_of_session: House, slurm_node: SlurmNode, tmp_path: Path) -> House:
    """A house at work, with a journal for this test alone and no job of another."""
    slurm_node.clear()
    slurm_house_of_session.journal = tmp_path / "journal"
    return slurm_house_of_session
