"""S1_TIME_SERIES once as a user has it: ordered by WPS, by track, area and dates."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import requests
import shapely
from owslib.wps import WebProcessingService
from rasterio.io import MemoryFile

from catalog_db.engine import create_engine
from peps_wps.app import create_app
from peps_wps.cli.archive import open_services
from peps_wps.config import Config
from peps_wps.ingest import ingest
from tests.chains.time_series_s1.simulated_stack import LATITUDE, LONGITUDE, SimulatedStack
from tests.jobs.job_house import until
from tests.loopback import on_the_loopback
from tests.workers import working

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("time_series")]


def test_a_series_by_wps(stack: SimulatedStack, tmp_path: Path) -> None:
    environ = {
        "PEPS_AUTH_MODE": "open",
        "PEPS_PROCESSING_HEARTBEAT_S": "0.3",
        "PEPS_DEM_PATH": str(stack.folder / "dem"),
    }
    config = Config.load(var=tmp_path / "var", environ=environ)
    services = open_services(config)
    ingest(list(stack.paths.values()), tier="disk", services=services, progress=lambda *_: None)
    services.engine.dispose()
    engine = create_engine(config.catalog.url)
    inputs = [
        ("relative_orbit", str(stack.products[0].relative_orbit)),
        ("start", "2023-03-01"),
        ("end", "2023-04-30"),
        ("geometry", shapely.to_wkt(shapely.Point(LONGITUDE, LATITUDE).buffer(0.004))),
        ("looks", "8x2"),
        ("neighbours", "1"),
        ("dem_error", "false"),
    ]
    with working(config), on_the_loopback(create_app(config, engine)) as url:
        service = WebProcessingService(f"{url}/resto/wps")
        execution = service.execute("S1_TIME_SERIES", inputs, output=[])

        def is_complete() -> bool:
            execution.checkStatus(sleepSecs=0)
            return execution.isComplete()

        until(is_complete, 120)
        assert execution.isSucceded(), execution.statusMessage
        links = {output.identifier: output.reference for output in execution.processOutputs}
        displacement, told, dates = (
            requests.get(links[name], timeout=30).content
            for name in ("displacement", "statistics", "dates")
        )
    engine.dispose()

    assert len(json.loads(told)["pairs"]) == 3
    assert io.BytesIO(dates).readline().startswith(b"date,product,days")
    with MemoryFile(displacement) as memory, memory.open() as dataset:
        spreads = [float(np.ptp(band[np.isfinite(band)])) for band in dataset.read()]
    # The summit rises by a third of the whole from date to date, its foot by less.
    assert spreads == sorted(spreads)
    assert spreads[3] > 0.01
