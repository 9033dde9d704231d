"""S1_TILING on a cluster: dates at once on nodes without a database, then the series."""

from pathlib import Path

import pytest

from peps_wps import jobs as job_store
from peps_wps.ingest import ingest
from peps_wps.services import Services
from tests.chains.tiling_s1.simulated_series import SimulatedSeries, simulate_series
from tests.chains.tiling_s1.small_tile import small_tiles
from tests.jobs.cluster.conftest import use
from tests.jobs.cluster.dask_cluster import DaskCluster
from tests.jobs.cluster.test_drills import ON_DASK
from tests.jobs.job_house import opened_house

pytestmark = ON_DASK


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSeries:
    return simulate_series(tmp_path_factory.mktemp("series"), dates=2, polarizations=("VV",))


def test_dates_are_computed_at_once_and_filtered_when_all_have_ended(
    series: SimulatedSeries, dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    environ = {
        "PEPS_PROCESSING_CHAINS": "tests.chains.tiling_s1.small_chains",
        "PEPS_DEM_PATH": str(series.folder / "dem"),
        "PEPS_ORBITS_PATH": str(series.folder / "orbits"),
    }
    with small_tiles(), opened_house(tmp_path, environ=environ) as house:
        use(house, "dask", address=dask_cluster.address, tasks_per_job=2, threads=1)
        paths = list(series.archive.paths.values())
        ingest(paths, tier="disk", services=Services.of(house.config, house.engine))
        house.start()
        job = job_store.submit(
            house.engine,
            house.config,
            process="S1_TILING",
            inputs={
                "tiles": ["31TCJ"],
                "start": ["2021-08-01"],
                "end": ["2021-12-31"],
                "min_coverage": ["0.1"],
            },
            owner="anonymous",
        )
        job = house.wait(job.id, limit_s=120)
        assert job.state == "succeeded", job.message
        published = sorted(p.name for p in house.config.datalake.path.rglob("*_filtered.tif"))

    assert published == [
        f"s1a_gam_31TCJ_vv_ASC_059_{day}t173953_filtered.tif" for day in ("20210809", "20210821")
    ]
