"""S1_INTERFEROGRAM once as a user has it: ordered by WPS, in tasks that follow each other."""

import io
import json
import zipfile

import numpy as np
import pytest
import requests
from owslib.wps import WebProcessingService
from rasterio.io import MemoryFile

from tests.chains.service import ordered, served, stocked

pytestmark = pytest.mark.slow


def test_an_interferogram_by_wps(pair, tmp_path):
    settings = {"PEPS_DEM_PATH": str(pair.folder / "dem")}
    config = stocked(tmp_path / "var", pair.paths, tier="disk", **settings)
    inputs = [(name, title) for name, (title,) in pair.titles().items()]
    with served(config) as url:
        service = WebProcessingService(f"{url}/resto/wps")
        assert "S1_COHERENCE" in {process.identifier for process in service.processes}
        links = ordered(url, "S1_INTERFEROGRAM", inputs, within_s=120)
        archive, told = (
            requests.get(links[name], timeout=30).content for name in ("archive", "metadata")
        )

    assert json.loads(told)["unwrapping"]["components"] == 1
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        (name,) = (name for name in members.namelist() if name.endswith("_displacement.tif"))
        with MemoryFile(members.read(name)) as memory, memory.open() as dataset:
            assert np.nanmax(dataset.read(1)) > 0.01
