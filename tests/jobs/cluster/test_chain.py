"""A real chain on a cluster: the tiles of S1_ORTHO are those that one process makes alone."""

import re
import zipfile
from pathlib import Path

import pytest

from peps_wps import jobs as job_store
from peps_wps.ingest import ingest
from peps_wps.jobs.dismissal import results_folder
from peps_wps.services import Services
from tests.chains.simulated_pass import SimulatedPass, simulate_pass
from tests.jobs.cluster.conftest import use
from tests.jobs.cluster.dask_cluster import DaskCluster
from tests.jobs.cluster.test_drills import ON_DASK
from tests.jobs.job_house import opened_house

pytestmark = ON_DASK

# Where the tiles 31TCJ and 31TDJ overlap: easting 399960 to 409800 of UTM zone 31.
LONGITUDE, LATITUDE = 1.822, 43.6


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulatedPass:
    return simulate_pass(
        tmp_path_factory.mktemp("overlap"),
        longitude=LONGITUDE,
        latitude=LATITUDE,
        lines=300,
        samples=400,
        polarizations=("VV",),
    )


def timeless(tiff: bytes) -> bytes:
    """Return a file without when it was written: the tag DateTime of TIFF 6.0."""
    return re.sub(rb"\d{4}(:\d\d){2} \d\d(:\d\d){2}", b"", tiff)


def test_tiles_computed_on_a_cluster_are_those_computed_here(
    simulated: SimulatedPass, dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    environ = {
        "PEPS_PROCESSING_CHAINS": "peps_wps.chains.registry",
        "PEPS_DEM_PATH": str(simulated.folder / "dem"),
        "PEPS_ORBITS_PATH": str(simulated.folder / "orbits"),
    }
    paths = [tile.path() for tile in simulated.all_tiles()]
    expected = {path.name: timeless(path.read_bytes()) for path in paths}
    assert len(expected) == 2
    with opened_house(tmp_path, environ=environ) as house:
        use(house, "dask", address=dask_cluster.address, tasks_per_job=2, threads=2)
        ingest(simulated.paths, tier="disk", services=Services.of(house.config, house.engine))
        house.start()
        job = job_store.submit(
            house.engine,
            house.config,
            process="S1_ORTHO",
            inputs={"product": [simulated.products[0].title], "min_coverage": ["0.1"]},
            owner="anonymous",
        )
        job = house.wait(job.id, limit_s=120)
        assert job.state == "succeeded", job.message
        assert job.results is not None
        archive = results_folder(house.config, job.id) / job.results["archive"]["href"]
        with zipfile.ZipFile(archive) as opened:
            names = {Path(name).name: name for name in opened.namelist()}
            computed = {name: timeless(opened.read(names[name])) for name in expected}

    assert computed == expected
