"""S2_NDVI against reflectances read straight from the product's images."""

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer

from peps_wps.chains.index_s2.chain import IndexS2
from peps_wps.errors import ChainError, InvalidInputError, OrderRefusedError
from peps_wps.readers.sentinel2.masks import Cloud

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = IndexS2()
# Half a step of int16; the rest is float32.
HALF_A_STEP = 0.51e-4


@pytest.fixture(scope="module")
def reflectance(bench):
    """Reflectances of a band at its resolution, by the product specification."""

    def read(band: str) -> np.ndarray:
        return (bench.scene.image(band).read_all().astype(np.float64) - 1000.0) / 10_000.0

    return read


@pytest.fixture(scope="module")
def ndvi(bench):
    return bench.run(CHAIN)


@pytest.fixture(scope="module")
def expected(reflectance):
    red, near_infrared = reflectance("B04"), reflectance("B08")
    return (near_infrared - red) / (near_infrared + red)


def _utm_box(bench, left, top, right, bottom):
    """An area from metres on the map, so that its pixels are known."""
    to_degrees = Transformer.from_crs(bench.scene.geometry.epsg, 4326, always_xy=True)
    box = shapely.segmentize(shapely.box(left, bottom, right, top), 200.0)
    return shapely.transform(box, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))


def test_it_is_the_index_of_reflectances_without_the_offset(ndvi, expected):
    np.testing.assert_allclose(ndvi.read()[0], expected, atol=HALF_A_STEP)


def test_it_lies_on_the_grid_of_the_tile(ndvi):
    with rasterio.open(ndvi.path(".tif")) as dataset:
        assert (dataset.dtypes[0], dataset.nodata, dataset.scales[0]) == ("int16", -32768, 1e-4)
        assert tuple(dataset.transform)[:6] == (10, 0, 330_000, 0, -10, 4_840_020)
        assert dataset.crs.to_epsg() == 32631
        assert dataset.overviews(1) == [2]
        assert dataset.tags()["INPUT_S2_IMAGES"].startswith("S2A_MSIL1C_20240612T105031")


def test_statistics_are_those_of_the_values(ndvi, expected):
    found = ndvi.body["statistics"]
    stored = np.round(expected, 4)
    assert found["mean"] == pytest.approx(expected.mean(), abs=1e-6)
    assert found["standard_deviation"] == pytest.approx(expected.std(), abs=1e-5)
    assert found["percentile_50"] == pytest.approx(np.median(stored), abs=1.1e-4)
    assert found["percentile_98"] == pytest.approx(np.percentile(stored, 98), abs=2e-4)
    assert (found["valid_percent"], found["pixels"]) == (100.0, 360_000)


def test_the_item_tells_the_scale(ndvi):
    item = ndvi.item()
    (band,) = item["assets"]["ndvi"]["raster:bands"]
    assert (band["scale"], band["offset"], band["nodata"]) == (1e-4, 0.0, -32768)
    assert item["properties"]["proj:shape"] == [600, 600]
    assert item["properties"]["peps:statistics"] == ndvi.body["statistics"]
    assert shapely.geometry.shape(item["geometry"]).area > 0


def test_the_picture_shows_vegetation_green_and_water_brown(ndvi, expected):
    with rasterio.open(ndvi.outputs["quicklook"]) as dataset:
        red, green, _, opacity = dataset.read().astype(int)
    assert (opacity == 255).all()
    assert (green > red)[expected > 0.7].all()
    assert (red > green)[expected < 0].all()


def test_bands_of_other_resolutions_come_to_the_coarsest(bench, reflectance):
    done = bench.run(CHAIN, index="NDSI")
    green = reflectance("B03").reshape(300, 2, 300, 2).mean(axis=(1, 3))
    infrared = reflectance("B11")
    np.testing.assert_allclose(
        done.read()[0], (green - infrared) / (green + infrared), atol=HALF_A_STEP
    )


def test_a_finer_resolution_repeats_coarse_bands(bench, reflectance):
    done = bench.run(CHAIN, index="NDSI", resolution="10")
    green = reflectance("B03")
    infrared = reflectance("B11").repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_allclose(
        done.read()[0], (green - infrared) / (green + infrared), atol=HALF_A_STEP
    )


def test_an_area_cuts_its_pixels_out(bench, expected):
    # Columns 37 to 239, rows 111 to 313: no multiple of anything.
    area = _utm_box(bench, 330_370, 4_838_910, 332_400, 4_836_880)
    done = bench.run(CHAIN, geometry=area.wkt)
    with rasterio.open(done.path(".tif")) as dataset:
        assert tuple(dataset.transform)[:6] == (10, 0, 330_370, 0, -10, 4_838_910)
    np.testing.assert_allclose(done.read()[0], expected[111:314, 37:240], atol=HALF_A_STEP)


def test_outside_a_polygon_is_no_data(bench):
    area = _utm_box(bench, 331_000, 4_839_000, 333_000, 4_837_000)
    west, south, east, north = area.bounds
    triangle = shapely.Polygon([(west, south), (east, south), (west, north)])
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(triangle)}
    done = bench.run(CHAIN, geometry=json.dumps(feature))
    values = done.read()[0]
    assert np.isnan(values).mean() == pytest.approx(0.5, abs=0.03)
    assert done.body["statistics"]["valid_percent"] == 100.0


def test_clouds_are_left_out(bench, expected):
    done = bench.run(CHAIN, mask_clouds="true")
    hidden = bench.scene.clouds(10) == Cloud.OPAQUE
    assert hidden.any()
    np.testing.assert_array_equal(np.isnan(done.read()[0]), hidden)
    assert done.body["statistics"]["hidden_percent"] == pytest.approx(100 * hidden.mean(), abs=1e-3)


def test_a_formula_of_ones_own_is_float(bench, reflectance):
    done = bench.run(CHAIN, formula="(B8A - B05) * 100 / RE1")
    infrared, edge = reflectance("B8A"), reflectance("B05")
    np.testing.assert_allclose(done.read()[0], (infrared - edge) * 100 / edge, rtol=1e-5, atol=1e-4)


def test_what_has_no_value_is_no_data(bench, expected):
    done = bench.run(CHAIN, formula="(N - R) ** 0.5")
    np.testing.assert_array_equal(np.isnan(done.read()[0]), expected < 0)
    assert done.body["statistics"]["undefined_percent"] > 0


def test_no_value_anywhere_fails(bench):
    with pytest.raises(ChainError, match="has no value anywhere"):
        bench.run(CHAIN, formula="(N - N) / (N - N)")


def test_an_area_within_clouds_fails(bench):
    hidden = shapely.transform(_one_cloud(bench), lambda xy: xy)
    with pytest.raises(ChainError, match="clouds hide all"):
        bench.run(CHAIN, mask_clouds="true", geometry=hidden.wkt)


def _one_cloud(bench):
    """The area of one pixel of 60 m under clouds."""
    row, column = np.argwhere(bench.scene.clouds(60) == Cloud.OPAQUE)[0]
    left, top = bench.scene.geometry.transforms[60] @ (int(column), int(row))
    return _utm_box(bench, left + 11, top - 11, left + 49, top - 49)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"index": "NDXI"}, "index is NDXI, expected one of NDVI"),
        ({"formula": "N / X"}, "X is no band"),
        ({"formula": "import os"}, "not expected there"),
        ({"formula": "N", "index": "NDVI"}, "expected one of them"),
        ({"geometry": "POLYGON((0 0, 1 1"}, "expected a polygon"),
        ({"geometry": "POINT(1 43)"}, "expected a polygon"),
        ({"geometry": '{"type": "Polygon"}'}, "expected a polygon"),
        ({"geometry": '{"a":' * 20_000}, "expected a polygon"),
        ({"geometry": "GEOMETRYCOLLECTION(" * 20_000}, "expected a polygon"),
        ({"geometry": "POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"}, "no sound polygon"),
        ({"geometry": "POLYGON((300 0, 301 1, 301 0, 300 0))"}, "longitudes from -180"),
        ({"resolution": "15"}, "resolution is 15"),
        ({"format": "png"}, "format is png"),
        ({"products": []}, "products is missing"),
        ({"products": [str(number) for number in range(101)]}, "at most 100"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(bench, inputs, message):
    with pytest.raises(InvalidInputError, match=message):
        bench.plan(CHAIN, **inputs)


@pytest.mark.parametrize(
    ("fields", "inputs", "message"),
    [
        ({}, {"products": ["S2A_NONE"]}, "not in the catalogue"),
        ({"product_type": "GRD", "processing_level": "LEVEL1"}, {}, "of type GRD"),
        ({"processing_level": "LEVEL2A"}, {"formula": "B10 / N"}, "has no band B10"),
        ({}, {"geometry": "POLYGON((10 43, 11 43, 11 44, 10 43))"}, "lies outside"),
        ({}, {"tile": "T31TDH"}, "is of tile 31TCJ, not of 31TDH"),
        ({"mgrs_tile": None}, {}, "holds many tiles"),
    ],
)
def test_what_the_catalogue_tells_is_refused_at_submission(bench, fields, inputs, message):
    with pytest.raises(OrderRefusedError, match=message):
        replace(bench, shelf=bench.shelf.changed(**fields)).plan(CHAIN, **inputs)


def test_a_product_given_twice_is_one_task(bench):
    product = bench.shelf.products[0]
    _, plan = bench.plan(CHAIN, products=[product.title, product.uid])
    assert [task.name for task in plan.tasks] == [product.title]
