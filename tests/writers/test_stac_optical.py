"""Items of optical results are valid STAC and say what their extensions mean."""

import json
from datetime import UTC, datetime, timedelta

import pystac
import shapely
from pystac.extensions.eo import EOExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import RasterExtension

from algorithms import mgrs
from peps_wps.writers.stac import COG, Asset, Grid, Raster
from peps_wps.writers.stac_optical import Making, Observation, optical_item
from tests.web.stac.extension_rules import validate

START = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)
OBSERVATION = Observation(
    titles=("S2A_MSIL1C_20240612T105031_N0510_R051_T31TCJ_20240612T105031",),
    start=START,
    stop=START + timedelta(seconds=4),
    platform="S2A",
    level="L1C",
    relative_orbit=51,
    orbit_direction="descending",
    cloud_cover=12.5,
    footprint=shapely.box(0.6, 43.2, 1.4, 44.2),
)


def _item() -> pystac.Item:
    tile = mgrs.tile("31TCJ")
    raster = Raster("int16", -32768.0, 10.0, 1e-4)
    document = optical_item(
        "s2a_31TCJ_20240612t105031_l1c_ndvi",
        OBSERVATION,
        Making("NDVI", "NDVI of a product", "1.0", START, {"index": "NDVI"}),
        Grid("31TCJ", tile.epsg, tile.transform, tile.shape),
        resolution=10.0,
        assets={"ndvi": Asset("ndvi.tif", COG, "NDVI", ("data",), 12, (), raster)},
    )
    return pystac.Item.from_dict(json.loads(json.dumps(document, allow_nan=False)))


def test_the_item_is_valid():
    validate(_item().to_dict())


def test_extensions_say_what_was_made():
    item = _item()
    assert EOExtension.ext(item).cloud_cover == 12.5
    assert ProjectionExtension.ext(item).code == "EPSG:32631"
    (band,) = RasterExtension.ext(item.assets["ndvi"]).bands
    assert (band.scale, band.nodata, band.data_type) == (1e-4, -32768, "int16")
    assert item.properties["platform"] == "sentinel-2a"
    assert item.properties["peps:input_products"] == list(OBSERVATION.titles)


def test_the_geometry_is_what_was_seen_of_the_tile():
    seen = shapely.geometry.shape(_item().geometry)
    assert OBSERVATION.footprint.buffer(1e-5).contains(seen)
