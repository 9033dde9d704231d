"""S1_TIME_SERIES once as a user has it: ordered by WPS, by track, area and dates."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import requests
import shapely
from rasterio.io import MemoryFile

from tests.chains.service import ordered, served, stocked
from tests.chains.time_series_s1.simulated_stack import LATITUDE, LONGITUDE, SimulatedStack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("time_series")]


def test_a_series_by_wps(stack: SimulatedStack, tmp_path: Path) -> None:
    settings = {"PEPS_DEM_PATH": str(stack.folder / "dem")}
    config = stocked(tmp_path / "var", list(stack.paths.values()), tier="disk", **settings)
    inputs = [
        ("relative_orbit", str(stack.products[0].relative_orbit)),
        ("start", "2023-03-01"),
        ("end", "2023-04-30"),
        ("geometry", shapely.to_wkt(shapely.Point(LONGITUDE, LATITUDE).buffer(0.004))),
        ("looks", "8x2"),
        ("neighbours", "1"),
        ("dem_error", "false"),
    ]
    with served(config) as url:
        links = ordered(url, "S1_TIME_SERIES", inputs, within_s=120)
        displacement, told, dates = (
            requests.get(links[name], timeout=30).content
            for name in ("displacement", "statistics", "dates")
        )

    assert len(json.loads(told)["pairs"]) == 3
    assert io.BytesIO(dates).readline().startswith(b"date,product,days")
    with MemoryFile(displacement) as memory, memory.open() as dataset:
        spreads = [float(np.ptp(band[np.isfinite(band)])) for band in dataset.read()]
    # The summit rises by a third of the whole from date to date, its foot by less.
    assert spreads == sorted(spreads)
    assert spreads[3] > 0.01
