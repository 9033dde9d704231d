"""S2_REGISTRATION lays products on a reference as they truly lie, or says why it cannot."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from scipy import ndimage

from peps_wps.chains.registration_s2.chain import RegistrationS2
from peps_wps.errors import ChainError, InvalidInputError, OrderRefusedError, SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from simulator.optical.displacement import Ramp, Shift
from simulator.optical.product import Acquisition, write_product
from tests.chains.optical.simulated_scene import bench_of
from tests.web.stac.extension_rules import validate

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = RegistrationS2()
SIZE, LEFT, TOP = 360, 330_000, 4_840_020
FIRST = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)
MOVED = Ramp((-0.71, 6e-4, 0.0), (1.37, 0.0, -5e-4))
SHIFT = Shift(0.4, -0.3)
BESIDE = 60  # pixels that another tile lies further east
REFERENCE, RAMP, BESIDE_IT, HIDDEN, FAR = range(5)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registration")
    first = Acquisition("31TCJ", 32631, LEFT, TOP, SIZE, FIRST)

    def later(days, **changed):
        return replace(first, sensing=FIRST + timedelta(days=days), **changed)

    seen = (
        first,
        later(10, displacement=MOVED),
        later(20, displacement=SHIFT, left=LEFT + 10 * BESIDE),
        later(40, displacement=SHIFT, clouds=0.97),
        later(50, displacement=Shift(25.0, 0.0)),
    )
    return bench_of([write_product(folder, one) for one in seen], folder)


def titles(series, *products):
    shelf = series.shelf.products
    wanted = [shelf[number].title for number in products or (RAMP,)]
    return {"products": wanted, "reference": shelf[REFERENCE].title, "step": "16"}


def numbers(series, product, band):
    shelf = series.shelf
    path = shelf.paths[shelf.products[product].uid]
    return open_scene(Safe.open(path)).image(band).read_all().astype(float)


@pytest.fixture(scope="module")
def resampled(series):
    return series.run(CHAIN, **titles(series), apply="resample", bands="B04 B8A B01")


@pytest.fixture(scope="module")
def pointed(series):
    return series.run(CHAIN, **titles(series), bands=["B04", "B8A"])


def report_of(done):
    return done.body["registration"]


def test_the_report_tells_how_it_truly_lies(resampled):
    found = report_of(resampled)
    dy, dx = MOVED(np.full(1, 179.5), np.full(1, 179.5))
    assert found["model"] == "affine"
    # Promised: 0.02 pixels of a ramp.
    assert found["shift_px"]["dx"] == pytest.approx(dx[0], abs=0.02)
    assert found["shift_px"]["dy"] == pytest.approx(dy[0], abs=0.02)
    assert found["shift_m"]["east"] == pytest.approx(10 * dx[0], abs=0.2)
    assert found["shift_m"]["north"] == pytest.approx(-10 * dy[0], abs=0.2)
    row, column = np.mgrid[0:360:20, 0:360:20] + 0.0
    length = np.hypot(*MOVED(row, column))
    assert found["rmse_px"]["before"] == pytest.approx(np.sqrt(np.mean(length**2)), rel=0.05)
    assert found["rmse_px"]["after"] < 0.05
    assert found["ce90_px"]["after"] < 0.08
    assert found["ssim"]["after"] > found["ssim"]["before"] + 0.1
    points = found["tie_points"]
    assert points["used"] <= points["found"] <= points["places"] - points["without_data"]
    assert points["used"] > 0.85 * (points["places"] - points["without_data"])


@pytest.mark.parametrize(("band", "factor"), [("B04", 1), ("B8A", 2), ("B01", 6)])
def test_bands_of_all_resolutions_are_interpolated_where_they_lie(series, resampled, band, factor):
    with rasterio.open(resampled.path(f"_{band.lower()}.tif")) as dataset:
        values, transform = dataset.read(1), dataset.transform
        assert dataset.scales == (1e-4,)
        assert dataset.offsets == (-0.1,)
    assert tuple(transform)[:6] == (10 * factor, 0, LEFT, 0, -10 * factor, TOP)
    side = SIZE // factor
    assert values.shape == (side, side)
    # Metres are those of pixels of 10 m, places are centres.
    row, column = np.mgrid[0:side, 0:side]
    dy, dx = MOVED((row + 0.5) * factor - 0.5, (column + 0.5) * factor - 0.5)
    target = numbers(series, RAMP, band)
    expected = ndimage.map_coordinates(
        target, [row + dy / factor, column + dx / factor], order=3, mode="mirror"
    )
    inside = np.s_[4:-4, 4:-4]
    assert (values[inside] > 0).all()
    error = np.abs(values.astype(float) - expected)[inside]
    # 0.02 pixels of 10 m across edges of fields of 2,000 digital numbers.
    assert np.percentile(error, 99) < 25
    assert np.median(error) < 2


def test_what_the_product_does_not_show_has_no_data(resampled):
    with rasterio.open(resampled.path("_b04.tif")) as dataset:
        values = dataset.read(1)
        assert dataset.nodata == 0
    # Rows of the reference lie 0.71 to 0.5 higher in the product, columns 1.37 to 1.19 further on.
    assert not values[0].any()
    assert not values[:, -2:].any()
    assert values[2:, :-3].all()


def test_a_vrt_lays_the_products_own_pixels_on_the_reference(series, pointed):
    shelf = series.shelf
    safe = shelf.paths[shelf.products[RAMP].uid]
    unpacked = pointed.path("_b04.vrt").parent
    # The zip is unpacked beside the product.
    folder = shutil.copytree(unpacked, safe.parent / unpacked.name)
    for band, factor in (("B04", 1), ("B8A", 2)):
        (path,) = folder.glob(f"*_{band.lower()}.vrt")
        with rasterio.open(path) as dataset:
            pixels, transform, nodata = dataset.read(1), dataset.transform, dataset.nodata
            assert dataset.crs.to_epsg() == 32631
        np.testing.assert_array_equal(pixels, numbers(series, RAMP, band))
        assert nodata == 0
        for row, column in ((0.0, 0.0), (359.0, 0.0), (120.0, 300.0)):
            dy, dx = (float(part) for part in MOVED(row, column))
            seen = (column + dx + 0.5) / factor, (row + dy + 0.5) / factor
            easting, northing = transform @ seen
            assert easting == pytest.approx(LEFT + 10 * (column + 0.5), abs=0.2)
            assert northing == pytest.approx(TOP - 10 * (row + 0.5), abs=0.2)
    told = report_of(pointed)["geotransform"]["20"]
    assert told == pytest.approx(transform.to_gdal())


def test_tie_points_are_where_they_say(pointed):
    document = json.loads(pointed.outputs["tie_points"].read_text())
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) == report_of(pointed)["tie_points"]["found"]
    to_map = Transformer.from_crs(4326, 32631, always_xy=True)
    misfit = []
    for feature in document["features"]:
        told = feature["properties"]
        easting, northing = to_map.transform(*feature["geometry"]["coordinates"])
        # Seven decimals of a degree.
        assert easting == pytest.approx(LEFT + 10 * (told["column"] + 0.5), abs=0.02)
        assert northing == pytest.approx(TOP - 10 * (told["row"] + 0.5), abs=0.02)
        assert told["east_m"] == pytest.approx(10 * told["dx_px"], abs=1e-3)
        assert told["north_m"] == pytest.approx(-10 * told["dy_px"], abs=1e-3)
        dy, dx = MOVED(told["row"], told["column"])
        if told["is_used"]:
            misfit.append(np.hypot(told["dy_px"] - dy, told["dx_px"] - dx))
    assert len(misfit) == report_of(pointed)["tie_points"]["used"]
    assert np.sqrt(np.mean(np.square(misfit))) < 0.05


def test_the_item_says_what_lies_where(series, resampled, pointed):
    item = json.loads(next(resampled.folder.glob("unpacked/*/*_registered.json")).read_text())
    validate(item)
    assert set(item["assets"]) == {
        *("B04", "B8A", "B01", "residuals", "vectors", "difference", "tie_points", "report")
    }
    assert item["properties"]["proj:transform"] == [10, 0, LEFT, 0, -10, TOP]
    assert item["properties"]["peps:reference"] == series.shelf.products[REFERENCE].title
    own = json.loads(next(pointed.folder.glob("unpacked/*/*_registered.json")).read_text())
    assert own["assets"]["B04"]["type"] == "application/x-gdal-vrt"
    gdal = report_of(pointed)["geotransform"]["10"]
    a, b, c, d, e, f = own["properties"]["proj:transform"]
    assert [c, a, b, f, d, e] == pytest.approx(gdal)
    for document, done in ((item, resampled), (own, pointed)):
        for asset in document["assets"].values():
            (path,) = done.folder.glob(f"unpacked/*/{asset['href']}")
            assert path.stat().st_size == asset["file:size"]


@pytest.mark.parametrize("kind", ["residuals", "vectors", "difference"])
def test_pictures_show_it(resampled, kind):
    with rasterio.open(resampled.path(f"_{kind}.png")) as dataset:
        image = dataset.read([1, 2, 3])
    assert max(image.shape) >= 1_000
    assert len(np.unique(image)) > 20


def test_another_tile_is_laid_on_the_pixels_of_the_reference(series):
    done = series.run(CHAIN, **titles(series, BESIDE_IT), apply="resample", bands="B04")
    found = report_of(done)
    assert found["model"] == "shift"
    assert (found["shift_px"]["dy"], found["shift_px"]["dx"]) == pytest.approx(
        (SHIFT.dy, SHIFT.dx), abs=0.01
    )
    with rasterio.open(done.path("_b04.tif")) as dataset:
        values = dataset.read(1).astype(float)
        assert dataset.transform.c == LEFT
    assert not values[:, :BESIDE].any()
    # The product without displacement is the reference itself, but for noise of 8 numbers each.
    gap = values[8:-8, BESIDE + 8 :] - numbers(series, REFERENCE, "B04")[8:-8, BESIDE + 8 :]
    assert np.median(np.abs(gap)) < 12


def test_several_products_are_registered_each_for_itself(series):
    done = series.run(CHAIN, **titles(series, BESIDE_IT, RAMP), bands="B04", model="shift")
    shelf = series.shelf.products
    assert [body["product"] for body in done.report["products"]] == [
        shelf[RAMP].title,
        shelf[BESIDE_IT].title,
    ]
    # What lies 0.4 pixels lower and 0.3 to the left is moved back, the tile's own corner kept.
    corner = done.report["products"][1]["registration"]["geotransform"]["10"]
    assert corner == pytest.approx([LEFT + 603, 10, 0, TOP + 4, 0, -10], abs=0.1)
    features = json.loads(done.outputs["tie_points"].read_text())["features"]
    assert {feature["properties"]["product"] for feature in features} == {
        shelf[RAMP].title,
        shelf[BESIDE_IT].title,
    }


def area(left, top, right, bottom):
    to_degrees = Transformer.from_crs(32631, 4326, always_xy=True)
    box = shapely.segmentize(shapely.box(left, bottom, right, top), 200.0)
    return shapely.transform(box, lambda xy: np.column_stack(to_degrees.transform(*xy.T))).wkt


def test_an_area_is_registered_by_its_own_points(series, resampled):
    box = area(LEFT + 600, TOP - 600, LEFT + 3000, TOP - 3000)
    done = series.run(CHAIN, **titles(series), apply="resample", bands="B04", geometry=box)
    with rasterio.open(done.path("_b04.tif")) as dataset:
        values, transform = dataset.read(1), dataset.transform
    assert values.shape[0] in (240, 241)
    row, column = round((TOP - transform.f) / 10), round((transform.c - LEFT) / 10)
    with rasterio.open(resampled.path("_b04.tif")) as dataset:
        whole = dataset.read(1)[row : row + values.shape[0], column : column + values.shape[1]]
    both = (values > 0) & (whole > 0)
    assert both.mean() > 0.97
    assert np.median(np.abs(values[both].astype(float) - whole[both])) < 4


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        ({"band": "B77"}, "no band of Sentinel-2"),
        ({"bands": "B04 B04"}, "expected each once"),
        ({"window": "40"}, "odd number"),
        ({"step": "0"}, "from 1 to 1000"),
        ({"max_shift_m": "2000"}, "from 0 to 1000"),
        ({"model": "projective"}, "one of auto, shift, affine, polynomial"),
        ({"apply": "warp"}, "one of none, resample"),
        ({"model": "polynomial"}, "apply=resample"),
        ({"geometry": "POLYGON((1 2"}, "WKT or GeoJSON"),
        ({"reference": ""}, "reference is missing"),
        ({"products": []}, "products is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_inputs_without_meaning_are_refused(series, inputs, match):
    with pytest.raises(InvalidInputError, match=match):
        series.plan(CHAIN, **{**titles(series), **inputs})


def refused(series, match, locator="products", number=RAMP, inputs=None, **changed):
    products = list(series.shelf.products)
    products[number] = replace(products[number], **changed)
    other = replace(series, shelf=replace(series.shelf, products=products))
    with pytest.raises(OrderRefusedError, match=match) as caught:
        other.plan(CHAIN, **titles(other, number), **(inputs or {}))
    assert caught.value.locator == locator


def test_the_reference_among_the_products_is_refused(series):
    refused(series, "products is the reference", number=REFERENCE)


def test_an_unknown_product_is_refused(series):
    with pytest.raises(OrderRefusedError, match="not in the catalogue"):
        series.plan(CHAIN, **{**titles(series), "reference": "S2A_NONE"})


def test_another_mission_is_refused(series):
    refused(series, "expected Sentinel-2", product_type="IW_GRDH_1S", processing_level="LEVEL1")


def test_a_band_that_level_2a_lacks_is_refused(series):
    refused(series, "no band B10", inputs={"bands": "B04 B10"}, processing_level="LEVEL2A")


def test_tiles_of_other_zones_are_refused(series):
    refused(series, "expected one UTM zone", mgrs_tile="32TLP")


def test_tiles_that_do_not_overlap_are_refused(series):
    refused(series, "overlap by less than", mgrs_tile="31TFJ")


def test_products_without_common_ground_are_refused(series):
    refused(series, "shows no ground", footprint=shapely.box(3.5, 43.0, 3.6, 43.1))


def test_an_area_elsewhere_is_refused(series):
    elsewhere = "POLYGON((9 9, 10 9, 10 10, 9 10, 9 9))"
    refused(series, "lies outside", locator="geometry", inputs={"geometry": elsewhere})


def test_a_shift_larger_than_searched_fails_with_its_reason(series):
    with pytest.raises(ChainError, match=r"farther (than|apart than)"):
        series.run(CHAIN, **titles(series, FAR))


def test_a_large_shift_is_found_where_it_is_searched(series):
    done = series.run(CHAIN, **titles(series, FAR), max_shift_m="320", bands="B04")
    assert report_of(done)["shift_m"]["north"] == pytest.approx(-250, abs=0.1)


def test_a_clouded_product_fails_with_its_reason(series):
    with pytest.raises(ChainError, match=r"[1-9]\d+ lie under clouds"):
        series.run(CHAIN, **titles(series, HIDDEN), mask_clouds="true")


def test_an_area_smaller_than_a_window_is_refused(series):
    small = {"geometry": area(LEFT + 600, TOP - 600, LEFT + 900, TOP - 2600)}
    refused(series, "less than a window of 41 pixels of 10 m", "geometry", inputs=small)


def test_an_area_of_which_the_images_show_less_than_a_window_fails_with_its_reason(series):
    beyond = area(LEFT - 2000, TOP - 600, LEFT + 300, TOP - 2600)
    with pytest.raises(ChainError, match=r"30 pixels wide .* less than a window of 41"):
        series.run(CHAIN, **titles(series), geometry=beyond)


def test_a_window_larger_than_the_images_fails_with_its_reason(series):
    with pytest.raises(ChainError, match=r"60 rows of 50 pixels in common: .* window of 61"):
        series.run(CHAIN, **titles(series, BESIDE_IT), band="B01", window="61")


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "damaged"),
        (lambda path: path.unlink(), "has no (file|B04)"),
    ],
    ids=["torn", "missing"],
)
def test_a_broken_image_fails_with_its_reason(series, tmp_path, damage, match):
    shelf = series.shelf
    uid = shelf.products[RAMP].uid
    copy = shutil.copytree(shelf.paths[uid], tmp_path / shelf.paths[uid].name)
    damage(next(copy.glob("GRANULE/*/IMG_DATA/*_B04.jp2")))
    broken = replace(series, shelf=replace(shelf, paths={**shelf.paths, uid: copy}))
    with pytest.raises(SafeError, match=match):
        broken.run(CHAIN, **titles(broken))
