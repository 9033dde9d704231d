"""S1_TILING as a user has it: by WPS from a service whose products are on tape."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from rasterio.io import MemoryFile

from tests.chains.service import ordered, served, stocked
from tests.chains.tiling_s1.simulated_series import SimulatedSeries

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tiling")]

ORDER = [("tiles", "31TCJ"), ("start", "2021-08-01"), ("end", "2021-09-10"), ("min_coverage", "1")]


@pytest.fixture
def url(series: SimulatedSeries, tmp_path: Path) -> Iterator[str]:
    """The address of a service with three dates on tape and room for one at a time on disk.

    What the tape holds of the second is not what was written.
    """
    paths = [series.archive.paths[p.uid] for p in series.archive.products[:3]]
    size = sum(file.stat().st_size for file in paths[0].rglob("*") if file.is_file())
    settings = {
        "PEPS_PROCESSING_MAX_ATTEMPTS": "1",
        "PEPS_PROCESSING_CHAINS": "tests.chains.tiling_s1.small_chains",
        "PEPS_TAPE_SPEED": "1000",
        "PEPS_STORAGE_BUDGET_GB": str(1.6 * size / 1e9),
        "PEPS_DEM_PATH": str(series.folder / "dem"),
        "PEPS_ORBITS_PATH": str(series.folder / "orbits"),
    }
    config = stocked(tmp_path / "var", paths, tier="tape", **settings)
    (on_tape,) = config.tape.path.rglob(f"*-{paths[1].stem}.zip")
    on_tape.write_bytes(bytes(on_tape.stat().st_size))
    with served(config) as address:
        yield address


def test_an_order_by_wps_is_published_and_served_without_the_date_that_the_tape_lost(
    url: str,
) -> None:
    links = ordered(url, "S1_TILING", ORDER, within_s=60)
    files = json.loads(requests.get(links["files"], timeout=30).content)["files"]
    images = [file["href"] for file in files if file["path"].endswith("_filtered.tif")]
    assert len(images) == 2
    for image in images:
        assert image.startswith(f"{url}/datalake/")
        content = requests.get(image, timeout=30).content
        with MemoryFile(content) as memory, memory.open() as dataset:
            assert dataset.count == 2
            assert dataset.read(1).max() > 0
    report = json.loads(requests.get(links["report"], timeout=30).content)
    (left_out,) = report["left_out"]
    assert left_out["date"] == "s1a_20210821"
    assert "checksum" in left_out["reason"]
    item = requests.get(f"{images[0].removesuffix('.tif')}.json", timeout=30).json()
    assert item["properties"]["peps:filter_dates_count"] == 2
