"""Series of files through the speckle filter, against the filter on the whole stack."""

import errno
import os

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.errors import RasterioIOError

from algorithms.speckle import quegan
from peps_wps.chains.ortho_s1.values import decode, value_format
from peps_wps.chains.tiling_s1 import gains
from peps_wps.chains.tiling_s1.series_filter import Output, Series, filter_series, put_strip
from peps_wps.chains.tiling_s1.strips import Span, parts_of
from peps_wps.chains.tiling_s1.sums_file import SumsReader, UnsoundSumsError
from peps_wps.writers.cog import BLOCK, CogWriter
from peps_wps.writers.cog_layout import RasterDescription

# Two block rows of which the last has one row, less than the radius, and two columns.
SHAPE = (2 * BLOCK + 1, BLOCK + 8)
DATES = 6  # more than are added at once
TRANSFORM = Affine(10, 0, 300000, 0, -10, 4900020)
GRID = ("width", "height", "count", "crs", "transform", "dtype")
FORM = value_format("float32", "gamma0")


@pytest.fixture(scope="module")
def stack():
    """Linear power, shape (time, band, row, column), 0 for no data; a date without a block row."""
    rng = np.random.default_rng(0)
    stack = rng.gamma(4.4, 0.02, (DATES, 2, *SHAPE)).astype(np.float32)
    stack[:, :, 500:530, 100:140] = 0
    stack[1, :, :, 300:] = 0
    stack[2, :, :BLOCK] = 0
    return stack


def write(path, power, form=FORM, bands=("VV", "VH")):
    """Write linear power of shape (band, row, column)."""
    description = RasterDescription(
        form.dtype, 32631, TRANSFORM, form.nodata, {}, scale=form.scale, bands=bands
    )
    writer = CogWriter(path, width=SHAPE[1], height=SHAPE[0], description=description)
    for band, image in enumerate(power):
        for row in range(0, SHAPE[0], BLOCK):
            put_strip(writer, band, row, [image[row : row + BLOCK]], form)
    writer.close()
    return path


@pytest.fixture(scope="module")
def paths(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    return [write(folder / f"{date}.tif", power) for date, power in enumerate(stack)]


def run(folder, paths, **further):
    """Filter all dates; return the series and the filtered stack."""
    folder.mkdir(exist_ok=True)
    outputs = {path: Output(folder / path.name, {"DATE": path.stem}) for path in paths}
    options = {"new": tuple(paths), "outputs": outputs, "sums": folder / "sums.tif", **further}
    series = Series(form=FORM, lossless=True, **options)
    filter_series(series, threads=2, progress=lambda fraction: None)
    return series, np.stack([read(output.path) for output in series.outputs.values()])


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


@pytest.fixture(scope="module")
def whole(paths, tmp_path_factory):
    """All dates filtered: the series and the filtered stack."""
    return run(tmp_path_factory.mktemp("whole"), paths)


@pytest.fixture(scope="module")
def before(paths, tmp_path_factory):
    """All dates but the last filtered."""
    return run(tmp_path_factory.mktemp("before"), paths[:-1])[0]


def test_files_are_filtered_as_the_stack_in_memory(stack, paths, whole):
    series, after = whole

    np.testing.assert_array_equal(after, quegan(stack))
    with rasterio.open(series.outputs[paths[0]].path) as dataset:
        assert dataset.descriptions == ("VV", "VH")
        assert (dataset.transform, dataset.nodata) == (TRANSFORM, 0)
        assert dataset.tags()["DATE"] == "0"
        assert dataset.overviews(1) == [2, 4]
    for band in range(2):
        with SumsReader(series.sums) as sums:
            count = sums.read(band, Span(0, SHAPE[0])).count
        np.testing.assert_array_equal(count, (stack[:, band] > 0).sum(axis=0))


def test_gains_may_lie_on_disk(tmp_path, monkeypatch, paths, whole):
    monkeypatch.setattr(gains, "MEMORY_BYTES", 0)
    monkeypatch.delattr(gains, "GainArray")

    np.testing.assert_array_equal(run(tmp_path, paths)[1], whole[1])


def test_a_date_more_gives_the_sums_and_the_image_of_a_full_run(tmp_path, paths, whole, before):
    full, after = whole

    one = {paths[-1]: Output(tmp_path / "one.tif")}
    new, last = run(
        tmp_path, paths, new=(paths[-1],), outputs=one, previous=before.sums, sums_tags={"A": "b"}
    )

    np.testing.assert_array_equal(last[0], after[-1])
    with SumsReader(new.sums) as of_new, SumsReader(full.sums) as of_full:
        for band in range(2):
            ours, theirs = (sums.read(band, Span(0, SHAPE[0])) for sums in (of_new, of_full))
            np.testing.assert_array_equal(ours.total, theirs.total)
            np.testing.assert_array_equal(ours.count, theirs.count)
    with rasterio.open(new.sums) as dataset:
        assert dataset.tags()["A"] == "b"


@pytest.fixture
def in_strips(tmp_path, before):
    """The sums of all dates but the last as they were written first: strips of 128 rows."""
    path = tmp_path / "strips.tif"
    further = {}
    for place, compress in ((before.sums, "none"), (f"GTIFF_DIR:2:{before.sums}", "zstd")):
        with rasterio.open(place) as dataset:
            grid = {name: dataset.profile[name] for name in GRID}
            content, tags = dataset.read(), dataset.tags()
        form = {"interleave": "band", "blockysize": 128, "compress": compress, "SPARSE_OK": True}
        with rasterio.open(path, "w", driver="GTiff", **grid, **form, **further) as dataset:
            dataset.write(content)
            dataset.update_tags(**tags)
        further = {"APPEND_SUBDATASET": True}
    return path


def test_sums_of_another_layout_are_continued_in_that_of_now(tmp_path, paths, whole, in_strips):
    full, after = whole
    with rasterio.open(in_strips) as dataset:
        assert dataset.block_shapes[0] == (128, SHAPE[1])

    one = {paths[-1]: Output(tmp_path / "one.tif")}
    new, last = run(tmp_path, paths, new=(paths[-1],), outputs=one, previous=in_strips)

    np.testing.assert_array_equal(last[0], after[-1])
    assert new.sums.read_bytes() == full.sums.read_bytes()


def test_what_is_filtered_by_sums_of_another_layout_is_the_same(tmp_path, paths, before, in_strips):
    one = {paths[0]: Output(tmp_path / "one.tif")}
    _, first = run(tmp_path, paths, new=(), outputs=one, previous=in_strips)

    np.testing.assert_array_equal(first[0], read(before.outputs[paths[0]].path))


def test_a_file_that_does_not_hold_sums_is_refused(paths):
    with pytest.raises(UnsoundSumsError, match=r"0\.tif holds float32, no sums"):
        SumsReader(paths[0])


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("layout", ["blocks", "strips"])
def test_sums_that_end_too_early_are_refused(tmp_path, before, in_strips, layout, part):
    content = (before.sums if layout == "blocks" else in_strips).read_bytes()
    torn = tmp_path / "torn.tif"
    torn.write_bytes(content[: int(part * len(content))])

    with pytest.raises(UnsoundSumsError, match=r"torn\.tif"):
        SumsReader(torn)


def test_sums_that_open_at_the_second_time_are_sound(monkeypatch, before):
    opened, times = rasterio.open, []

    def busy(path):
        times.append(path)
        if len(times) == 1:
            raise RasterioIOError("too many open files")
        return opened(path)

    monkeypatch.setattr(rasterio, "open", busy)
    with SumsReader(before.sums) as sums:
        assert sums.read(0, Span(0, 1)).count.any()


def test_sums_whose_bytes_cannot_be_read_are_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = tmp_path / "torn.tif"
    path.write_bytes(b"II")
    monkeypatch.setattr("peps_wps.chains.tiling_s1.sums_file.file_checksum", refuse)
    with pytest.raises(PermissionError):
        SumsReader(path)


def test_earlier_dates_can_be_filtered_again_by_sums_that_hold_them(tmp_path, paths, whole, before):
    _, again = run(tmp_path, paths, new=(paths[-1],), previous=before.sums)

    np.testing.assert_array_equal(again, whole[1])


@pytest.mark.parametrize("name", ["uint16", "float32_db"])
def test_other_formats_are_filtered_in_linear_power(tmp_path, stack, name):
    form = value_format(name, "gamma0")
    paths = [
        write(tmp_path / f"{date}.tif", power[:1], form, ()) for date, power in enumerate(stack)
    ]
    stored = np.stack([decode(read(path), form)[0] for path in paths])

    outputs = {paths[3]: Output(tmp_path / "out.tif")}
    series = Series(tuple(paths), outputs, tmp_path / "sums.tif", form)
    filter_series(series, threads=2, progress=lambda fraction: None)

    after = decode(read(tmp_path / "out.tif"), form)[0]
    expected = quegan(stored)[3]
    np.testing.assert_array_equal(after > 0, expected > 0)
    # uint16 holds amplitudes in steps of 1e-4, of 0.2 here; decibels lose 0.0022 dB.
    np.testing.assert_allclose(after, expected, rtol=1e-3)


def test_images_of_another_grid_are_refused(tmp_path, stack, paths):
    other = write(tmp_path / "other.tif", stack[0, :1], bands=())

    with pytest.raises(ValueError, match=r"other\.tif is not on the grid of 0\.tif"):
        run(tmp_path, [paths[0], other])


def test_progress_ends_at_one_and_never_goes_back(tmp_path, paths):
    told = []
    outputs = {paths[0]: Output(tmp_path / "out.tif")}
    series = Series(tuple(paths), outputs, tmp_path / "sums.tif", FORM)

    filter_series(series, threads=2, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_parts_of_rows_begin_at_blocks_and_cover_all():
    assert parts_of(Span(0, 10980), 2) == [Span(0, 5632), Span(5632, 10980)]
    assert parts_of(Span(5632, 10980), 3)[-1].end == 10980
    assert parts_of(Span(0, 100), 4) == [Span(0, 100)]
