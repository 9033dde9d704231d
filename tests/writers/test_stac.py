"""Items are valid STAC and say what their extensions mean."""

import json
from dataclasses import replace

import pystac
import pytest
import shapely
from affine import Affine
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import RasterExtension
from pystac.extensions.sar import Polarization, SarExtension
from pystac.extensions.sat import OrbitState, SatExtension

from algorithms import mgrs
from peps_wps.writers.acquisition import Acquisition, acquisition_of
from peps_wps.writers.stac import COG, PNG, Asset, Grid, Quality, Raster, tile_item
from tests.web.stac.extension_rules import validate
from tests.writers.passes import FIRST, PROCESSING, SECOND

ASSETS = {
    "vv": Asset("vv.tif", COG, "VV", ("data",), 12, ("VV",), Raster("float32", 0.0, 10.0)),
    "vh": Asset(
        "vh.tif", COG, "VH", ("data",), 12, ("VH",), Raster("uint16", 0.0, 10.0, 1e-4, unit="1")
    ),
    "db": Asset("db.tif", COG, "dB", ("data",), raster=Raster("float32", float("nan"), 10.0)),
    "thumbnail": Asset("quicklook.png", PNG, "Quicklook", ("thumbnail",)),
}


def grid_of(name: str) -> Grid:
    tile = mgrs.tile(name)
    return Grid(name, tile.epsg, tile.transform, tile.shape)


def item_of(name: str = "33NWB", acquisition: Acquisition | None = None) -> pystac.Item:
    document = tile_item(
        "s1a_33NWB",
        acquisition or acquisition_of([FIRST, SECOND]),
        PROCESSING,
        grid_of(name),
        assets=ASSETS,
        quality=Quality(98.5, {"srgr": "linear"}),
    )
    return pystac.Item.from_dict(json.loads(json.dumps(document, allow_nan=False)))


def test_the_item_is_valid() -> None:
    validate(item_of().to_dict())


def test_extensions_say_what_was_measured() -> None:
    item = item_of()
    sar = SarExtension.ext(item)
    assert sar.polarizations == [Polarization.VV, Polarization.VH]
    assert sar.instrument_mode == "IW"
    satellite = SatExtension.ext(item)
    assert (satellite.orbit_state, satellite.relative_orbit) == (OrbitState.DESCENDING, 7)
    projection = ProjectionExtension.ext(item)
    assert projection.epsg == 32633
    assert projection.shape == [10980, 10980]
    assert Affine(*projection.transform) == mgrs.tile("33NWB").transform
    assert item.properties["grid:code"] == "MGRS-33NWB"
    assert item.properties["peps:input_products"] == [FIRST.title, SECOND.title]
    assert item.properties["peps:srgr"] == "linear"
    bands = {key: RasterExtension.ext(item.assets[key]).bands[0] for key in ("vv", "vh", "db")}
    assert bands["vv"].nodata == 0
    assert bands["vh"].scale == 1e-4
    assert bands["db"].nodata == "nan"


def test_times_span_all_frames() -> None:
    item = item_of()
    assert item.datetime == FIRST.start
    assert item.common_metadata.end_datetime == SECOND.stop


def test_the_geometry_is_what_the_pass_covers_of_the_tile() -> None:
    geometry = shapely.geometry.shape(item_of().geometry)
    covered = mgrs.coverage(mgrs.tile("33NWB"), geometry)
    both = shapely.union_all([FIRST.footprint, SECOND.footprint])
    # The tile's sides are drawn as chords in longitude and latitude: metres of 110 km.
    assert covered == pytest.approx(mgrs.coverage(mgrs.tile("33NWB"), both), abs=1e-4)


@pytest.mark.parametrize("turn", [0.0, 360.0])
def test_a_tile_across_the_antimeridian_has_two_parts(turn: float) -> None:
    # Tile 01KAB reaches from west of the antimeridian to the east of it.
    footprint = shapely.box(-182, -20, -178, -15)
    moved = replace(FIRST, footprint=shapely.affinity.translate(footprint, turn))
    item = item_of("01KAB", acquisition_of([moved]))
    geometry = shapely.geometry.shape(item.geometry)
    west, _, east, _ = item.bbox
    assert geometry.geom_type == "MultiPolygon"
    assert west > 0 > east
    assert geometry.bounds[0] == -180
    assert geometry.bounds[2] == 180
    item.stac_extensions = []
    assert item.validate()
