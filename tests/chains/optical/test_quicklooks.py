"""S2_QUICKLOOK and S1_QUICKLOOK against the images that they show."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio

from peps_wps.chains.quicklook_s1.chain import QuicklookS1
from peps_wps.chains.quicklook_s1.picture import reduced_power
from peps_wps.chains.quicklook_s2.chain import QuicklookS2
from peps_wps.errors import InvalidInputError, OrderRefusedError
from peps_wps.readers.sentinel1_grd import read_grd
from tests.chains.optical.simulated_scene import bench_of

pytestmark = pytest.mark.xdist_group("optical")

S1, S2 = QuicklookS1(), QuicklookS2()


def _picture(done):
    with rasterio.open(done.outputs["quicklook"]) as dataset:
        return dataset.driver, dataset.read()


def _true_color(bench):
    image = bench.scene.image("TCI")
    return np.stack([image.read_all(band=band) for band in (1, 2, 3)]).astype(float)


def test_a_quicklook_is_the_true_colour_image_made_small(bench):
    driver, shown = _picture(bench.run(S2, size="300"))
    assert (driver, shown.shape) == ("PNG", (4, 300, 300))
    assert (shown[3] == 255).all()
    mean = _true_color(bench).reshape(3, 300, 2, 300, 2).mean(axis=(2, 4))
    # The lower resolution of JPEG 2000 is a wavelet's: sharper than a mean, not brighter.
    assert np.corrcoef(shown[:3].ravel(), mean.ravel())[0, 1] > 0.99
    assert abs((shown[:3] - mean).mean()) < 0.5


def test_a_quicklook_of_an_area_shows_it_alone(bench):
    area = "POLYGON((0.93 43.685, 0.945 43.685, 0.945 43.675, 0.93 43.675, 0.93 43.685))"
    done = bench.run(S2, geometry=area, picture="jpeg")
    driver, shown = _picture(done)
    assert driver == "JPEG"
    assert 100 < min(shown.shape[1:]) <= max(shown.shape[1:]) < 160


def test_a_product_without_true_colour_image_is_drawn_from_its_bands(bench, monkeypatch):
    expected = _picture(bench.run(S2))[1].astype(int)
    scene = bench.scene
    images = {key: name for key, name in scene.granule.images.items() if key[0] != "TCI"}
    bare = replace(scene, granule=replace(scene.granule, images=images))
    monkeypatch.setattr("peps_wps.chains.optical.scene_chain.scene_of", lambda *_: bare)
    found = _picture(bench.run(S2))[1].astype(int)
    assert np.abs(found - expected).max() <= 2


@pytest.fixture(scope="module")
def radar(small, tmp_path_factory):
    return bench_of(list(small.paths), tmp_path_factory.mktemp("radar"))


def test_radar_pixels_are_the_mean_of_sigma_nought(radar):
    product = read_grd(next(iter(radar.shelf.paths.values())))
    image = product.images["VV"]
    numbers = image.lines.read(0, image.lines.lines).astype(np.float64)
    found = reduced_power(product, "VV", 60, 2)
    step = round(numbers.shape[0] / found.shape[0])
    across = round(numbers.shape[1] / found.shape[1])
    rows, columns = found.shape
    numbers[numbers == 0] = np.nan
    cut = numbers[: rows * step, : columns * across] ** 2
    squares = cut.reshape(rows, step, columns, across).transpose(0, 2, 1, 3)
    mean = np.nansum(squares, axis=(2, 3)) / np.isfinite(squares).sum(axis=(2, 3)).clip(1)
    mean[np.isnan(squares).all(axis=(2, 3))] = np.nan
    table = image.annotation.calibration["sigma0"]
    gain = np.interp(across * (np.arange(columns) + 0.5), table.sample[0], table.value[0]) ** 2
    expected = mean / gain
    is_ascending = product.manifest.orbit_direction == "ascending"
    expected = expected[::-1] if is_ascending else expected[:, ::-1]
    # The table changes along the track by less than a hundredth.
    np.testing.assert_allclose(found, expected, rtol=0.02)
    assert max(found.shape) <= 60


def test_radar_pictures_are_about_north_up(radar):
    product = read_grd(next(iter(radar.shelf.paths.values())))
    grid = product.images["VV"].annotation.grid
    latitude, longitude = grid.latitude, grid.longitude
    turned = (slice(None, None, -1), slice(None))
    if product.manifest.orbit_direction != "ascending":
        turned = (slice(None), slice(None, None, -1))
    assert (np.diff(latitude[turned], axis=0) < 0).all()
    assert (np.diff(longitude[turned], axis=1) > 0).all()


def test_a_radar_picture_of_one_polarisation_is_grey(radar):
    done = radar.run(S1, size="100")
    driver, shown = _picture(done)
    assert (driver, shown.shape[0]) == ("PNG", 4)
    assert max(shown.shape[1:]) <= 100
    np.testing.assert_array_equal(shown[0], shown[1])
    assert shown[0].std() > 10


@pytest.mark.parametrize(
    ("chain", "inputs", "message"),
    [
        (S2, {"size": "10"}, "a number from 64 to 4096"),
        (S2, {"picture": "gif"}, "picture is gif"),
        (S1, {"polarization": "RH"}, "polarization is RH"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(bench, chain, inputs, message):
    with pytest.raises(InvalidInputError, match=message):
        bench.plan(chain, **inputs)


def test_products_of_the_other_mission_are_refused(bench, radar):
    with pytest.raises(OrderRefusedError, match="expected GRD"):
        bench.plan(S1)
    with pytest.raises(OrderRefusedError, match="expected Sentinel-2"):
        radar.plan(S2)


def test_a_polarisation_that_the_product_lacks_is_refused(radar):
    with pytest.raises(OrderRefusedError, match="polarization VH is not in"):
        radar.plan(S1, polarization="VH")
