"""What an order leaves: archive, report, picture; tags and layout of its images."""

import json
import zipfile

import numpy as np
import pystac
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from algorithms import mgrs
from peps_wps.chains.ortho_s1.chain import OrthoS1
from peps_wps.chains.ortho_s1.order import Order

pytestmark = pytest.mark.xdist_group("hills")

# Keys that S1Tiling writes into its orthorectified images (docs/files.rst, GeoTIFF metadata).
S1TILING_KEYS = {
    "ACQUISITION_DATETIME",
    "CALIBRATION",
    "DEM_INFO",
    "FLYING_UNIT_CODE",
    "IMAGE_TYPE",
    "INPUT_S1_IMAGES",
    "LOWER_SIGNAL_VALUE",
    "NOISE_REMOVED",
    "ORBIT_DIRECTION",
    "ORBIT_NUMBER",
    "ORTHORECTIFICATION_INTERPOLATOR",
    "ORTHORECTIFIED",
    "POLARIZATION",
    "RELATIVE_ORBIT_NUMBER",
    "S2_TILE_CORRESPONDING_CODE",
    "SPATIAL_RESOLUTION",
    "TIFFTAG_DATETIME",
    "TIFFTAG_IMAGEDESCRIPTION",
    "TIFFTAG_SOFTWARE",
}


@pytest.fixture(scope="module")
def tile(hills):
    return hills.tile(masks="true")


def _gather(tile, folder):
    order = Order.from_json(tile.done.task.body["order"])
    folder.mkdir()
    return OrthoS1().gather(order, [tile.done], folder, lambda *_: None), folder


@pytest.fixture(scope="module")
def gathered(tile, tmp_path_factory):
    return _gather(tile, tmp_path_factory.mktemp("order") / "outputs")


@pytest.fixture(scope="module")
def archive(gathered):
    outputs, folder = gathered
    with zipfile.ZipFile(folder / outputs.outputs[0].path) as archive:
        yield archive


def test_an_order_gives_an_archive_and_a_picture(gathered):
    outputs, folder = gathered
    found = [(output.identifier, output.mime_type) for output in outputs.outputs]
    assert found == [("archive", "application/zip"), ("quicklook", "image/png")]
    assert {output.path for output in outputs.outputs} < {path.name for path in folder.iterdir()}


def test_the_archive_is_named_after_its_pass(gathered, tile):
    name = gathered[0].outputs[0].path
    assert name.rsplit("_", 1)[0] == f"S1_ORTHO_{tile.body['pass']}"
    assert tile.body["pass"] == "_".join(np.delete(tile.path().stem.split("_"), [1, 2]))


def test_the_archive_has_every_file_of_the_tile_in_its_folder(archive, tile):
    files = {f"31TCJ/{name}" for name in tile.done.result.files}
    assert set(archive.namelist()) == {"report.json", *files}
    assert sum(name.endswith(".tif") for name in files) == 7
    assert sum(name.endswith(".png") for name in files) == 1
    assert sum(name.endswith(".json") for name in files) == 1


def test_the_archive_is_stored_and_whole(archive):
    assert archive.testzip() is None
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_same_tiles_make_the_same_archive(gathered, tile, tmp_path):
    outputs, folder = gathered
    _, again = _gather(tile, tmp_path / "again")
    name = outputs.outputs[0].path
    assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_the_report_repeats_the_order_and_lists_the_tiles(archive, hills):
    report = json.loads(archive.read("report.json"))
    assert report["process"] == "S1_ORTHO"
    assert report["order"]["calibration"] == "gamma0"
    assert report["order"]["masks"] is True
    (tile,) = report["tiles"]
    assert tile["tile"] == "31TCJ"
    assert tile["products"] == [hills.products[0].title]
    assert set(tile["images"]) == {"VV", "VH"}


def test_the_report_tells_the_level_of_each_image(tile):
    for name in ("VV", "VH"):
        mean = np.nanmean(tile.power(name), dtype=np.float64)
        assert tile.body["mean_db"][name] == pytest.approx(10 * np.log10(mean), abs=0.003)


def test_the_report_tells_how_much_of_the_tile_is_valid(tile):
    percent = 100 * np.isfinite(tile.power()).sum() / 10980**2
    assert tile.body["coverage_percent"] == pytest.approx(percent, abs=0.005)


@pytest.fixture(scope="module")
def item(tile):
    (path,) = tile.done.folder.glob("*.json")
    return pystac.Item.from_dict(json.loads(path.read_text()))


def test_the_stac_item_is_valid(item):
    bare = item.clone()
    bare.stac_extensions = []  # their schemas are only on the network
    assert bare.validate()


def test_every_asset_of_the_stac_item_is_there(item, tile):
    named = {asset.href.removeprefix("./") for asset in item.assets.values()}
    assert named == {name for name in tile.done.result.files if not name.endswith(".json")}


def test_the_picture_of_the_tile_shows_both_polarisations(tile):
    (path,) = tile.done.folder.glob("*.png")
    picture = _picture(path)
    assert picture.shape == (4, 1098, 1098)
    seen = picture[3] > 0
    assert seen.mean() == pytest.approx(tile.body["coverage_percent"] / 100, rel=0.1)
    assert np.ptp(picture[:3, seen], axis=0).mean() > 5  # of 255: colours, not grey


def test_the_picture_of_the_order_is_cut_to_the_image(gathered):
    outputs, folder = gathered
    picture = _picture(folder / outputs.outputs[1].path)
    assert len(picture) == 4
    assert (picture[3] > 0).mean() > 0.5


def _picture(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


@pytest.mark.parametrize("polarization", ["VV", "VH"])
def test_images_carry_the_keys_of_s1tiling(tile, polarization, hills):
    tags = tile.tags(polarization)
    assert set(tags) >= S1TILING_KEYS
    assert tags["POLARIZATION"] == polarization.lower()
    assert tags["CALIBRATION"] == "gamma"
    assert tags["S2_TILE_CORRESPONDING_CODE"] == "31TCJ"
    assert tags["INPUT_S1_IMAGES"] == hills.products[0].title
    assert tags["NOISE_REMOVED"] == "True"
    assert tags["ORTHORECTIFICATION_INTERPOLATOR"] == "linear"
    stored = tile.stored(polarization)
    # Noise exceeds the signal somewhere in both.
    assert stored[stored > 0].min() == np.float32(tags["LOWER_SIGNAL_VALUE"])


def test_every_raster_is_a_valid_cog(tile):
    rasters = sorted(tile.done.folder.glob("*.tif"))
    assert len(rasters) == 7
    for path in rasters:
        assert cog_validate(str(path), strict=True) == (True, [], [])


def test_every_raster_lies_on_the_tile(tile):
    grid = mgrs.tile("31TCJ")
    for path in tile.done.folder.glob("*.tif"):
        with rasterio.open(path) as dataset:
            assert dataset.crs.to_epsg() == grid.epsg
            assert tuple(dataset.transform) == tuple(grid.transform)
            assert dataset.shape == (10980, 10980)


def test_overviews_have_the_mean_power(tile):
    with rasterio.open(tile.path()) as dataset:
        overview = dataset.read(1, out_shape=(686, 686))  # a sixteenth
    valid = overview[overview > 0]
    # At the edge an overview pixel stands for fewer pixels.
    assert valid.mean() == pytest.approx(np.nanmean(tile.power(), dtype=np.float64), rel=0.02)
