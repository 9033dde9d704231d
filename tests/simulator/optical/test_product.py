"""A simulated product reads as a real one, and shows the ground that it was told to."""

from datetime import UTC, datetime

import numpy as np
import pytest

from peps_wps.readers.integrity import check_readable, check_stated_files
from peps_wps.readers.product_metadata import read_metadata
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel2 import BANDS, open_scene
from peps_wps.readers.sentinel2.masks import Cloud
from simulator.optical.product import Acquisition, write_product

SENSING = datetime(2024, 6, 12, 10, 50, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    acquisition = Acquisition("31TCJ", 32631, 330_000, 4_840_020, 600, SENSING, clouds=0.05)
    return write_product(tmp_path_factory.mktemp("archive"), acquisition)


@pytest.fixture(scope="module")
def scene(product):
    return open_scene(Safe.open(product))


def test_the_catalogue_understands_it(product):
    check_stated_files(Safe.open(product))
    check_readable(Safe.open(product))
    metadata = read_metadata(product)
    assert metadata.title == product.name.removesuffix(".SAFE")
    assert (metadata.collection, metadata.product_type) == ("S2ST", "S2MSI1C")
    assert metadata.cloud_cover == pytest.approx(5.0, abs=0.1)


def test_every_band_has_its_size_and_offset(scene):
    for name, band in BANDS.items():
        image = scene.image(name)
        assert image.shape == (6000 // band.resolution,) * 2
        assert scene.radiometry.offsets[name] == -1000.0


def test_bands_show_the_ground(scene):
    numbers = {name: scene.image(name).read_all().astype(float) for name in ("B04", "B08")}
    red, near_infrared = (0.0001 * (numbers[name] - 1000.0) for name in ("B04", "B08"))
    clear = scene.clouds(10) == 0
    index = (near_infrared - red)[clear] / (near_infrared + red)[clear]
    assert 0.3 < index.mean() < 0.7
    assert 0.03 < red[clear].mean() < 0.2
    assert red[~clear].mean() == pytest.approx(0.55, abs=0.02)


def test_clouds_and_detectors_are_in_the_masks(scene):
    assert (scene.clouds(60) == Cloud.OPAQUE).mean() >= 0.05
    seen = set(np.unique(scene.detectors("B04")).tolist())
    assert seen <= {number for band, number in scene.geometry.views if band == "B04"}


def test_views_are_planes_where_detectors_look(scene):
    grid = scene.geometry.views["B04", 5]
    assert np.isfinite(grid.zenith).any()
    assert np.isnan(grid.zenith).any()
    assert np.nanmax(grid.zenith) < 12.0


def test_a_size_that_60_m_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of 6"):
        Acquisition("31TCJ", 32631, 0, 0, 1000, SENSING)
