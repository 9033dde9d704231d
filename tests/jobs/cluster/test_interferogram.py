"""S1_INTERFEROGRAM on a cluster: swaths at once on nodes without a database, then their result."""

from pathlib import Path

from peps_wps import jobs as job_store
from peps_wps.ingest import ingest
from peps_wps.jobs.dismissal import results_folder
from peps_wps.services import Services
from tests.chains.interferometry.simulated_pair import simulate_pair
from tests.jobs.cluster.conftest import use
from tests.jobs.cluster.dask_cluster import DaskCluster
from tests.jobs.cluster.test_drills import ON_DASK
from tests.jobs.job_house import opened_house

pytestmark = ON_DASK


def test_swaths_are_computed_at_once_and_put_together_when_all_have_ended(
    dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    pair = simulate_pair(tmp_path / "pair", swaths=("IW1", "IW2"), lines=200, samples=400)
    environ = {
        "PEPS_PROCESSING_CHAINS": "peps_wps.chains.registry",
        "PEPS_DEM_PATH": str(pair.folder / "dem"),
    }
    with opened_house(tmp_path / "house", environ=environ) as house:
        use(house, "dask", address=dask_cluster.address, tasks_per_job=2, threads=1)
        ingest(pair.paths, tier="disk", services=Services.of(house.config, house.engine))
        house.start()
        job = job_store.submit(
            house.engine,
            house.config,
            process="S1_INTERFEROGRAM",
            inputs={**pair.titles(), "looks": ["10x2"]},
            owner="anonymous",
        )
        job = house.wait(job.id, limit_s=120)
        assert job.state == "succeeded", job.message
        (told,) = results_folder(house.config, job.id).rglob("*_metadata.json")

    assert told.read_text().count("_IW1") == told.read_text().count("_IW2") == 2
