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
def house_on_dask(folder: Path, cluster: DaskCluster, *, pool_gb: str = "1") -> Iterator[House]:
    """Give a house whose jobs run their tasks on a cluster."""
    with opened_house(folder, pool_gb=pool_gb) as house:
        use(house, "dask", address=cluster.address, tasks_per_job=2, threads=3)
        yield house


@contextmanager
def house_on_slurm(folder: Path) -> Iterator[House]:
    """Give a house whose jobs run their tasks on Slurm."""
    with opened_house(folder) as house:
        use(house, "slurm", maximum_jobs=1, cores=1, memory="512mb", interface="lo")
        yield house


def use(house: House, executor: str, **settings: object) -> None:
    """Have a house use an executor, with settings of its section."""
    config = house.config
    section = dataclasses.replace(getattr(config, executor), **settings)
    processing = dataclasses.replace(config.processing, executor=executor)
    house.config = dataclasses.replace(config, processing=processing, **{executor: section})


@pytest.fixture(scope="module")
def dask_house_of_module(
    dask_cluster_of_session: DaskCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with house_on_dask(tmp_path_factory.mktemp("house"), dask_cluster_of_session) as house:
        house.start()
        yield house


@pytest.fixture(scope="module")
def slurm_house_of_module(
    slurm_node: SlurmNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with house_on_slurm(tmp_path_factory.mktemp("house")) as house:
        house.start()
        yield house


@pytest.fixture
def dask_house(dask_house_of_module: House, dask_cluster: DaskCluster, tmp_path: Path) -> House:
    """A house that works already, with a journal for this test alone."""
    dask_house_of_module.journal = tmp_path / "journal"
    return dask_house_of_module


@pytest.fixture
def slurm_house(slurm_house_of_module: House, tmp_path: Path) -> House:
    """A house that works already, with a journal for this test alone."""
    slurm_house_of_module.journal = tmp_path / "journal"
    return slurm_house_of_module
