"""Signed integers, bands and pictures of three samples, against GDAL."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rio_cogeo.cogeo import cog_validate

from peps_wps.writers.cog import BLOCK, CogWriter, halve
from peps_wps.writers.cog_layout import RasterDescription

SHAPE = (700, 1_100)


def _write(path, raster, nodata, **extra):
    """Write a raster of shape (row, column) or (row, column, sample)."""
    description = RasterDescription(
        raster.dtype.name, 32631, Affine(10, 0, 300000, 0, -10, 4900020), nodata, {}, **extra
    )
    writer = CogWriter(path, width=SHAPE[1], height=SHAPE[0], description=description)
    rows, columns = writer.shape_in_blocks
    padded = np.full((rows * BLOCK, columns * BLOCK, *raster.shape[2:]), nodata, raster.dtype)
    padded[: SHAPE[0], : SHAPE[1]] = raster
    for row in range(rows):
        for column in range(columns):
            down, across = (slice(i * BLOCK, (i + 1) * BLOCK) for i in (row, column))
            block = padded[down, across]
            if not description.bands:
                writer.put(row, column, block)
            for band in range(len(description.bands)):
                writer.put(row, column, np.ascontiguousarray(block[..., band]), band=band)
    writer.close()


def test_signed_integers_come_back_with_their_scale(tmp_path, rng):
    raster = rng.integers(-32_767, 32_768, SHAPE, dtype=np.int16)
    raster[100:300, 50:90] = -32_768
    path = tmp_path / "a.tif"
    _write(path, raster, -32_768.0, scale=1e-4)
    assert cog_validate(path, quiet=True)[0]
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), raster)
        assert (dataset.dtypes, dataset.nodata, dataset.scales) == (("int16",), -32_768, (1e-4,))


def test_overviews_of_signed_integers_leave_no_data_out():
    block = np.array([[-32_768, -10, 4, 4], [-32_768, -11, 4, 5]], np.int16)
    np.testing.assert_array_equal(halve(block, "mean", -32_768.0), [[-10, 4]])
    empty = np.full((2, 2), -32_768, np.int16)
    np.testing.assert_array_equal(halve(empty, "mean", -32_768.0), [[-32_768]])


def test_a_picture_comes_back_as_red_green_and_blue(tmp_path, rng):
    raster = rng.integers(1, 256, (*SHAPE, 3), dtype=np.uint8)
    raster[:200, :300] = 0
    path = tmp_path / "a.tif"
    _write(path, raster, 0.0, samples=3)
    assert cog_validate(path, quiet=True)[0]
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read().transpose(1, 2, 0), raster)
        assert [colour.name for colour in dataset.colorinterp] == ["red", "green", "blue"]
        assert dataset.nodatavals == (0.0, 0.0, 0.0)
    with rasterio.open(path, OVERVIEW_LEVEL=0) as overview:
        half = overview.read()
    inner = raster[300:700, 400:1_100].astype(float)
    mean = inner.reshape(200, 2, 350, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(half[:, 150:350, 200:550] - mean).max() <= 0.5
    assert (half[:, :100, :150] == 0).all()


def test_bands_lie_one_after_the_other_under_their_names(tmp_path, rng):
    raster = rng.gamma(4.4, 0.02, (*SHAPE, 2)).astype(np.float32)
    raster[:, 600:, 1] = 0
    path = tmp_path / "a.tif"
    _write(path, raster, 0.0, bands=("VV", "VH"), scale=0.5)
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read().transpose(1, 2, 0), raster)
        assert (dataset.descriptions, dataset.scales) == (("VV", "VH"), (0.5, 0.5))
        assert dataset.nodatavals == (0.0, 0.0)
        assert dataset.interleaving.value == "BAND"
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    with rasterio.open(path, OVERVIEW_LEVEL=0) as overview:
        for band in range(2):
            mean = raster[..., band].reshape(350, 2, 550, 2).mean(axis=(1, 3))
            np.testing.assert_allclose(overview.read(band + 1), mean, rtol=1e-6)


def test_a_writer_tells_whether_anything_was_put(tmp_path):
    description = RasterDescription("uint8", 32631, Affine(10, 0, 0, 0, -10, 0), 0.0, {})
    writer = CogWriter(tmp_path / "a.tif", width=600, height=600, description=description)
    writer.put(0, 0, np.zeros((BLOCK, BLOCK), np.uint8))
    assert not writer.has_data
    writer.put(1, 1, np.eye(BLOCK, dtype=np.uint8))
    assert writer.has_data


def test_a_block_of_another_number_of_samples_is_refused(tmp_path):
    description = RasterDescription("uint8", 32631, Affine(10, 0, 0, 0, -10, 0), 0.0, {}, samples=3)
    writer = CogWriter(tmp_path / "a.tif", width=600, height=600, description=description)
    with pytest.raises(ValueError, match="expected uint8"):
        writer.put(0, 0, np.zeros((BLOCK, BLOCK), np.uint8))
