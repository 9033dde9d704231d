"""What S1_TIME_SERIES gives, against what the simulator did to the ground and to the orbits."""

import csv
import json
import zipfile

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from tests.chains.time_series_s1.simulated_stack import (
    LATITUDE,
    LONGITUDE,
    REPEAT,
    SHIFTS,
    Run,
    SimulatedStack,
)

pytestmark = pytest.mark.xdist_group("time_series")

YEAR = 365.25
# A cell of 8 x 2 looks at coherence 0.9 has 0.12 rad of noise, half of that when filtered:
# 0.3 mm of displacement.
DISPLACEMENT_RMSE = 0.4e-3  # m


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values[np.isfinite(values)] ** 2)))


def at_reference(run: Run, values: np.ndarray) -> float:
    place = run.report["reference"]
    rows, columns = (slice(place[axis] - 2, place[axis] + 3) for axis in ("row", "column"))
    return float(np.mean(values[rows, columns]))


def true_displacement(stack: SimulatedStack, run: Run, date: int) -> np.ndarray:
    """Towards the satellite since the first date, told against the same place."""
    moved = (
        stack.truth(date).displacement(*run.places()) if date else np.zeros(run.places()[0].shape)
    )
    return moved - at_reference(run, moved)


def test_displacement_of_each_date_is_that_of_the_ground(stack: SimulatedStack, full: Run) -> None:
    displacement = full.values("displacement")
    for date in range(4):
        assert rms(displacement[date] - true_displacement(stack, full, date)) < DISPLACEMENT_RMSE


def test_velocity_is_that_of_the_ground_within_its_standard_error(
    stack: SimulatedStack, full: Run
) -> None:
    years = 3 * REPEAT / YEAR
    velocity, sigma = full.values("velocity"), full.values("velocity_sigma")
    error = velocity - true_displacement(stack, full, 3) / years

    assert rms(error) < DISPLACEMENT_RMSE / years
    # One degree of freedom is left of four dates: half the errors lie within one sigma.
    assert 0.35 < np.mean(np.abs(error[np.isfinite(error)]) < sigma[np.isfinite(error)]) < 0.8


def test_ground_that_rises_moves_towards_the_satellite(stack: SimulatedStack) -> None:
    stack.once("full")
    far = stack.once("far", reference_point=f"{LONGITUDE},{LATITUDE + 0.012}")
    velocity = far.values("velocity")
    with rasterio.open(far.path("velocity")) as dataset:
        to_map = Transformer.from_crs(4326, dataset.crs, always_xy=True)
        column, row = ~dataset.transform @ to_map.transform(LONGITUDE, LATITUDE)
    summit = velocity[int(row), int(column)]
    years = 3 * REPEAT / YEAR

    assert summit == pytest.approx(
        true_displacement(stack, far, 3)[int(row), int(column)] / years,
        abs=3 * DISPLACEMENT_RMSE / years,
    )
    assert summit > 0.25  # m a year


def test_displacement_is_told_against_the_place_asked_for(stack: SimulatedStack) -> None:
    place = f"{LONGITUDE},{LATITUDE + 0.012}"
    far = stack.once("far", reference_point=place)

    assert far.report["reference"]["latitude"] == pytest.approx(LATITUDE + 0.012, abs=2e-4)
    assert far.report["reference"]["chosen_by"] == "order"
    for displacement in far.values("displacement"):
        assert at_reference(far, displacement) == pytest.approx(0.0, abs=1e-5)


def test_the_network_finds_what_each_date_lies_off(full: Run) -> None:
    found = [date["azimuth_shift_lines"] for date in full.report["dates"]]
    # Overlaps of bursts this short tell a pair to 7e-4 lines.
    np.testing.assert_allclose(found, SHIFTS, atol=2e-3)
    for pair in full.report["pairs"]:
        first, second = (date[:10] for date in pair["dates"])
        days = [date["date"] for date in full.report["dates"]]
        lines = found[days.index(second)] - found[days.index(first)]
        assert pair["azimuth_shift_lines"] == pytest.approx(lines, abs=2e-6)


def test_height_that_the_dem_lacks_is_found(stack: SimulatedStack) -> None:
    lowered = stack.folder / "lowered"
    depth = lower_dem(stack.folder / "dem", lowered)
    run = stack.service("lowered", PEPS_DEM_PATH=str(lowered)).order()
    found = run.values("dem_error")
    missing = depth(*run.places())
    missing -= at_reference(run, missing)
    found = found - at_reference(run, found)
    known = np.isfinite(found)
    slope = np.polyfit(missing[known], found[known], 1)[0]

    # Baselines of 80 m turn 0.03 rad into 1 m; the bowl is 25 m deep.
    assert slope == pytest.approx(1.0, abs=0.05)
    assert rms(found - missing) < 2.5


def test_a_hole_in_the_heights_is_told_and_harms_nothing_beside_it(stack: SimulatedStack) -> None:
    holed = stack.folder / "holed"
    is_hole = holed_dem(stack.folder / "dem", holed)
    run = stack.service("holed", PEPS_DEM_PATH=str(holed)).order(neighbours="1")
    error = run.values("displacement")[3] - true_displacement(stack, run, 3)
    beside = ~is_hole(*run.places()) & np.isfinite(error)

    remarks = " ".join(run.report["remarks"])
    assert "percent of the heights are missing, taken as sea level" in remarks
    assert beside.sum() > 0.5 * np.isfinite(error).sum()
    # Three pairs in a row have thrice the variance; the error is that of the sum.
    assert rms(error[beside]) < 2 * DISPLACEMENT_RMSE


def holed_dem(source, target):
    """Write the DEM without heights in the west; return what tells places in it, radians."""
    west = np.radians(LONGITUDE) - 400.0 / (6.37e6 * np.cos(np.radians(LATITUDE)))
    target.mkdir()
    for path in source.iterdir():
        with rasterio.open(path) as dataset:
            columns = np.arange(dataset.width) + 0.5
            longitude = dataset.transform.c + dataset.transform.a * columns
            heights, profile = dataset.read(1), dataset.profile
        heights[:, np.radians(longitude) < west] = -32768
        with rasterio.open(target / path.name, "w", **{**profile, "nodata": -32768}) as dataset:
            dataset.write(heights, 1)
    # What lies beside is displaced by the missing heights, a few hundred metres.
    return lambda longitude, _latitude: longitude < west + 5e-5


def lower_dem(source, target):
    """Write the DEM with a bowl in it; return its depth, m, as a function of radians."""

    def depth(longitude, latitude):
        north = (latitude - np.radians(LATITUDE + 0.004)) * 6.37e6
        return 25.0 * np.exp(-0.5 * (north / 400.0) ** 2)

    target.mkdir()
    for path in source.iterdir():
        with rasterio.open(path) as dataset:
            rows, columns = np.indices(dataset.shape) + 0.5
            place = dataset.transform @ (columns, rows)
            heights = dataset.read(1) - depth(*(np.radians(axis) for axis in place))
            profile = dataset.profile
        with rasterio.open(target / path.name, "w", **profile) as dataset:
            dataset.write(heights.astype(profile["dtype"]), 1)
    return depth


def test_pairs_agree_with_their_dates(full: Run) -> None:
    coherence = full.values("temporal_coherence")
    assert np.nanmin(coherence) > 0.95
    assert np.nanmax(full.values("residual")) < 2e-3


def test_the_archive_holds_the_files_of_the_item(full: Run) -> None:
    item = json.loads(full.path("item").read_text())
    (archive,) = full.folder.glob("*.zip")
    with zipfile.ZipFile(archive) as members:
        names = set(members.namelist())
    assert {asset["href"] for asset in item["assets"].values()} == names - {f"{item['id']}.json"}
    assert item["properties"]["peps:signs"]["velocity"].endswith("positive towards the satellite")
    with rasterio.open(full.path("displacement")) as dataset:
        assert dataset.descriptions == tuple(date["date"] for date in full.report["dates"])


def test_the_table_of_dates_says_what_the_report_does(full: Run) -> None:
    with full.path("dates").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["product"] for row in rows] == [one["product"] for one in full.report["dates"]]
    baselines = [float(row["perpendicular_baseline_m"]) for row in rows]
    # Of the passes: metres across the track and outwards, seen at 34 degrees from the vertical.
    expected = [
        -(across * np.cos(0.6) + radial * np.sin(0.6))
        for across, radial in ((0, 0), (85, 20), (-60, 10), (30, -30))
    ]
    np.testing.assert_allclose(baselines, expected, atol=8.0)
