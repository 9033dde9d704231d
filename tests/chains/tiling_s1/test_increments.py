"""More dates of a series, one after the other: those there stay, a new one equals a full run."""

import dataclasses
import errno
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio

from peps_wps.chains.tiling_s1 import sums_file
from peps_wps.errors import ChainError, SafeError
from tests.chains.tiling_s1.simulated_series import Run, SimulatedSeries

pytestmark = pytest.mark.xdist_group("tiling")

LAST = "s1a_gam_31TCJ_vvvh_ASC_059_20210914t173953"
EARLIER = "s1a_gam_31TCJ_vvvh_ASC_059_20210809t173953"
# Of the file, which keeps ten bits of mantissa, and of the bar.
TOLERANCE = 1e-6


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=0)


def sums_of(run: Run) -> np.ndarray:
    (path,) = run.config.datalake.path.rglob("*_sums.tif")
    return pixels(path)


@pytest.fixture
def three(series: SimulatedSeries) -> Run:
    """The service that was ordered three dates."""
    return series.once("three", lambda run: run.order(end="2021-09-10"))


@pytest.fixture
def grown(series: SimulatedSeries, three: Run) -> Run:
    """The service that was ordered three dates, then a period with a fourth."""

    def make(run: Run) -> None:
        shutil.copytree(three.config.datalake.path, run.config.datalake.path)
        run.order()

    return series.once("grown", make)


def test_what_is_there_is_not_computed_again(three: Run, grown: Run) -> None:
    dates = [name.rpartition(" ")[2] for name in (*three.told, *grown.told)]
    assert dates == [
        *("s1a_20210809", "s1a_20210821", "s1a_20210902", "series"),
        *("s1a_20210914", "series"),
    ]


def test_a_new_date_and_the_sums_equal_those_of_a_full_run(grown: Run, full: Run) -> None:
    for suffix in ("", "_filtered"):
        assert_same(pixels(grown.image(LAST + suffix)), pixels(full.image(LAST + suffix)))
    assert_same(sums_of(grown), sums_of(full))


def test_files_of_earlier_dates_stay_and_say_how_many_dates_they_hold(grown: Run) -> None:
    held = [
        grown.item(f"{stem}_filtered")["properties"]["peps:filter_dates_count"]
        for stem in (EARLIER, LAST)
    ]
    assert held == [3, 4]


def test_all_dates_filtered_again_equal_a_full_run(
    grown: Run, full: Run, series: SimulatedSeries
) -> None:
    run = series.service("again")
    shutil.copytree(grown.config.datalake.path, run.config.datalake.path)
    run.order(refilter="all")
    assert run.told == ["31TCJ ASC_059_vvvh series"]
    for path in full.config.datalake.path.rglob("*_filtered.tif"):
        assert_same(pixels(run.image(path.stem)), pixels(path))
    assert run.item(f"{EARLIER}_filtered")["properties"]["peps:filter_dates_count"] == 4


def test_a_date_of_its_own_order_is_filtered_with_those_that_are_there(
    three: Run, full: Run, series: SimulatedSeries
) -> None:
    run = series.service("single")
    shutil.copytree(three.config.datalake.path, run.config.datalake.path)
    run.order(start="2021-09-10", min_images="4")
    assert_same(pixels(run.image(f"{LAST}_filtered")), pixels(full.image(f"{LAST}_filtered")))


def test_sums_begin_anew_when_a_date_in_them_has_changed(
    full: Run, series: SimulatedSeries
) -> None:
    run = series.service("changed")
    shutil.copytree(full.config.datalake.path, run.config.datalake.path)
    date = run.item(EARLIER)["properties"]["peps:date"]
    run.lake.remove(f"S1-L1-ORTHO/31TCJ/2021/08/09/{EARLIER}.json")
    # The same date of another speckle under its name.
    others = list(series.archive.products)
    exchanged = dataclasses.replace(run.archive, paths=dict(run.archive.paths))
    exchanged.paths[others[0].uid] = series.archive.paths[others[1].uid]
    run.archive = exchanged
    before = sums_of(run)
    run.order(refilter="all")
    assert date == "s1a_20210809"
    changed = sums_of(run)
    assert not np.array_equal(changed, before)
    assert changed.max() > 0
    assert run.item(f"{LAST}_filtered")["properties"]["peps:filter_dates_count"] == 4


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 99 // 100])


def forget_the_dates(path: Path) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(PEPS_CONTRIBUTIONS='{"dates": {}}')


@pytest.mark.parametrize("damage", [tear, forget_the_dates])
def test_sums_that_are_damaged_begin_anew_and_are_kept_aside(
    damage: Callable[[Path], None],
    full: Run,
    three: Run,
    series: SimulatedSeries,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = series.service(damage.__name__)
    shutil.copytree(three.config.datalake.path, run.config.datalake.path)
    (path,) = run.config.datalake.path.rglob("*_sums.tif")
    damage(path)
    damaged = path.read_bytes()
    run.order()
    assert_same(pixels(run.image(f"{LAST}_filtered")), pixels(full.image(f"{LAST}_filtered")))
    assert_same(sums_of(run), sums_of(full))
    assert path.with_name(f"{path.name}.damaged").read_bytes() == damaged
    assert "sums begin anew" in caplog.text


def test_sums_that_cannot_be_read_just_now_stay_and_fail_the_task(
    three: Run, series: SimulatedSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    run = series.service("busy")
    shutil.copytree(three.config.datalake.path, run.config.datalake.path)
    before = sums_of(run)
    monkeypatch.setattr(sums_file.DirectFile, "__init__", busy)
    with pytest.raises(OSError, match="too many open files"):
        run.order()
    assert np.array_equal(sums_of(run), before)


def test_a_corrupt_acquisition_is_left_out_and_the_series_goes_on(
    series: SimulatedSeries, tmp_path: Path
) -> None:
    run = series.service("corrupt")
    bad = series.archive.products[1]
    broken = tmp_path / run.archive.paths[bad.uid].name
    shutil.copytree(run.archive.paths[bad.uid], broken)
    for image in broken.glob("measurement/*.tiff"):
        image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    run.archive = dataclasses.replace(run.archive, paths={**run.archive.paths, bad.uid: broken})

    outputs, _ = run.order()

    (left_out,) = outputs.report["left_out"]
    assert (left_out["date"], left_out["products"]) == ("s1a_20210821", [bad.title])
    assert left_out["reason"]
    (one,) = outputs.report["series"]
    assert [date["date"] for date in one["dates"]] == [
        *("s1a_20210809", "s1a_20210902", "s1a_20210914")
    ]
    assert [date["filtered_with"] for date in one["dates"]] == [3, 3, 3]


def test_an_order_of_corrupt_acquisitions_only_fails_with_the_reason(
    series: SimulatedSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise SafeError("the measurement ends at line 12, expected 500")

    monkeypatch.setattr("peps_wps.chains.tiling_s1.date.read_scene", refuse)
    with pytest.raises(ChainError, match="ends at line 12"):
        series.service("all corrupt").order()


def test_a_late_frame_replaces_the_date(series: SimulatedSeries) -> None:
    """The first order finds one frame of the pass; later the catalogue has the one after it."""
    run = series.only(0, 1).service("late")
    run.order()
    first = series.archive.products[0]
    # As the next frame: its own footprint and pixels do not matter to what is looked at here.
    late = dataclasses.replace(
        first,
        title=f"{first.title[:-4]}LATE",
        start=first.end,
        end=first.end + timedelta(seconds=1),
    )
    run.archive = dataclasses.replace(run.archive, products=(*run.archive.products, late))
    (task, *_) = run.plan()
    assert task.products == (first.uid, late.uid)
    assert task.body["stem"].endswith("20210809txxxxxx")
