"""The COG writer against GDAL, which reads back exactly what was put in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rasterio.enums import Resampling
from rio_cogeo.cogeo import cog_validate

from peps_wps.writers import cog_layout
from peps_wps.writers.cog import BLOCK, CogWriter, halve, round_mantissa
from peps_wps.writers.cog_layout import RasterDescription

TRANSFORM = Affine(10, 0, 300000, 0, -10, 4900020)


def _description(dtype="float32", nodata=0.0, **extra):
    return RasterDescription(
        dtype=dtype, epsg=32631, transform=TRANSFORM, nodata=nodata, tags={}, **extra
    )


def _write(path, raster, description, order=None, **options):
    height, width = raster.shape
    writer = CogWriter(path, width=width, height=height, description=description, **options)
    rows, columns = writer.shape_in_blocks
    padded = np.full((rows * BLOCK, columns * BLOCK), description.nodata, raster.dtype)
    padded[:height, :width] = raster
    positions = [(row, column) for row in range(rows) for column in range(columns)]
    if order is not None:
        order.shuffle(positions)

    def put(position):
        row, column = position
        block = padded[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
        writer.put(row, column, block)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, positions))
    writer.close()


@pytest.mark.parametrize("compression", ["zstd", "deflate"])
@pytest.mark.parametrize(
    ("dtype", "nodata"), [("float32", 0.0), ("float32", np.nan), ("uint16", 0), ("uint8", 0)]
)
def test_gdal_reads_back_what_was_written_in_any_order(tmp_path, rng, dtype, nodata, compression):
    raster = (rng.gamma(4.4, 20.0, (1301, 1790)) + 1).astype(dtype)
    raster[:700, :600] = nodata
    raster[1000:1010, 900:] = nodata
    path = tmp_path / "a.tif"

    _write(path, raster, _description(dtype, nodata), order=rng, compression=compression)

    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), raster)
        assert dataset.crs.to_epsg() == 32631
        assert dataset.transform == TRANSFORM
        assert dataset.overviews(1) == [2, 4]
        assert dataset.block_shapes == [(BLOCK, BLOCK)]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    is_valid, errors, warnings = cog_validate(str(path), strict=True)
    assert (is_valid, errors, warnings) == (True, [], [])


def test_overviews_are_means_of_valid_pixels_as_gdal_makes_them(tmp_path, rng):
    raster = rng.gamma(4.4, 0.02, (1536, 1024)).astype(np.float32)
    raster[100:300, 200:777] = 0
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    _write(ours, raster, _description())
    profile = {"driver": "GTiff", "width": 1024, "height": 1536, "count": 1, "dtype": "float32"}
    profile |= {"transform": TRANSFORM, "crs": "EPSG:32631", "tiled": True}
    with rasterio.open(theirs, "w", **profile, nodata=0) as dataset:
        dataset.write(raster, 1)
        dataset.build_overviews([2, 4], Resampling.average)

    for level in (0, 1):
        with (
            rasterio.open(ours, overview_level=level) as a,
            rasterio.open(theirs, overview_level=level) as b,
        ):
            # The two sum four float32 in another order.
            np.testing.assert_allclose(a.read(1), b.read(1), rtol=1e-6)


def test_tags_scale_and_description_reach_the_reader(tmp_path):
    description = _description("uint16", 0, scale=1e-4, offset=0.0, description="VV amplitude")
    tagged = RasterDescription(
        **{**vars(description), "tags": {"CALIBRATION": "gamma", "UNIT": "m"}}
    )
    path = tmp_path / "a.tif"

    _write(path, np.ones((600, 600), np.uint16), tagged)

    with rasterio.open(path) as dataset:
        assert dataset.tags()["CALIBRATION"] == "gamma"
        assert dataset.units == ("m",)
        assert dataset.scales == (1e-4,)
        assert dataset.descriptions == ("VV amplitude",)
        assert dataset.nodata == 0


def test_a_file_beyond_four_gigabytes_is_a_bigtiff(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(cog_layout, "_CLASSIC_LIMIT", 1000)
    raster = rng.normal(size=(700, 513)).astype(np.float32)
    path = tmp_path / "a.tif"

    _write(path, raster, _description(nodata=np.nan))

    assert path.read_bytes()[:4] == b"II\x2b\x00"
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), raster)
    assert cog_validate(str(path), strict=True)[0]


def test_blocks_that_never_came_are_no_data(tmp_path):
    path = tmp_path / "a.tif"
    writer = CogWriter(path, width=1300, height=1300, description=_description())
    writer.put(1, 1, np.full((BLOCK, BLOCK), 2, np.float32))
    writer.close()

    with rasterio.open(path) as dataset:
        raster = dataset.read(1)
    assert raster[BLOCK : 2 * BLOCK, BLOCK : 2 * BLOCK].min() == 2
    assert np.count_nonzero(raster) == BLOCK**2


def test_an_empty_raster_is_a_valid_file(tmp_path):
    path = tmp_path / "a.tif"
    CogWriter(path, width=1300, height=700, description=_description()).close()
    with rasterio.open(path) as dataset:
        assert not dataset.read(1).any()


def test_nothing_is_visible_before_the_end_and_nothing_after_a_failure(tmp_path, monkeypatch):
    writer = CogWriter(tmp_path / "a.tif", width=9, height=9, description=_description())
    assert list(tmp_path.iterdir()) == []

    def disk_full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("peps_wps.writers.cog.write_cog", disk_full)
    with pytest.raises(OSError, match="no space"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_wrong_blocks_are_refused(tmp_path):
    writer = CogWriter(tmp_path / "a.tif", width=513, height=9, description=_description())
    block = np.ones((BLOCK, BLOCK), np.float32)
    writer.put(0, 0, block)
    with pytest.raises(ValueError, match="twice"):
        writer.put(0, 0, block)
    with pytest.raises(ValueError, match="outside"):
        writer.put(1, 0, block)
    with pytest.raises(ValueError, match="expected float32"):
        writer.put(0, 1, block.astype(np.float64))


@given(arrays.arrays(np.float32, (3, 5), elements=st.floats(2.0**-23, 2.0**20, width=32)))
def test_rounding_the_mantissa_keeps_half_a_unit_of_its_last_bit(values):
    rounded = round_mantissa(values, 10)
    assert np.all(np.abs(rounded - values) <= values * 2.0**-11)
    assert np.all(rounded.view(np.uint32) & 0x1FFF == 0)


@given(arrays.arrays(np.float32, (4, 6), elements=st.floats(0, 1e4, width=32)))
def test_halving_takes_the_mean_of_power_over_valid_pixels(values):
    power = values.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3).reshape(2, 3, 4)
    valid = power != 0
    expected = power.sum(-1, dtype=np.float64) / np.maximum(valid.sum(-1), 1)

    np.testing.assert_allclose(halve(values, "mean", 0.0), expected, rtol=1e-6)
    np.testing.assert_allclose(
        halve(np.sqrt(values), "rms", 0.0), np.sqrt(expected), rtol=1e-5, atol=1e-18
    )


def test_halving_decibels_averages_power():
    block = np.array([[0.0, 10.0], [np.nan, np.nan]], np.float32)
    np.testing.assert_allclose(halve(block, "mean_db", np.nan), 10 * np.log10(5.5), rtol=1e-6)


def test_two_threads_never_share_a_compressor(tmp_path, rng):
    # Each thread keeps its own; a shared one gives corrupt frames that GDAL refuses.
    raster = rng.normal(size=(2048, 2048)).astype(np.float32)
    path = Path(tmp_path) / "a.tif"
    before = threading.active_count()
    _write(path, raster, _description(nodata=np.nan))
    assert threading.active_count() == before
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), raster)
