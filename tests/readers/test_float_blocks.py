"""Blocks that are decoded straight into arrays, against GDAL."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.errors import RasterioIOError

from peps_wps.readers.float_blocks import FloatBlocks, is_readable
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

SHAPE = (2 * BLOCK + 70, BLOCK + 50)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two bands, the first block of the second missing; every bit of the values is used."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("blocks") / "a.tif"
    transform = Affine(10, 0, 300000, 0, -10, 4900020)
    description = RasterDescription("float32", 32631, transform, 0.0, {}, bands=("VV", "VH"))
    writer = CogWriter(path, width=SHAPE[1], height=SHAPE[0], description=description)
    rows, columns = writer.shape_in_blocks
    for band, row, column in np.ndindex(2, rows, columns):
        block = np.zeros((BLOCK, BLOCK), np.float32)
        part = block[: SHAPE[0] - row * BLOCK, : SHAPE[1] - column * BLOCK]
        if (band, row, column) != (1, 0, 0):
            part[:] = rng.normal(0, 1e3, part.shape)
        writer.put(row, column, block, band=band)
    writer.close()
    return path


@pytest.mark.parametrize("band", [1, 2])
@pytest.mark.parametrize(("first", "end"), [(0, 512), (510, 514), (1000, SHAPE[0]), (3, 1040)])
def test_rows_are_those_that_gdal_reads(path, band, first, end):
    target = np.full((end - first + 2, SHAPE[1]), np.nan, np.float32)
    with rasterio.open(path) as dataset:
        assert is_readable(dataset)
        FloatBlocks(dataset, band).read(target[1:-1], first)

        expected = dataset.read(band, window=((first, end), (0, SHAPE[1])))
    np.testing.assert_array_equal(target[1:-1], expected)
    assert np.isnan(target[[0, -1]]).all()


def test_files_coded_in_another_way_are_left_to_gdal(tmp_path):
    profile = {"driver": "GTiff", "width": 64, "height": 64, "count": 1, "dtype": "float32"}
    profile |= {"crs": "EPSG:32631", "transform": Affine(10, 0, 0, 0, -10, 0)}
    for number, options in enumerate(({}, {"compress": "deflate", "predictor": 3})):
        with rasterio.open(tmp_path / f"{number}.tif", "w", **profile, **options) as dataset:
            dataset.write(np.ones((1, 64, 64), np.float32))
        with rasterio.open(tmp_path / f"{number}.tif") as dataset:
            assert not is_readable(dataset)


def test_a_damaged_block_is_told_by_its_file(path, tmp_path):
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    content = bytearray(path.read_bytes())
    content[offset : offset + 100] = bytes(100)
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(content)

    with (
        rasterio.open(damaged) as dataset,
        pytest.raises(RasterioIOError, match=r"damaged\.tif is damaged: block 0_0"),
    ):
        FloatBlocks(dataset, 1).read(np.empty((1, SHAPE[1]), np.float32), 0)
