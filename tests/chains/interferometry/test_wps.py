"""S1_INTERFEROGRAM once as a user has it: ordered by WPS, in tasks that follow each other."""

import io
import json
import zipfile

import numpy as np
import pytest
import requests
from owslib.wps import WebProcessingService
from rasterio.io import MemoryFile

from catalog_db.engine import create_engine
from peps_wps.app import create_app
from peps_wps.cli.archive import open_services
from peps_wps.config import Config
from peps_wps.ingest import ingest
from tests.jobs.job_house import until
from tests.loopback import on_the_loopback
from tests.workers import working

pytestmark = pytest.mark.slow


def test_an_interferogram_by_wps(pair, tmp_path):
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_DEM_PATH": str(pair.folder / "dem"),
    }
    config = Config.load(var=tmp_path / "var", environ=environ)
    services = open_services(config)
    ingest(pair.paths, tier="disk", services=services, progress=lambda *_: None)
    services.engine.dispose()
    engine = create_engine(config.catalog.url)
    inputs = [(name, title) for name, (title,) in pair.titles().items()]
    with working(config), on_the_loopback(create_app(config, engine)) as url:
        service = WebProcessingService(f"{url}/resto/wps")
        assert "S1_COHERENCE" in {process.identifier for process in service.processes}
        execution = service.execute("S1_INTERFEROGRAM", inputs, output=[])

        def is_complete() -> bool:
            execution.checkStatus(sleepSecs=0)
            return execution.isComplete()

        until(is_complete, 120)
        assert execution.isSucceded(), execution.statusMessage
        links = {output.identifier: output.reference for output in execution.processOutputs}
        archive, told = (
            requests.get(links[name], timeout=30).content for name in ("archive", "metadata")
        )
    engine.dispose()

    assert json.loads(told)["unwrapping"]["components"] == 1
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        (name,) = (name for name in members.namelist() if name.endswith("_displacement.tif"))
        with MemoryFile(members.read(name)) as memory, memory.open() as dataset:
            assert np.nanmax(dataset.read(1)) > 0.01
