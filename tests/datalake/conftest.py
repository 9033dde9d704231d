"""Small products in a datalake."""

import hashlib
import json
from functools import cache

import numpy as np
import pytest
import rasterio

from algorithms import mgrs
from peps_wps.datalake.lake import Lake
from peps_wps.writers.acquisition import acquisition_of
from peps_wps.writers.stac import COG, Asset, Grid, Quality, Raster, tile_item
from tests.writers.passes import FIRST, PROCESSING, SECOND

TILE = "33NWB"


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    """Nothing here cuts the power."""
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "var" / "datalake")


@pytest.fixture
def publish(lake, tmp_path):
    """Publishes a small image of a day as the tiling does; returns the product."""

    def published(day="2020-01-08", kind="", tile=TILE, collection="S1-L1-ORTHO", seed=1):
        return lake.publish(*small_product(tmp_path, day, kind, tile, collection, seed))

    return published


def small_product(tmp_path, day, kind, tile, collection, seed=1):
    """Folder, item and files of a small image."""
    stem = f"s1a_gam_{tile}_vvvh_DES_007_{day.replace('-', '')}txxxxxx{kind}"
    scratch = tmp_path / "scratch" / f"{collection}-{seed}"
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"{stem}.tif"
    write_image(path, mgrs.tile(tile), seed)
    item = json.loads(item_text(tile))
    item["id"] = stem
    item["assets"]["vvvh"]["href"] = path.name
    if kind:
        item["properties"]["peps:source"] = stem.removesuffix(kind)
    for name in ("datetime", "start_datetime", "end_datetime"):
        item["properties"][name] = f"{day}T04:41:50.000000Z"
    return f"{collection}/{tile}/{day.replace('-', '/')}", item, [path]


@cache
def item_text(tile):
    """The item of an image on a tile, as JSON: to be changed by each who takes it."""
    square = mgrs.tile(tile)
    raster = Raster("float32", 0.0, 10.0)
    item = tile_item(
        "stem",
        acquisition_of([FIRST, SECOND]),
        PROCESSING,
        Grid(tile, square.epsg, square.transform, (16, 16)),
        assets={"vvvh": Asset("stem.tif", COG, "gamma0", ("data",), None, ("VV", "VH"), raster)},
        quality=Quality(100.0, {"parameters": {"filter": "quegan"}}),
    )
    return json.dumps(item)


def write_image(path, square, seed):
    profile = {"driver": "GTiff", "width": 16, "height": 16, "count": 2, "dtype": "float32"}
    profile |= {"crs": square.epsg, "transform": square.transform, "nodata": 0}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(np.random.default_rng(seed).random((2, 16, 16), np.float32) + 1)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
