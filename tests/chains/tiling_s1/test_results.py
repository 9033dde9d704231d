"""What an order of S1_TILING publishes: names, bands, tags, items, lists."""

import csv
import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from PIL import Image

from algorithms.speckle import quegan
from tests.algorithms.speckle.formula import quegan_by_formula
from tests.chains.tiling_s1.simulated_series import Run, SimulatedSeries, simulate_series
from tests.web.stac.extension_rules import validate

pytestmark = pytest.mark.xdist_group("tiling")

FIRST = "s1a_gam_31TCJ_vvvh_ASC_059_20210809t173953"
DAYS = ("2021/08/09", "2021/08/21", "2021/09/02", "2021/09/14")


def stack_of(run: Run, suffix: str = "") -> np.ndarray:
    """All dates, shape (time, band, row, column)."""
    paths = sorted(run.config.datalake.path.rglob(f"*t??????{suffix}.tif"))
    assert len(paths) == len(DAYS)
    images = []
    for path in paths:
        with rasterio.open(path) as dataset:
            images.append(dataset.read())
    return np.array(images)


def test_each_date_has_its_two_files_and_their_items_in_the_folder_of_its_day(full: Run) -> None:
    stems = [FIRST.replace("20210809", day.replace("/", "")) for day in DAYS]
    expected = {
        f"S1-L1-ORTHO/31TCJ/{day}/{stem}{suffix}"
        for day, stem in zip(DAYS, stems, strict=True)
        for suffix in (".tif", ".json", ".png", "_filtered.tif", "_filtered.json")
    }
    catalogues = ("catalog.json", "collection.json")
    assert {name for name in full.files() if not name.endswith(catalogues)} == expected


def test_a_file_has_both_polarizations_and_the_tags_of_s1tiling(full: Run) -> None:
    with rasterio.open(full.image(FIRST)) as dataset:
        tags = dataset.tags()
        assert (dataset.count, dataset.descriptions) == (2, ("VV", "VH"))
        assert (dataset.nodata, dataset.dtypes) == (0.0, ("float32", "float32"))
    # S1Tiling 1.4.2, as it writes them.
    assert {name: tags[name] for name in sorted(tags) if name in EXPECTED_TAGS} == EXPECTED_TAGS
    assert "INPUT_S1_IMAGES" in tags


EXPECTED_TAGS = {
    "ACQUISITION_DATETIME": "2021:08:09T17:39:53Z",
    "CALIBRATION": "gamma",
    "FLYING_UNIT_CODE": "s1a",
    "IMAGE_TYPE": "BACKSCATTERING",
    "NOISE_REMOVED": "True",
    "ORBIT_DIRECTION": "ASC",
    "ORTHORECTIFIED": "true",
    "POLARIZATION": "vvvh",
    "RELATIVE_ORBIT_NUMBER": "059",
    "S2_TILE_CORRESPONDING_CODE": "31TCJ",
    "SPATIAL_RESOLUTION": "10.0",
}


def test_filtered_files_are_the_formula_applied_to_the_others(full: Run) -> None:
    expected = quegan(stack_of(full))
    found = stack_of(full, "_filtered")

    assert np.array_equal(found == 0, expected == 0)
    valid = expected > 0
    # Ten bits of mantissa are kept: half a unit of the last is 2**-11.
    assert np.abs(found[valid] / expected[valid] - 1).max() <= 2**-11 * 1.001


def test_filtered_dates_have_the_looks_of_the_plain_formula_and_keep_their_mean(full: Run) -> None:
    middle = np.s_[:, 0, 340:540, 300:560]  # VV, where there is data everywhere
    before, found = stack_of(full)[middle], stack_of(full, "_filtered")[middle]
    assert before.min() > 0
    inner = np.s_[:, 2:-2, 2:-2]  # as far as the window sees
    found, expected = found[inner], quegan_by_formula(before, 2)[inner]

    np.testing.assert_allclose(looks_of(found), looks_of(expected), rtol=0.05)
    change_db = 10 * np.log10(found.mean(axis=(1, 2)) / before[inner].mean(axis=(1, 2)))
    assert np.abs(change_db).max() <= 0.05


def looks_of(stack: np.ndarray) -> np.ndarray:
    """Mean squared over variance of windows of 15 pixels."""
    dates, rows, columns = stack.shape[0], stack.shape[1] // 15, stack.shape[2] // 15
    windows = stack[:, : 15 * rows, : 15 * columns].astype(np.float64)
    windows = windows.reshape(dates, rows, 15, columns, 15)
    return windows.mean(axis=(2, 4)) ** 2 / windows.var(axis=(2, 4))


def test_filtered_files_say_so_in_tags_and_items(full: Run) -> None:
    with rasterio.open(full.image(f"{FIRST}_filtered")) as dataset:
        tags = dataset.tags()
    assert (tags["FILTERED"], tags["FILTERING_METHOD"]) == ("true", "quegan")
    assert (tags["FILTERING_WINDOW_RADIUS"], tags["FILTERING_DATES"]) == ("2", "4")
    said = full.item(f"{FIRST}_filtered")["properties"]
    assert said["peps:filter_dates_count"] == 4
    assert said["peps:filter_dates"][0] == "s1a_20210809"
    assert said["peps:source"] == FIRST


def test_items_are_valid_stac_with_the_hash_of_their_parameters(full: Run) -> None:
    for name in (FIRST, f"{FIRST}_filtered"):
        document = full.item(name)
        validate(document)
        item = pystac.Item.from_dict(document)
        assert item.properties["peps:parameters"]["calibration"] == "gamma0"
        assert len(item.properties["peps:parameters_hash"]) == 8
        assert all("file:checksum" in asset for asset in document["assets"].values())


def test_outputs_list_every_file_and_say_what_each_date_holds(full: Run) -> None:
    assert full.outputs is not None
    outputs, folder = full.outputs
    listed = json.loads((folder / "files.json").read_text())["files"]
    published = full.files()
    assert {f["path"] for f in listed} == {n for n in published if n.endswith((".tif", ".png"))}
    assert all(len(published[f["path"]]) == f["size"] for f in listed)
    assert all(f["href"] == f"/datalake/{f['path']}" for f in listed)
    with (folder / "statistics.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [line["polarization"] for line in lines] == ["VV", "VH"] * 4
    power = stack_of(full)[0, 0]
    assert float(lines[0]["mean_db"]) == pytest.approx(
        10 * np.log10(power[power > 0].mean()), abs=2e-3
    )
    assert float(lines[0]["coverage_percent"]) == pytest.approx(100 * np.mean(power > 0), abs=0.011)
    document = json.loads((folder / "collection.json").read_text())
    collection = pystac.Collection.from_dict(
        document, href="http://localhost/resto/wps/outputs/job/collection.json"
    )
    items = {link.get_absolute_href() for link in collection.get_links("item")}
    assert len(items) == 8
    assert f"http://localhost/datalake/S1-L1-ORTHO/31TCJ/{DAYS[0]}/{FIRST}.json" in items
    assert [output.identifier for output in outputs.outputs][-1] == "archive"
    assert outputs.report["left_out"] == []


def test_the_archive_holds_what_is_published(full: Run) -> None:
    assert full.outputs is not None
    (path,) = full.outputs[1].glob("*.zip")
    published = full.files()
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 20
        for name in archive.namelist():
            assert archive.read(name) == published[name]


def test_pictures_show_each_date_and_what_the_filter_did(full: Run) -> None:
    assert full.outputs is not None
    folder = full.outputs[1]
    with Image.open(folder / "31TCJ_ASC_059_vvvh.webp") as animation:
        assert animation.n_frames == 4
    with rasterio.open(folder / "31TCJ_ASC_059_vvvh_enl.tif") as dataset:
        before, after = dataset.read()
        assert dataset.descriptions == ("before", "after")
    # Of independent dates of L looks the filter makes 1 / (1 / (25 L) + 1 / (4 L)), 3.4 L; fields
    # of the scenery and what interpolation correlates leave less of it.
    full_windows = (before > 0) & (after > 0)
    assert np.median(after[full_windows] / before[full_windows]) > 2


def test_names_of_s1tiling_are_one_file_a_polarization(series: SimulatedSeries) -> None:
    run = series.only(0, 1).service("s1tiling")
    run.order(naming="s1tiling", calibration="sigma0", mask_border="true", filter="none")
    names = sorted(name.rpartition("/")[2] for name in run.files() if "20210809" in name)
    stem = "s1a_31TCJ_{}_ASC_059_20210809t173953_sigma"
    assert names == sorted(
        [
            f"{stem.format('vh')}.tif",
            f"{stem.format('vv')}.tif",
            f"{stem.format('vvvh')}.json",
            f"{stem.format('vvvh')}.png",
            f"{stem.format('vvvh')}_BorderMask.tif",
        ]
    )
    (top,) = run.config.datalake.path.glob("S1-L1-ORTHO*")
    assert len(top.name) == len("S1-L1-ORTHO-01234567")
    with (
        rasterio.open(run.image(stem.format("vv"))) as image,
        rasterio.open(run.image(f"{stem.format('vvvh')}_BorderMask")) as mask,
    ):
        assert image.tags()["CALIBRATION"] == "sigma"
        assert np.array_equal(mask.read(1) == 1, image.read(1) > 0)


def test_composites_are_published_beside_the_dates_which_one_filter_made_alone(
    series: SimulatedSeries,
) -> None:
    run = series.only(0, 1, 2).service("composites")
    outputs, folder = run.order(filter="lee", composites="monthly ratio rgb", window="7")
    names = {name.rpartition("/")[2] for name in run.files() if name.endswith(".tif")}
    assert {"s1_gam_31TCJ_vvvh_ASC_059_202108_mean.tif", f"{FIRST}_ratio.tif"} <= names
    assert len([name for name in names if name.endswith("_rgb.tif")]) == 3

    said = run.item(f"{FIRST}_filtered")["properties"]
    assert (said["peps:filter"], said["peps:filter_dates"]) == ("lee", ["s1a_20210809"])
    # The mean of a month is that of its dates before any filter.
    stack = []
    for stem in (FIRST, FIRST.replace("20210809", "20210821")):
        with rasterio.open(run.image(stem)) as dataset:
            stack.append(dataset.read())
    with rasterio.open(run.image("s1_gam_31TCJ_vvvh_ASC_059_202108_mean")) as dataset:
        found = dataset.read()
    both = np.all(np.array(stack) > 0, axis=0) & (found > 0)
    assert both.sum() > 10_000
    assert np.abs(found[both] / np.mean(stack, axis=0)[both] - 1).max() < 2**-10

    listed = json.loads((folder / "files.json").read_text())["files"]
    assert {f["path"] for f in listed} == {n for n in run.files() if n.endswith((".tif", ".png"))}
    # They are no dates: another order finds those that there are.
    assert [task.products for task in run.plan(filter="lee", window="7")] == [()]
    assert outputs.report["series"][0]["series"] == "ASC_059_vvvh"


def test_frames_of_a_pass_become_one_date_in_place_of_that_of_one(tmp_path: Path) -> None:
    run = simulate_series(tmp_path, dates=1, frames=2, lines=300).service("frames")
    both = run.archive
    run.archive = dataclasses.replace(both, products=both.products[:1])
    choices = {"naming": "s1tiling", "filter": "lee", "composites": "ratio"}
    run.order(**choices)
    assert sum("t173953" in name for name in run.files()) == 10
    run.archive = both
    run.order(**choices)
    assert not [name for name in run.files() if "t173953" in name]
    with rasterio.open(run.image("s1a_31TCJ_vv_ASC_059_20210809txxxxxx")) as dataset:
        tags, power = dataset.tags(), dataset.read(1)
    assert len(tags["INPUT_S1_IMAGES"].split(", ")) == 2
    assert "ACQUISITION_DATETIME_2" in tags
    # No seam: no gap in the columns that cross both frames. Outer borders are ragged, as of real
    # products, and the others run along one.
    steps = np.abs(np.diff((power > 0).astype(np.int8), axis=0)).sum(axis=0)
    length = (power > 0).sum(axis=0)
    assert steps[length > 0.9 * length.max()].max() == 2
