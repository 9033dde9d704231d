"""S2_COLOR_COMPOSITION against the product's own true colour image, and plain NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from peps_wps.chains.colour_s2.chain import ColourS2
from peps_wps.chains.colour_s2.order import PRESETS
from peps_wps.errors import InvalidInputError, OrderRefusedError

pytestmark = pytest.mark.xdist_group("optical")

CHAIN = ColourS2()


@pytest.fixture(scope="module")
def true_color(bench):
    return bench.run(CHAIN)


def _tones(done):
    with rasterio.open(done.path(".tif")) as dataset:
        return dataset.read()


def _reflectance(bench, band):
    return (bench.scene.image(band).read_all().astype(np.float64) - 1000.0) / 10_000.0


def test_true_colour_is_that_of_the_product(bench, true_color):
    image = bench.scene.image("TCI")
    esa = np.stack([image.read_all(band=band) for band in (1, 2, 3)]).astype(int)
    # 254 tones here, 255 there: at most a tone apart, and half a tone of each rounding.
    assert np.abs(_tones(true_color) - esa).max() <= 2


def test_it_is_a_picture_for_any_reader(true_color):
    with rasterio.open(true_color.path(".tif")) as dataset:
        assert [c.name for c in dataset.colorinterp] == ["red", "green", "blue"]
        assert dataset.nodata == 0
        assert dataset.overviews(1) == [2]
        assert dataset.profile["interleave"] == "pixel"
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        half = dataset.read(out_shape=(3, 300, 300))
    full = _tones(true_color).astype(float).reshape(3, 300, 2, 300, 2).mean(axis=(2, 4))
    assert np.abs(half - full).max() <= 0.5


def test_a_range_and_gamma_of_ones_own(bench):
    done = bench.run(CHAIN, bands="B12 B8A B04", stretch="range", low="0.05", high="0.5", gamma="2")
    share = np.clip((_reflectance(bench, "B12") - 0.05) / 0.45, 0, 1)
    fine = np.rint(1 + 254 * np.sqrt(share)).repeat(2, axis=0).repeat(2, axis=1)
    found = _tones(done)[0]
    # Tones come from a table of 4096: the root is steep next to black.
    assert np.abs(found - fine)[fine > 20].max() <= 1


def test_percentiles_stretch_each_band(bench):
    done = bench.run(CHAIN, preset="false_color", stretch="percentiles")
    for channel, band in enumerate(PRESETS["false_color"]):
        low, high = np.percentile(_reflectance(bench, band), (2, 98))
        assert done.body["limits"][channel] == pytest.approx([low, high], abs=0.02)
    for tones in _tones(done):
        assert 0.01 < (tones == 1).mean() < 0.04
        assert 0.01 < (tones == 255).mean() < 0.05


def test_outside_the_area_nothing_is_shown(bench):
    done = bench.run(CHAIN, geometry="POLYGON((0.92 43.69, 0.95 43.69, 0.92 43.66, 0.92 43.69))")
    tones = _tones(done)
    missing = (tones == 0).any(axis=0)
    assert 0.4 < missing.mean() < 0.6
    assert (tones[:, missing] == 0).all()


@pytest.mark.parametrize(("picture", "driver", "count"), [("png", "PNG", 4), ("jpeg", "JPEG", 3)])
def test_the_picture_looks_like_the_composition(bench, picture, driver, count):
    done = bench.run(CHAIN, picture=picture, resolution="20")
    with rasterio.open(done.outputs["quicklook"]) as dataset:
        assert (dataset.driver, dataset.count, dataset.shape) == (driver, count, (300, 300))
        shown = dataset.read((1, 2, 3)).astype(float)
    assert np.abs(shown - _tones(done)).mean() < (0.5 if driver == "PNG" else 6.0)


def test_the_item_has_a_visual_asset(true_color):
    item = true_color.item()
    assert item["assets"]["visual"]["roles"] == ["visual"]
    assert item["properties"]["peps:bands"] == ["B04", "B03", "B02"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"preset": "sepia"}, "preset is sepia"),
        ({"bands": "B04 B03"}, "expected 3"),
        ({"bands": "B04 B03 B13"}, "B13 is no band"),
        ({"bands": "B04 B03 B02", "preset": "swir"}, "expected one of them"),
        ({"low": "0.1"}, "with stretch range or percentiles only"),
        ({"stretch": "range", "low": "0.5", "high": "0.1"}, "expected more than low"),
        ({"stretch": "percentiles", "high": "101"}, "a number from 0 to 100"),
        ({"gamma": "nan"}, "a number from 0.2 to 5"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(bench, inputs, message):
    with pytest.raises(InvalidInputError, match=message):
        bench.plan(CHAIN, **inputs)


def test_a_band_that_the_level_lacks_is_refused(bench):
    level_2a = replace(bench, shelf=bench.shelf.changed(processing_level="LEVEL2A"))
    with pytest.raises(OrderRefusedError, match="has no band B10"):
        level_2a.plan(CHAIN, bands="B10 B04 B03")
