"""What S1_INTERFEROGRAM refuses, fails on with its reason, or gives with a warning."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely

from peps_wps.chains.coherence_s1.chain import CoherenceS1
from peps_wps.chains.contract import PlanContext
from peps_wps.chains.interferogram_s1 import plan as planning
from peps_wps.chains.interferogram_s1.chain import InterferogramS1
from peps_wps.errors import ChainError, InvalidInputError, OrderRefusedError
from tests.chains.interferometry.simulated_pair import simulate_pair
from tests.chains.simulated_pass import configuration


def refusal(pair, **inputs):
    with pytest.raises(InvalidInputError) as refused:
        pair.plan(InterferogramS1(), {**pair.titles(), **inputs})
    return refused.value.locator, str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("looks", "20", "samples by lines"),
        ("looks", "1x1", "samples by lines"),
        ("looks", "0x4", "samples by lines"),
        ("bursts", "308029", "144_308029_IW1"),
        ("bursts", "900_308029_IW1", "144_308029_IW1"),
        ("bursts", "144_308029_IW4", "144_308029_IW1"),
        ("geometry", "POINT(1 43)", "polygon"),
        ("geometry", "POLYGON((9 9, 9 10, 10 10, 9 9))", "lies outside"),
        ("unwrap", "magic", "whirlwind"),
        ("filter_exponent", "2", "0 to 1"),
        ("polarization", "VH", "is not in"),
        ("grid", "wgs84", "utm, mgrs"),
        ("resolution", "3", "5 to 1000"),
        ("tiles", "31TCJ", "grid=mgrs"),
        ("bursts", "145_308029_IW1", "relative orbit 145"),
        ("reference", "nothing", "not in the catalogue"),
    ],
)
def test_an_input_is_refused_by_name(pair, name, value, told):
    locator, message = refusal(pair, **{name: [value]})
    assert locator == name
    assert told in message


def test_resolutions_of_tiles_divide_them(pair):
    locator, message = refusal(pair, grid=["mgrs"], resolution=["80"])
    assert locator == "resolution"
    assert "60" in message


def test_tiles_outside_are_refused(pair):
    assert refusal(pair, grid=["mgrs"], tiles=["32TQM"])[0] == "tiles"


def test_area_and_bursts_exclude_each_other(pair):
    area = "POLYGON((1 43, 2 43, 2 44, 1 43))"
    assert refusal(pair, geometry=[area], bursts=["044_92617_IW2"])[0] == "bursts"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"relative_orbit": 45}, "relative orbit of"),
        ({"orbit_direction": "descending"}, "direction of"),
        ({"sensor_mode": "EW"}, "mode of"),
        ({"product_type": "GRD"}, "expected SLC"),
        ({"polarization": "VH"}, "no polarization is common"),
        ({"moved": 3.0}, "no burst in common"),
    ],
)
def test_products_that_make_no_pair_are_refused(pair, changes, told):
    first, second = pair.products
    changes = dict(changes)
    if moved := changes.pop("moved", None):
        changes["footprint"] = shapely.affinity.translate(second.footprint, moved)
    with pytest.raises(OrderRefusedError, match=told):
        replace(pair, products=(first, replace(second, **changes))).plan(
            InterferogramS1(), pair.titles()
        )


def test_one_date_twice_is_refused(pair):
    first = pair.products[0].title
    assert "reference itself" in refusal(pair, secondary=[first])[1]
    again = replace(pair.products[1], start=pair.products[0].start, end=pair.products[0].end)
    with pytest.raises(OrderRefusedError, match="same date"):
        replace(pair, products=(pair.products[0], again)).plan(InterferogramS1(), pair.titles())


def test_an_area_without_heights_is_refused(pair, tmp_path):
    (tmp_path / "dem").mkdir()
    with pytest.raises(OrderRefusedError, match="DEM"):
        replace(pair, config=configuration(tmp_path)).plan(InterferogramS1(), pair.titles())


def test_snaphu_is_refused_where_it_is_not_installed(pair, monkeypatch):
    monkeypatch.setattr(planning.importlib.util, "find_spec", lambda _name: None)
    order = InterferogramS1().parse({**pair.titles(), "unwrap": ["snaphu"]})
    with pytest.raises(OrderRefusedError, match="not installed"):
        planning.plan(order, PlanContext(pair, pair.config))


def test_a_burst_that_is_not_there_fails_with_those_that_are(pair, tmp_path):
    inputs = {**pair.titles(), "bursts": ["044_1_IW2"]}
    with pytest.raises(ChainError, match=r"044_000001_IW2 is not in .* 044_092617_IW2"):
        pair.make(InterferogramS1(), tmp_path, inputs)


def test_without_a_common_burst_both_are_told(pair, tmp_path):
    """The second product's bursts get other identifiers."""
    copy = tmp_path / "copy" / pair.paths[1].name
    shutil.copytree(pair.paths[1], copy)
    for path in (copy / "annotation").glob("*.xml"):
        path.write_text(path.read_text().replace(">9261", ">8261"))
    other = pair.at("others", (pair.paths[0], copy))
    with pytest.raises(ChainError, match=r"no burst is common: .*092617_IW2.*082617_IW2"):
        other.make(InterferogramS1(), tmp_path / "run", pair.titles())


def test_a_damaged_image_is_named(pair, tmp_path):
    copy = tmp_path / "copy" / pair.paths[1].name
    shutil.copytree(pair.paths[1], copy)
    (image,) = (copy / "measurement").glob("*.tiff")
    image.write_bytes(image.read_bytes()[:20_000])
    damaged = pair.at("damaged", (pair.paths[0], copy))
    with pytest.raises(ChainError, match=image.name):
        damaged.make(InterferogramS1(), tmp_path / "run", pair.titles())


def test_too_many_cells_fail_before_any_is_computed(pair, tmp_path, monkeypatch):
    monkeypatch.setattr("peps_wps.chains.interferometry.solve.MOST_CELLS", 1000)
    large = replace(pair, told=[])
    with pytest.raises(ChainError, match="give looks of 60x12 or more, some bursts, or a geometry"):
        large.make(InterferogramS1(), tmp_path, large.titles())
    assert large.told == ["Reading the annotations"]


@pytest.fixture(scope="module")
def sea(tmp_path_factory):
    """No coherence at all, and a hole in the DEM."""
    sea = simulate_pair(
        tmp_path_factory.mktemp("sea"), coherence=0.0, bursts=1, lines=200, samples=500
    )
    (dem,) = (sea.folder / "dem").glob("*.tif")
    with rasterio.open(dem, "r+") as dataset:
        heights = dataset.read(1)
        heights[heights.shape[0] // 2 :, : heights.shape[1] // 2] = -32768.0
        dataset.nodata = -32768.0
        dataset.write(heights, 1)
    return sea


def test_water_everywhere_gives_a_result_with_a_warning(sea, tmp_path):
    made = sea.make(InterferogramS1(), tmp_path / "run", sea.titles())

    warnings = " ".join(
        json.loads(next(made.folder.glob("*_metadata.json")).read_text())["warnings"]
    )
    assert "coherence is low" in warnings
    assert "no cycles of the phase are reliable" in warnings
    assert "percent of the heights are missing" in warnings
    with rasterio.open(made.layer("components")) as dataset:
        assert not np.any(dataset.read(1))


def test_coherence_tells_of_a_hole_in_the_heights_too(sea, tmp_path):
    made = sea.make(CoherenceS1(), tmp_path / "run", sea.titles() | {"resolution": ["60"]})

    (path,) = made.last.folder.rglob("*_coherence.json")
    item = json.loads(path.read_text())
    assert "percent of the heights are missing" in " ".join(item["properties"]["peps:warnings"])
