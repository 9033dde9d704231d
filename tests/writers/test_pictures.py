"""Pictures and colours, read back by GDAL."""

import numpy as np
import pytest
import rasterio

from peps_wps.writers.colour_maps import coloured
from peps_wps.writers.picture import write_picture


def test_a_png_comes_back_as_it_was(tmp_path, rng):
    image = rng.integers(0, 256, (4, 20, 30), dtype=np.uint8)
    write_picture(tmp_path / "a.png", image)
    with rasterio.open(tmp_path / "a.png") as dataset:
        np.testing.assert_array_equal(dataset.read(), image)


def test_a_jpeg_shows_what_is_transparent_as_black(tmp_path):
    image = np.full((4, 64, 64), 200, np.uint8)
    image[3, :, :32] = 0
    write_picture(tmp_path / "a.jpg", image)
    with rasterio.open(tmp_path / "a.jpg") as dataset:
        assert (dataset.driver, dataset.count) == ("JPEG", 3)
        shown = dataset.read()
    # Away from the edge, whose block of 16 JPEG smears.
    assert shown[:, :, :16].max() <= 2
    assert np.abs(shown[:, :, 48:].astype(int) - 200).max() <= 2


@pytest.mark.parametrize("name", ["vegetation", "water", "heat"])
def test_colours_run_from_end_to_end(name):
    values = np.array([[-5.0, 0.0, 0.5, 1.0, 5.0, np.nan]], np.float32)
    image = coloured(values, 0.0, 1.0, name)
    np.testing.assert_array_equal(image[3], [[255] * 5 + [0]])
    np.testing.assert_array_equal(image[:, 0, 0], image[:, 0, 1])
    np.testing.assert_array_equal(image[:, 0, 3], image[:, 0, 4])
    assert (image[:3, 0, 1] != image[:3, 0, 3]).any()
