"""Files of ERA5: which serves a date and a place, what is read, what is refused."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from peps_wps.errors import AirError
from peps_wps.readers.era5 import AirFile, air_files, find_air, read_levels
from tests.standard_air import LEVELS, Nodes, StandardAir, write_air

TIME = datetime(2018, 7, 20, 6, tzinfo=UTC)
AREA = 130.6, 32.3, 131.4, 33.1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with files of two hours; names of others lie beside them."""
    folder = tmp_path_factory.mktemp("air")
    write_air(folder, TIME, StandardAir(33.0))
    below = folder / "2018"
    below.mkdir()
    write_air(below, TIME + timedelta(hours=1), StandardAir(33.0))
    for name in ("ERA5_20180720_06.grb.partial", "ERA5_20181320_06.grb", "ERA5_20180720_25.grb"):
        (folder / name).touch()
    return folder


def test_state_of_the_air_is_read_as_it_was_written(folder):
    truth = StandardAir(33.0).at_levels()

    air = read_levels(find_air(air_files(folder), TIME, AREA), AREA)

    np.testing.assert_array_equal(air.pressure, LEVELS * 100)
    np.testing.assert_array_equal(air.longitude, [130.5, 130.75, 131.0, 131.25, 131.5])
    np.testing.assert_array_equal(air.latitude, [33.25, 33.0, 32.75, 32.5, 32.25])
    # Files hold float32.
    for name, values in truth.items():
        np.testing.assert_allclose(getattr(air, name)[:, 1, 2], values, rtol=1e-7)


def test_edition_1_is_read_alike(reference_data):
    folder = reference_data / "insar/era5_troposphere_kirishima/ERA5"
    time = datetime(2010, 10, 17, 14, tzinfo=UTC)

    air = read_levels(find_air(air_files(folder), time, AREA), AREA)

    np.testing.assert_array_equal(air.pressure, LEVELS * 100)
    # 1000 hPa over Kyushu on an autumn night: kelvins, and 100 to 200 m above the sea.
    assert 285 < air.temperature[-1].min() < air.temperature[-1].max() < 300
    assert 100 < air.geopotential[-1].min() / 9.81 < air.geopotential[-1].max() / 9.81 < 200
    assert 0.005 < air.specific_humidity[-1].min() < air.specific_humidity[-1].max() < 0.02


@pytest.mark.parametrize(
    ("minutes", "hour"), [(-59, 6), (0, 6), (29, 6), (31, 7), (60, 7), (119, 7)]
)
def test_the_nearest_hour_serves_an_acquisition(folder, minutes, hour):
    file = find_air(air_files(folder), TIME + timedelta(minutes=minutes), AREA)

    assert file.time.hour == hour


def test_a_date_without_a_file_is_told_with_the_name_it_should_have(folder):
    with pytest.raises(AirError, match=r"2018-07-20 04:40 UTC, expected .* in 20180720_05\.grb"):
        find_air(air_files(folder), TIME - timedelta(minutes=80), AREA)


def test_an_area_beside_the_file_is_told_with_what_it_covers(folder):
    beside = 131.5, 32.3, 132.6, 33.1
    with pytest.raises(AirError, match=r"131.50 to 132.60.* covers longitudes 130.00 to 132.00"):
        find_air(air_files(folder), TIME, beside)
    with pytest.raises(AirError, match="does not cover"):
        read_levels(air_files(folder)[0], beside)


def test_of_two_files_of_an_hour_the_one_that_covers_serves(tmp_path):
    for name, west in (("east", 130.0), ("west", 0.0)):
        (tmp_path / name).mkdir()
        write_air(tmp_path / name, TIME, StandardAir(), Nodes(west=west))

    for west, parent in ((130.5, "east"), (0.5, "west")):
        file = find_air(air_files(tmp_path), TIME, (west, 32.3, west + 0.5, 33.0))
        assert file.path.parent.name == parent


def test_longitudes_are_on_the_turn_of_the_area(tmp_path):
    write_air(tmp_path, TIME, StandardAir(-17.0), Nodes(north=-16.0, west=179.0))
    (file,) = air_files(tmp_path)

    for area in ((179.6, -17.5, 180.3, -16.5), (-180.4, -17.5, -179.7, -16.5)):
        air = read_levels(file, area)
        turn = 0.0 if area[0] > 0 else -360.0
        np.testing.assert_array_equal(air.longitude - turn, [179.5, 179.75, 180.0, 180.25, 180.5])
        np.testing.assert_array_equal(air.latitude[[0, -1]], [-16.5, -17.5])


def test_a_file_of_the_whole_earth_has_no_edge(tmp_path):
    write_air(tmp_path, TIME, StandardAir(), Nodes(33.25, -180.0, 3, 1440))
    (file,) = air_files(tmp_path)

    for west in (-0.6, 179.6, -180.4, 359.4):
        air = read_levels(file, (west, 32.8, west + 0.8, 33.2))
        assert air.longitude[0] <= west
        assert air.longitude[-1] >= west + 0.8
        assert air.temperature.shape == (37, 3, air.longitude.size)


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ([("specific_humidity", level) for level in LEVELS], "has no specific humidity on"),
        ([("temperature", 500.0)], "has no temperature at 500 hPa"),
        (
            [(name, level) for name in StandardAir().at_levels() for level in LEVELS[-9:]],
            "has 28 levels, 1 to 775 hPa: expected 15 or more from 100 hPa or less to 850",
        ),
    ],
    ids=["variable", "level", "bottom"],
)
def test_what_a_file_lacks_is_told(tmp_path, without, message):
    write_air(tmp_path, TIME, StandardAir(), without=tuple(without))

    with pytest.raises(AirError, match=message):
        read_levels(air_files(tmp_path)[0], AREA)


def test_a_file_of_another_time_than_its_name_is_refused(tmp_path):
    write_air(tmp_path, TIME, StandardAir(), of=TIME + timedelta(days=1))

    with pytest.raises(AirError, match="holds the air of 2018-07-21 06:00 UTC, its name says 2018"):
        read_levels(air_files(tmp_path)[0], AREA)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_a_file_that_was_cut_short_is_refused(tmp_path, share):
    path = write_air(tmp_path, TIME, StandardAir())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(AirError, match=path.name):
        read_levels(AirFile(TIME, path), AREA)


def test_without_a_folder_there_are_no_files(tmp_path):
    assert air_files(tmp_path / "missing") == []
