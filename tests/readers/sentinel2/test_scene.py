"""Real products of every layout and baseline say where they lie and what their numbers mean."""

import shutil
import zipfile

import numpy as np
import pytest
import rasterio

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import open_scene
from peps_wps.readers.sentinel2.bands import band_named
from peps_wps.readers.sentinel2.masks import Cloud

OLD = (
    "safe_mtd/old_and_compact_n0204/"
    "S2A_OPER_PRD_MSIL1C_PDMC_20160905T104813_R002_V20160905T005712_20160905T010424"
)
FIRST_COMPACT = (
    "safe_mtd/old_and_compact_n0204/S2A_MSIL1C_20170226T102021_N0204_R065_T32TNM_20170226T102458"
)
NEW = "safe_l1c_n0510/S2A_MSIL1C_20240120T105341_N0510_R051_T31TCJ_20240120T125244"
# Folder, tile, zone, baseline, level, offset, bands and detectors with angles.
PRODUCTS = {
    OLD: ("53HLA", 32753, "02.04", "LEVEL1C", 0.0, 65),
    FIRST_COMPACT: ("32TNM", 32632, "02.04", "LEVEL1C", 0.0, 52),
    "safe_mtd/S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135": (
        *("01LAC", 32701, "02.09", "LEVEL1C", 0.0, 78),
    ),
    "safe_mtd/S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248": (
        *("46RER", 32646, "03.01", "LEVEL1C", 0.0, 26),
    ),
    NEW: ("31TCJ", 32631, "05.10", "LEVEL1C", -1000.0, 91),
    "safe_mtd/esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500": (
        *("22HBD", 32722, "02.14", "LEVEL2A", 0.0, 78),
    ),
    "safe_mtd/S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126": (
        *("33XWJ", 32633, "04.00", "LEVEL2A", -1000.0, 13),
    ),
    "safe_mtd/S2A_MSIL2A_20230821T221941_N0509_R029_T01KAB_20230822T021825": (
        *("01KAB", 32701, "05.09", "LEVEL2A", -1000.0, 78),
    ),
}


@pytest.fixture
def product(reference_data):
    return lambda name: Safe.open(reference_data / f"s2/{name}.SAFE")


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_all_baselines_are_understood(product, name):
    tile, epsg, baseline, level, offset, views = PRODUCTS[name]
    scene = open_scene(product(name), tile)
    assert (scene.product.baseline, scene.product.level) == (baseline, level)
    assert scene.geometry.epsg == epsg
    assert scene.geometry.shapes == {10: (10980, 10980), 20: (5490, 5490), 60: (1830, 1830)}
    assert scene.radiometry.quantification == 10_000
    assert set(scene.radiometry.offsets.values()) == {offset}
    assert len(scene.geometry.views) == views
    assert scene.geometry.sun.zenith.shape == (23, 23)
    assert np.isfinite(scene.geometry.sun.zenith).all()


def test_a_tile_lies_where_its_masks_say(product):
    scene = open_scene(product(NEW))
    with rasterio.open(scene.safe.gdal_path(scene.granule.masks["DETFOO", "B01"])) as mask:
        assert scene.geometry.transforms[60].almost_equals(mask.transform)
        assert scene.geometry.epsg == mask.crs.to_epsg()


@pytest.mark.parametrize(("name", "tile"), [(FIRST_COMPACT, "32TNM"), (NEW, "31TCJ")])
def test_detectors_are_those_that_have_angles(product, name, tile):
    scene = open_scene(product(name), tile)
    seen = {int(number) for number in np.unique(scene.detectors("B01"))} - {0}
    assert seen <= {detector for band, detector in scene.geometry.views if band == "B01"}
    assert len(seen) >= 3


def test_clouds_are_read_from_polygons_and_from_pixels(product):
    old = open_scene(product(OLD), "53HLA").clouds(60)
    assert (old & Cloud.OPAQUE > 0).mean() == pytest.approx(0.0527, abs=1e-4)
    cloudy = product("safe_l1c_n0510/S2B_MSIL1C_20240305T104819_N0510_R051_T31TCJ_20240305T125347")
    new = open_scene(cloudy).clouds(60)
    assert (new & Cloud.OPAQUE > 0).mean() == pytest.approx(0.4715, abs=1e-4)
    assert (new & Cloud.CIRRUS > 0).mean() == pytest.approx(0.1681, abs=1e-4)


def test_a_zip_reads_as_the_folder_does(product, tmp_path):
    folder = product(FIRST_COMPACT)
    with zipfile.ZipFile(tmp_path / "product.zip", "w") as archive:
        for name in folder.names():
            archive.write(folder.path / name, f"{folder.title}.SAFE/{name}")
    scene, zipped = open_scene(folder), open_scene(Safe.open(tmp_path / "product.zip"))
    assert zipped.granule == scene.granule
    np.testing.assert_array_equal(zipped.clouds(60), scene.clouds(60))


def test_a_product_of_many_tiles_wants_one_named(product):
    with pytest.raises(SafeError, match="has 6 tiles: 53HLA, 53HMA"):
        open_scene(product(OLD))
    with pytest.raises(SafeError, match="has no tile 31TCJ"):
        open_scene(product(OLD), "31TCJ")


def test_an_image_that_is_not_there_is_named(product):
    with pytest.raises(SafeError, match=r"has no SCL at 20 m: B01, B02"):
        open_scene(product(NEW)).image("SCL", 20)


def test_an_image_of_another_size_is_refused(product):
    with pytest.raises(SafeError, match=r"30 rows of 30 pixels, 10980 rows of 10980 expected"):
        open_scene(product(NEW)).image("B04")


def test_a_damaged_image_is_named(product, tmp_path):
    copy = tmp_path / f"{product(NEW).title}.SAFE"
    shutil.copytree(
        product(NEW).path, copy, ignore=lambda _, names: [n for n in names if "DETFOO" in n]
    )
    image = next(copy.glob("GRANULE/*/QI_DATA/MSK_CLASSI_B00.jp2"))
    image.chmod(0o644)
    image.write_bytes(image.read_bytes()[:300])
    with pytest.raises(SafeError, match=r"MSK_CLASSI_B00\.jp2 of .* is damaged"):
        open_scene(Safe.open(copy)).clouds(60)


@pytest.mark.parametrize(
    ("text", "name"), [("B4", "B04"), ("b04", "B04"), ("8a", "B8A"), ("12", "B12"), ("B1", "B01")]
)
def test_bands_are_known_by_the_names_people_use(text, name):
    assert band_named(text).name == name


@pytest.mark.parametrize("text", ["B13", "B00", "", "red", "B8B", "4.0"])
def test_what_is_no_band_is_refused(text):
    with pytest.raises(SafeError, match="is no band of Sentinel-2"):
        band_named(text)
