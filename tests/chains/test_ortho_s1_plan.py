"""From an order to tasks, on a catalogue without any file: nothing of a product is read."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from catalog_db.catalogue.products import Product
from peps_wps.chains.contract import PlanContext
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.chains.ortho_s1.plan import TileTask
from peps_wps.config import Config
from peps_wps.errors import OrderRefusedError

START = datetime(2021, 8, 9, 17, 39, 53, tzinfo=UTC)
GRD = Product(
    title="S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8",
    collection="S1",
    platform="S1A",
    product_type="GRD",
    start=START,
    end=START + timedelta(seconds=25),
    published=START,
    updated=START,
    footprint=shapely.box(0.0, 43.0, 3.0, 44.6),
    size_bytes=10**9,
    polarization="VV VH",
    mission_take_id=302867,
)
NEXT = replace(
    GRD,
    title="S1A_IW_GRDH_1SDV_20210809T174018_20210809T174043_039156_049F13_0001",
    start=START + timedelta(seconds=25),
    end=START + timedelta(seconds=50),
    footprint=shapely.box(0.0, 44.6, 3.0, 46.2),
)


@dataclass
class Shelf:
    products: list[Product]

    def product(self, identifier):
        found = [p for p in self.products if identifier in (p.uid, p.title)]
        return found[0] if found else None


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "dem"
    folder.mkdir()
    profile = {"driver": "GTiff", "width": 60, "height": 60, "count": 1, "dtype": "float32"}
    profile |= {"crs": "EPSG:4979", "transform": Affine(0.1, 0, -1, 0, -0.1, 48)}
    with rasterio.open(folder / "hills.tif", "w", **profile) as dataset:
        dataset.write(np.full((1, 60, 60), 300, np.float32))
    return Config.load(var=tmp_path, environ={"PEPS_DEM_VERTICAL_DATUM": "ellipsoid"})


def _plan(config, products, **inputs):
    chain = OrthoS1()
    given = {"product": [p.title for p in products]}
    given |= {name: value.split() for name, value in inputs.items()}
    tasks = chain.plan(chain.parse(given), PlanContext(Shelf(products), config)).tasks
    return [TileTask.from_json(task.body) for task in tasks]


def test_every_tile_covered_enough_gets_a_task(config):
    tasks = _plan(config, [GRD])
    assert "31TCJ" in {task.tile for task in tasks}
    assert all(task.coverage >= 0.10 for task in tasks)
    fewer = _plan(config, [GRD], min_coverage="60")
    assert {task.tile for task in fewer} < {task.tile for task in tasks}


def test_polarisations_default_to_those_of_the_product(config):
    assert _plan(config, [GRD], tiles="31TCJ")[0].polarizations == ("VV", "VH")
    assert _plan(config, [GRD], tiles="31TCJ", polarizations="VH")[0].polarizations == ("VH",)


def test_consecutive_frames_make_one_task_a_tile(config):
    tasks = _plan(config, [NEXT, GRD])
    shared = [task for task in tasks if len(task.titles) == 2]
    assert len({task.tile for task in tasks}) == len(tasks)
    assert shared
    assert all(task.titles == (GRD.title, NEXT.title) for task in shared)


def test_a_product_given_by_title_and_by_identifier_counts_once(config):
    chain = OrthoS1()
    order = chain.parse({"product": [GRD.title, GRD.uid], "tiles": ["31TCJ"]})
    (task,) = chain.plan(order, PlanContext(Shelf([GRD]), config)).tasks
    assert task.products == (GRD.uid,)


def test_passes_of_other_days_stay_apart(config):
    later = replace(
        GRD,
        title="S1A_IW_GRDH_1SDV_20210821T173953_20210821T174018_039331_04A4D5_0002",
        start=GRD.start + timedelta(days=12),
        end=GRD.end + timedelta(days=12),
        mission_take_id=304341,
    )
    tasks = _plan(config, [later, GRD], tiles="31TCJ")
    assert [task.titles for task in tasks] == [(GRD.title,), (later.title,)]


def test_a_tile_of_several_passes_is_named_with_the_time_whatever_the_titles(config):
    frames = [
        replace(
            GRD,
            title=f"odd{days}",
            start=GRD.start + timedelta(days=days),
            end=GRD.end + timedelta(days=days),
        )
        for days in (0, 12)
    ]
    chain = OrthoS1()
    order = chain.parse({"product": ["odd0", "odd12"], "tiles": ["31TCJ"]})
    tasks = chain.plan(order, PlanContext(Shelf(frames), config)).tasks
    assert [task.name for task in tasks] == ["31TCJ 20210809T173953", "31TCJ 20210821T173953"]


@pytest.mark.parametrize(
    ("product", "inputs", "locator", "message"),
    [
        (
            replace(GRD, product_type="SLC"),
            {},
            "product",
            f"product {GRD.title} is of type SLC, expected GRD",
        ),
        (GRD, {"polarizations": "HH"}, "polarizations", "polarization HH is not in"),
        (GRD, {"tiles": "31UDQ"}, "tiles", "tile 31UDQ lies outside"),
        (
            GRD,
            {"tiles": "31TCH", "min_coverage": "40"},
            "tiles",
            "tile 31TCH is covered by 34.",
        ),
        (
            replace(GRD, footprint=shapely.box(0.5, 43.5, 0.55, 43.55)),
            {},
            "min_coverage",
            "no tile is covered by 10 percent or more; the best is",
        ),
        (
            replace(GRD, footprint=shapely.box(20.0, 43.0, 23.0, 44.6)),
            {},
            "product",
            "tile 34T",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_figure(config, product, inputs, locator, message):
    with pytest.raises(OrderRefusedError) as refusal:
        _plan(config, [product], **inputs)
    assert refusal.value.locator == locator
    assert str(refusal.value).startswith(message)
    # What PyWPS lets through to the client.
    assert set(str(refusal.value)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .:!?=,;-_/"
    )


def test_an_unknown_product_is_named(config):
    chain = OrthoS1()
    with pytest.raises(OrderRefusedError, match="product S1A_NOT_HERE is not in the catalogue"):
        chain.plan(chain.parse({"product": ["S1A_NOT_HERE"]}), PlanContext(Shelf([]), config))


def test_one_acquisition_processed_twice_is_refused(config):
    again = replace(GRD, title=GRD.title[:-4] + "6D00")
    with pytest.raises(OrderRefusedError, match="are the same acquisition"):
        _plan(config, [GRD, again])
