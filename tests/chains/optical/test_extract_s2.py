"""S2_EXTRACT_BANDS against the images of the product, and against rasterio's own warping."""

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasterio.warp import reproject

from peps_wps.chains.extract_s2.chain import ExtractS2
from peps_wps.errors import ChainError, InvalidInputError

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = ExtractS2()


def _numbers(bench, band):
    return bench.scene.image(band).read_all()


def _reflectance(bench, band):
    return (_numbers(bench, band).astype(np.float64) - 1000.0) / 10_000.0


@pytest.fixture(scope="module")
def two(bench):
    return bench.run(CHAIN, bands="B04, B11")


def test_bands_keep_their_own_pixels(bench, two):
    for band, resolution in (("b04", 10), ("b11", 20)):
        with rasterio.open(two.path(f"{band}.tif")) as dataset:
            assert tuple(dataset.transform)[:6] == (
                *(resolution, 0, 330_000),
                *(0, -resolution, 4_840_020),
            )
            assert (dataset.dtypes[0], dataset.nodata, dataset.scales[0]) == ("int16", -32768, 1e-4)
        np.testing.assert_allclose(
            two.read(f"{band}.tif")[0], _reflectance(bench, band.upper()), atol=1e-9
        )


def test_each_asset_says_its_grid_and_scale(two):
    assets = two.item()["assets"]
    assert assets["B04"]["proj:shape"] == [600, 600]
    assert assets["B11"]["proj:shape"] == [300, 300]
    assert assets["B11"]["raster:bands"][0]["spatial_resolution"] == 20


def test_digital_numbers_are_those_of_the_product(bench):
    done = bench.run(CHAIN, bands="B8A", values="dn")
    with rasterio.open(done.path("b8a.tif")) as dataset:
        np.testing.assert_array_equal(dataset.read(1), _numbers(bench, "B8A"))
        assert (dataset.dtypes[0], dataset.nodata) == ("uint16", 0)
    np.testing.assert_allclose(done.read("b8a.tif")[0], _reflectance(bench, "B8A"), atol=1e-7)


def test_a_coarser_resolution_averages(bench):
    done = bench.run(CHAIN, bands="B04", resolution="30", resampling="average")
    mean = _reflectance(bench, "B04").reshape(200, 3, 200, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(done.read("b04.tif")[0], mean, atol=0.6e-4)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic"])
def test_another_map_is_what_rasterio_makes_of_it(bench, resampling):
    done = bench.run(CHAIN, bands="B8A", crs="EPSG:2154", resampling=resampling)
    with rasterio.open(done.path("b8a.tif")) as dataset:
        assert dataset.crs.to_epsg() == 2154
        assert dataset.transform.c % 20 == dataset.transform.f % 20 == 0
        expected = np.full(dataset.shape, np.nan)
        transform = dataset.transform
    reproject(
        _reflectance(bench, "B8A"),
        expected,
        src_transform=bench.scene.geometry.transforms[20],
        src_crs=32631,
        src_nodata=np.nan,
        dst_transform=transform,
        dst_crs=2154,
        dst_nodata=np.nan,
        resampling=rasterio.enums.Resampling[resampling],
        tolerance=0.0,
    )
    found = done.read("b8a.tif")[0]
    both = np.isfinite(found) & np.isfinite(expected)
    assert both.mean() > 0.8
    # GDAL places pixels to an eighth of one unless told otherwise.
    assert np.median(np.abs(found - expected)[both]) < 1e-4
    assert np.mean(np.isfinite(found) == np.isfinite(expected)) > 0.995


def test_degrees_are_a_map_too(bench):
    done = bench.run(CHAIN, bands="B04", crs="4326", resolution="20")
    with rasterio.open(done.path("b04.tif")) as dataset:
        assert dataset.crs.to_epsg() == 4326
        assert dataset.bounds.left == pytest.approx(0.893, abs=0.01)
        assert dataset.res[0] == pytest.approx(20 / 111_320)


def test_an_area_is_cut_out_on_another_map(bench):
    area = shapely.box(0.92, 43.67, 0.94, 43.68)
    done = bench.run(CHAIN, bands="B04", crs="EPSG:3857", geometry=area.wkt)
    values = done.read("b04.tif")[0]
    to_map = Transformer.from_crs(4326, 3857, always_xy=True)
    side = shapely.transform(area, lambda xy: np.column_stack(to_map.transform(*xy.T)))
    with rasterio.open(done.path("b04.tif")) as dataset:
        pixel = dataset.res[0] ** 2
    assert np.isfinite(values).sum() * pixel == pytest.approx(side.area, rel=0.01)


def test_a_map_without_place_for_it_fails(bench):
    with pytest.raises(ChainError, match=r"no place|no data"):
        bench.run(CHAIN, bands="B04", crs="EPSG:2985")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"bands": "B04 B4"}, "expected each once"),
        ({"bands": "TCI"}, "TCI is no band"),
        ({"crs": "EPSG:1"}, "a code of the EPSG"),
        ({"crs": "WGS84; DROP"}, "a code of the EPSG"),
        ({"crs": "EPSG:4978"}, "one of maps or of degrees"),
        ({"resolution": "0.1"}, "a number from 1 to 1000"),
        ({"resampling": "sinc"}, "resampling is sinc"),
        ({"values": "radiance"}, "values is radiance"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(bench, inputs, message):
    with pytest.raises(InvalidInputError, match=message):
        bench.plan(CHAIN, **inputs)
