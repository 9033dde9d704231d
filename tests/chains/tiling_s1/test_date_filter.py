"""Filters of single dates through files, against the filters on whole images."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from algorithms.speckle import frost, gamma_map, lee, refined_lee
from peps_wps.chains.ortho_s1.values import value_format
from peps_wps.chains.tiling_s1.date_filter import METHODS, Dates, filter_dates, measured_looks
from peps_wps.chains.tiling_s1.series_filter import Output, put_strip
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

FORM = value_format("float32", "gamma0")
LOOKS = 4.4


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """An image of two bands, the second with another number of looks, and its file."""
    rng = np.random.default_rng(0)
    shape = (BLOCK + 100, 120)
    power = np.stack([rng.gamma(looks, 0.1 / looks, shape) for looks in (LOOKS, 10.0)])
    power = power.astype(np.float32)
    power[:, 490:530, 20:50] = 0
    path = tmp_path_factory.mktemp("image") / "image.tif"
    description = RasterDescription(
        "float32", 32631, Affine(10, 0, 300000, 0, -10, 4900020), 0.0, {}, bands=("VV", "VH")
    )
    writer = CogWriter(path, width=shape[1], height=shape[0], description=description)
    for band in range(2):
        for row in range(0, shape[0], BLOCK):
            put_strip(writer, band, row, [power[band, row : row + BLOCK]], FORM)
    writer.close()
    return path, power


@pytest.mark.parametrize("method", METHODS)
def test_a_file_is_filtered_as_the_image_in_memory(tmp_path, image, method):
    path, power = image
    expected = {
        "lee": lambda band: lee(band, looks=LOOKS, radius=2),
        "refined_lee": lambda band: refined_lee(band, looks=LOOKS),
        "gammamap": lambda band: gamma_map(band, looks=LOOKS, radius=2),
        "frost": lambda band: frost(band, radius=2),
    }[method]
    told, written = [], []
    dates = Dates({path: Output(tmp_path / "out.tif")}, method, FORM, 2, LOOKS, lossless=True)

    filter_dates(dates, threads=2, progress=told.append, written=written.append)

    with rasterio.open(tmp_path / "out.tif") as dataset:
        after = dataset.read()
        assert dataset.descriptions == ("VV", "VH")
    np.testing.assert_array_equal(after, np.stack([expected(band) for band in power]))
    assert (told, written) == ([1.0], [tmp_path / "out.tif"])


def test_looks_are_measured_band_by_band_when_not_given(image):
    path, _ = image

    # 238 windows, less those of the gap, each known to 13 %.
    assert measured_looks(path, 0, FORM) == pytest.approx(LOOKS, rel=0.08)
    assert measured_looks(path, 1, FORM) == pytest.approx(10.0, rel=0.08)
