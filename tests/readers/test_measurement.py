"""The same pixels come out however the product is packed and whoever asks."""

import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from peps_wps.errors import SafeError
from peps_wps.readers.measurement import LineSource
from peps_wps.readers.sentinel1_grd import read_grd
from tests.readers.safe_builder import SafeRecipe, stem, write_folder, write_tiff, zip_folder


def lines_of(path: Path, polarization: str = "VV") -> LineSource:
    return read_grd(path).images[polarization].lines


@pytest.fixture
def folder(recipe: SafeRecipe, tmp_path: Path) -> Path:
    return write_folder(recipe, tmp_path)


@pytest.fixture(params=["folder", "stored", "deflated"])
def product(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    if request.param == "folder":
        return folder
    compression = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}[request.param]
    return zip_folder(folder, tmp_path / "product.zip", compression)


def test_lines_come_in_any_order(product: Path, recipe: SafeRecipe) -> None:
    lines = lines_of(product)
    for first, last in [(0, 1), (650, 700), (10, 300), (0, 700), (699, 700), (120, 130)]:
        np.testing.assert_array_equal(lines.read(first, last), recipe.dn["VV"][first:last])


def test_two_threads_read_the_same_lines(product: Path, recipe: SafeRecipe) -> None:
    lines = lines_of(product)
    wrong: list[int] = []

    def read(starts: list[int]) -> None:
        expected = {start: recipe.dn["VV"][start : start + 50] for start in starts}
        wrong.extend(s for s in starts if not np.array_equal(lines.read(s, s + 50), expected[s]))

    starts = list(range(0, 650, 50))
    threads = [threading.Thread(target=read, args=(s,)) for s in (starts, starts[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "options",
    [
        {"BLOCKYSIZE": 7},
        {"ENDIANNESS": "BIG"},
        {"BIGTIFF": "YES", "BLOCKYSIZE": 700},
        {"COMPRESS": "DEFLATE"},
        {"TILED": "YES", "BLOCKXSIZE": 256, "BLOCKYSIZE": 256, "COMPRESS": "DEFLATE"},
    ],
    ids=["strips of 7 lines", "big endian", "BigTIFF", "compressed", "tiled"],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_every_layout_of_tiff_reads_as_rasterio_does(
    folder: Path, recipe: SafeRecipe, tmp_path: Path, options: dict[str, object], zipped: bool
) -> None:
    tiff = folder / "measurement" / f"{stem(recipe, 'VV')}.tiff"
    write_tiff(tiff, recipe.dn["VV"], **options)
    with rasterio.open(tiff) as dataset:
        expected = dataset.read(1)

    path = zip_folder(folder, tmp_path / "product.zip") if zipped else folder

    np.testing.assert_array_equal(lines_of(path).read(0, 700), expected)
    np.testing.assert_array_equal(lines_of(path).read(333, 401), expected[333:401])


def test_what_is_read_belongs_to_the_caller(product: Path, recipe: SafeRecipe) -> None:
    lines = lines_of(product)
    lines.read(0, 10)[:] = 0
    np.testing.assert_array_equal(lines.read(0, 10), recipe.dn["VV"][:10])


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, 5), (0, 701)])
def test_lines_outside_the_image_are_refused(folder: Path, first: int, last: int) -> None:
    with pytest.raises(ValueError, match="image of 700 lines"):
        lines_of(folder).read(first, last)


def test_a_truncated_tiff_is_refused_with_both_sizes(folder: Path, recipe: SafeRecipe) -> None:
    tiff = folder / "measurement" / f"{stem(recipe, 'VV')}.tiff"
    whole = tiff.stat().st_size
    with tiff.open("r+b") as file:
        file.truncate(whole - 1000)
    with pytest.raises(
        SafeError, match=rf"{tiff.name} is truncated: {whole - 1000} bytes found, \d+"
    ):
        lines_of(folder)


def test_a_truncated_tiled_tiff_is_refused(folder: Path, recipe: SafeRecipe) -> None:
    tiff = folder / "measurement" / f"{stem(recipe, 'VV')}.tiff"
    write_tiff(tiff, recipe.dn["VV"], TILED="YES", COMPRESS="DEFLATE")
    with tiff.open("r+b") as file:
        file.truncate(tiff.stat().st_size - 1000)
    with pytest.raises(SafeError, match="is truncated"):
        lines_of(folder)


def test_a_damaged_deflated_member_is_refused(folder: Path, tmp_path: Path) -> None:
    path = zip_folder(folder, tmp_path / "product.zip", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if "-vv-" in n and n.endswith(".tiff"))
        middle = archive.getinfo(name).header_offset + archive.getinfo(name).compress_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        file.write(b"\xff" * 64)
    lines = lines_of(path)
    for _ in range(2):  # not only the first time
        with pytest.raises(SafeError, match="is damaged"):
            lines.read(0, 700)


def test_an_image_of_another_size_than_annotated_is_refused(
    folder: Path, recipe: SafeRecipe
) -> None:
    write_tiff(folder / "measurement" / f"{stem(recipe, 'VV')}.tiff", recipe.dn["VV"][:-1])
    with pytest.raises(SafeError, match="699 lines of 4001 samples, 700 lines of 4001 expected"):
        lines_of(folder)


def test_a_float_image_is_refused(folder: Path, recipe: SafeRecipe) -> None:
    tiff = folder / "measurement" / f"{stem(recipe, 'VV')}.tiff"
    write_tiff(tiff, recipe.dn["VV"].astype(np.float32))
    with pytest.raises(SafeError, match="16-bit unsigned"):
        lines_of(folder)


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not a TIFF at all, but long enough"])
def test_what_is_no_tiff_is_refused(folder: Path, recipe: SafeRecipe, content: bytes) -> None:
    (folder / "measurement" / f"{stem(recipe, 'VV')}.tiff").write_bytes(content)
    with pytest.raises(SafeError, match="is not a readable TIFF"):
        lines_of(folder)


def test_a_missing_measurement_is_missed_when_pixels_are_asked_for(folder: Path) -> None:
    for tiff in (folder / "measurement").iterdir():
        tiff.unlink()
    product = read_grd(folder)
    assert product.images["VV"].annotation.lines == 700
    with pytest.raises(SafeError, match="has no measurement"):
        _ = product.images["VV"].lines
