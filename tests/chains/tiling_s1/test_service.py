"""S1_TILING as a user has it: by WPS from a service whose products are on tape."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from owslib.wps import WebProcessingService
from rasterio.io import MemoryFile

from catalog_db.engine import create_engine
from peps_wps.app import create_app
from peps_wps.cli.archive import open_services
from peps_wps.config import Config
from peps_wps.ingest import ingest
from tests.chains.tiling_s1.simulated_series import SimulatedSeries
from tests.jobs.job_house import until
from tests.loopback import on_the_loopback
from tests.workers import working

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tiling")]

ORDER = [("tiles", "31TCJ"), ("start", "2021-08-01"), ("end", "2021-09-10"), ("min_coverage", "1")]


@pytest.fixture
def url(series: SimulatedSeries, tmp_path: Path) -> Iterator[str]:
    """The address of a service with three dates on tape and room for one at a time on disk.

    What the tape holds of the second is not what was written.
    """
    paths = [series.archive.paths[p.uid] for p in series.archive.products[:3]]
    size = sum(file.stat().st_size for file in paths[0].rglob("*") if file.is_file())
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_PROCESSING_MAX_ATTEMPTS": "1",
        "PEPS_PROCESSING_CHAINS": "tests.chains.tiling_s1.small_chains",
        "PEPS_TAPE_SPEED": "1000",
        "PEPS_STORAGE_BUDGET_GB": str(1.6 * size / 1e9),
        "PEPS_DEM_PATH": str(series.folder / "dem"),
        "PEPS_ORBITS_PATH": str(series.folder / "orbits"),
    }
    config = Config.load(var=tmp_path / "var", environ=environ)
    services = open_services(config)
    ingest(paths, tier="tape", services=services, progress=lambda *_: None)
    services.engine.dispose()
    (on_tape,) = config.tape.path.rglob(f"*-{paths[1].stem}.zip")
    on_tape.write_bytes(bytes(on_tape.stat().st_size))
    engine = create_engine(config.catalog.url)
    with working(config), on_the_loopback(create_app(config, engine)) as address:
        yield address
    engine.dispose()


def test_an_order_by_wps_is_published_and_served_without_the_date_that_the_tape_lost(
    url: str,
) -> None:
    service = WebProcessingService(f"{url}/resto/wps")
    execution = service.execute("S1_TILING", ORDER, output=[])

    def is_complete() -> bool:
        execution.checkStatus(sleepSecs=0)
        return execution.isComplete()

    until(is_complete, 60)
    assert execution.isSucceded(), execution.statusMessage
    links = {output.identifier: output.reference for output in execution.processOutputs}
    files = json.loads(requests.get(links["files"], timeout=30).content)["files"]
    images = [file["href"] for file in files if file["path"].endswith("_filtered.tif")]
    assert len(images) == 2
    for image in images:
        content = requests.get(f"{url}{image}", timeout=30).content
        with MemoryFile(content) as memory, memory.open() as dataset:
            assert dataset.count == 2
            assert dataset.read(1).max() > 0
    report = json.loads(requests.get(links["report"], timeout=30).content)
    (left_out,) = report["left_out"]
    assert left_out["date"] == "s1a_20210821"
    assert "checksum" in left_out["reason"]
    item = requests.get(f"{url}{images[0].removesuffix('.tif')}.json", timeout=30).json()
    assert item["properties"]["peps:filter_dates_count"] == 2
