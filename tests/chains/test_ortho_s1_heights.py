"""Heights that are measured from a geoid, and what it costs to take them for something else."""

import pytest
import rasterio

from peps_wps.errors import OrderRefusedError
from simulator.dem import write_dem
from simulator.s1_grd import footprint_bounds

pytestmark = pytest.mark.xdist_group("hills")

EXACT = {"polarizations": "VV", "lossless": "true"}


@pytest.fixture(scope="module")
def orthometric(hills, reference_data, tmp_path_factory):
    """The relief above EGM96 in files that do not say so, and the grid of the geoid."""
    grid = reference_data / "s1" / "geoid" / "egm96_15.gtx"
    folder = tmp_path_factory.mktemp("orthometric")
    bounds = footprint_bounds([hills.frame], hills.terrain)
    for path in write_dem(folder, hills.terrain, bounds, datum="EGM96", geoid=grid):
        with rasterio.open(path, "r+") as dataset:
            dataset.crs = "EPSG:4326"
    return {"PEPS_DEM_PATH": folder, "PEPS_DEM_GEOID_PATH": grid}


@pytest.fixture(scope="module")
def above_geoid(hills, orthometric):
    named = hills.configured("egm96", PEPS_DEM_VERTICAL_DATUM="EGM96", **orthometric)
    return named.tile(**EXACT)


def test_heights_above_the_geoid_meet_the_bars(above_geoid):
    found = above_geoid.score()
    assert found.missing == 0
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0


def test_heights_above_the_geoid_taken_for_ellipsoidal_miss_by_the_geoid(hills, orthometric):
    wrong = hills.configured("wrong", PEPS_DEM_VERTICAL_DATUM="ellipsoid", **orthometric)
    found = wrong.tile(**EXACT).score()
    # 49 m of undulation seen at 46 degrees.
    assert found.rms_m > 40


def test_the_report_says_what_heights_were_measured_from(hills, above_geoid):
    assert "EGM96" in above_geoid.body["heights"]
    assert "ellipsoid" in hills.tile(**EXACT).body["heights"]


def test_without_a_grid_of_the_geoid_the_order_is_refused(hills, orthometric, monkeypatch):
    monkeypatch.setattr("peps_wps.readers.geoid._folders", lambda _: ())
    places = {"PEPS_DEM_PATH": orthometric["PEPS_DEM_PATH"], "PEPS_DEM_VERTICAL_DATUM": "EGM96"}
    with pytest.raises(OrderRefusedError) as refusal:
        hills.configured("no-grid", **places).order()
    assert "no grid of the geoid EGM96 found" in str(refusal.value)
    assert "apt-get install proj-data" in str(refusal.value)
    assert "or set geoid_path in section dem" in str(refusal.value)


def test_without_any_height_the_order_is_refused(hills, tmp_path):
    (tmp_path / "dem").mkdir()
    with pytest.raises(OrderRefusedError, match="tile 31TCJ: "):
        hills.configured("no-dem", PEPS_DEM_PATH=tmp_path / "dem").order()
