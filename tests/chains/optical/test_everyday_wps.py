"""Each everyday tool once as a user has it: by WPS from a service, products on tape."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from owslib.util import ServiceException
from owslib.wps import WebProcessingService
from rasterio.io import MemoryFile

from simulator.optical.displacement import Shift
from simulator.optical.product import Acquisition, write_product
from tests.chains.optical.conftest import SENSING
from tests.chains.service import ordered, served, stocked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("optical"),
]

AREA = "POLYGON((0.92 43.69, 0.95 43.69, 0.95 43.66, 0.92 43.66, 0.92 43.69))"


@pytest.fixture(scope="module")
def moved(tmp_path_factory) -> Path:
    """A part of the tile ten days later, a little beside."""
    seen = Acquisition(
        "31TCJ", 32631, 330_000, 4_840_020, 360, SENSING + timedelta(days=10),
        displacement=Shift(0.4, -0.3),
    )  # fmt: skip
    return write_product(tmp_path_factory.mktemp("moved"), seen)


@pytest.fixture(scope="module")
def url(bench, small, moved, tmp_path_factory) -> Iterator[str]:
    """The address of a service whose archive holds the products on tape."""
    folder = tmp_path_factory.mktemp("everyday")
    paths = [*bench.shelf.paths.values(), *small.paths, moved]
    with served(stocked(folder / "var", paths, tier="tape", PEPS_TAPE_SPEED="1000")) as url:
        yield url


@pytest.fixture
def run(url):
    """Order a process and fetch its outputs by their identifiers."""

    def order(process: str, *inputs: tuple[str, str]) -> dict[str, bytes]:
        links = ordered(url, process, inputs, within_s=60)
        return {name: requests.get(link, timeout=30).content for name, link in links.items()}

    return order


def _raster(archive: bytes) -> tuple[str, tuple[int, ...]]:
    """Data type and shape of the first GeoTIFF of a zip."""
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        name = next(name for name in members.namelist() if name.endswith(".tif"))
        with MemoryFile(members.read(name)) as memory, memory.open() as dataset:
            return dataset.dtypes[0], (dataset.count, *dataset.shape)


def _size(picture: bytes) -> tuple[str, int]:
    with MemoryFile(picture) as memory, memory.open() as dataset:
        return dataset.driver, max(dataset.shape)


def test_ndvi(run, bench):
    outputs = run("S2_NDVI", ("products", bench.title), ("mask_clouds", "true"))
    assert _raster(outputs["archive"]) == ("int16", (1, 600, 600))
    (told,) = json.loads(outputs["report"])["products"]
    assert 0.3 < told["statistics"]["mean"] < 0.7


def test_color_composition(run, bench):
    outputs = run(
        "S2_COLOR_COMPOSITION",
        *(("products", bench.title), ("preset", "swir"), ("geometry", AREA), ("picture", "jpeg")),
    )
    dtype, (count, rows, columns) = _raster(outputs["archive"])
    assert (dtype, count) == ("uint8", 3)
    assert 200 < min(rows, columns) <= max(rows, columns) < 360
    assert _size(outputs["quicklook"])[0] == "JPEG"


def test_extract_bands(run, bench):
    outputs = run(
        "S2_EXTRACT_BANDS",
        *(("products", bench.title), ("bands", "B8A"), ("crs", "EPSG:2154"), ("values", "dn")),
    )
    dtype, (count, rows, _) = _raster(outputs["archive"])
    assert (dtype, count) == ("uint16", 1)
    assert 300 < rows < 330


def test_registration(run, bench, moved):
    outputs = run(
        "S2_REGISTRATION",
        *(("reference", bench.title), ("products", moved.stem)),
        *(("bands", "B04"), ("apply", "resample")),
    )
    # All of the reference's pixels, whatever part of them the product shows.
    assert _raster(outputs["archive"]) == ("uint16", (1, 600, 600))
    (told,) = json.loads(outputs["report"])["products"]
    assert told["registration"]["shift_px"] == pytest.approx({"dx": -0.3, "dy": 0.4}, abs=0.01)
    features = json.loads(outputs["tie_points"])["features"]
    assert len(features) == told["registration"]["tie_points"]["found"]
    assert _size(outputs["quicklook"]) == ("PNG", 3 * 360 + 16)


def test_quicklooks(run, bench, small):
    optical = run("S2_QUICKLOOK", ("products", bench.title), ("size", "128"))
    assert _size(optical["quicklook"]) == ("PNG", 128)
    radar = run("S1_QUICKLOOK", ("products", small.products[0].title), ("size", "128"))
    driver, size = _size(radar["quicklook"])
    assert driver == "PNG"
    assert size <= 128


def test_orbit_data(run, bench, small):
    titles = [("products", bench.title), ("products", small.products[0].title)]
    outputs = run("ORBIT_DATA", *titles)
    assert outputs["vectors"].count(b"datastrip") == 81
    assert len(json.loads(outputs["footprints"])["features"]) == 4
    assert json.loads(outputs["czml"])[0]["id"] == "document"


def test_a_wrong_order_is_refused_at_once(url, bench):
    with pytest.raises(ServiceException, match='locator="formula"'):
        WebProcessingService(f"{url}/resto/wps").execute(
            "S2_NDVI", [("products", bench.title), ("formula", "N / 0wned")], output=[]
        )
