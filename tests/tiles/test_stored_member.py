"""Rasters inside zips, read in place."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from peps_wps.tiles.errors import NoSuchMemberError, NotACogError
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Source
from peps_wps.tiles.stored_member import gdal_path, rasters_in
from peps_wps.writers.archive import write_archive
from tests.tiles.rasters import write_cog


@pytest.fixture
def raster(tmp_path) -> Path:
    values = np.random.default_rng(1).normal(10, 1, (600, 600)).astype(np.float32)
    return write_cog(tmp_path / "a.tif", values)


def test_a_member_is_the_raster_that_was_stored(tmp_path, raster):
    (tmp_path / "note.txt").write_text("first")
    archive = tmp_path / "tiles, all.zip"
    write_archive(archive, {"note.txt": tmp_path / "note.txt", "31TCJ/a.tif": raster})
    pool = RasterPool()

    inside, outside = pool.raster(Source(archive, "31TCJ/a.tif")), pool.raster(Source(raster))

    assert inside.levels == outside.levels
    assert inside.box == outside.box
    for level in inside.levels:
        with (
            pool.opened(inside, level.overview) as one,
            pool.opened(outside, level.overview) as two,
        ):
            np.testing.assert_array_equal(one.read(1), two.read(1))
    assert list(rasters_in(archive)) == ["31TCJ/a.tif"]


def test_a_compressed_member_is_refused(tmp_path, raster):
    archive = tmp_path / "small.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.write(raster, "a.tif")

    with pytest.raises(NotACogError, match=r"a\.tif cannot .* compressed in its archive"):
        RasterPool().raster(Source(archive, "a.tif"))


@pytest.mark.parametrize("member", ["b.tif", "../a.tif", "/etc/passwd", ""])
def test_what_the_zip_does_not_hold_is_missed(tmp_path, raster, member):
    archive = tmp_path / "a.zip"
    write_archive(archive, {"a.tif": raster})

    with pytest.raises(NoSuchMemberError):
        gdal_path(archive, member)


def test_a_member_that_is_no_raster_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("no raster")
    write_archive(tmp_path / "a.zip", {"note.txt": tmp_path / "note.txt"})

    with pytest.raises(NotACogError, match=r"note\.txt cannot .* no GeoTIFF"):
        RasterPool().raster(Source(tmp_path / "a.zip", "note.txt"))


def test_what_is_no_zip_has_no_members(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and no more")

    with pytest.raises(NoSuchMemberError):
        gdal_path(tmp_path / "a.zip", "a.tif")
    with pytest.raises(OSError, match=r"a\.zip is no zip"):
        rasters_in(tmp_path / "a.zip")
