"""Tropospheric delays: against air integrated step by step, and PyAPS on real files."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from algorithms.troposphere import (
    PressureLevels,
    ZenithDelay,
    geometric_height,
    slant_delay,
    zenith_delay,
)
from peps_wps.readers.era5 import AirFile, read_levels
from tests.standard_air import LEVELS, StandardAir

HEIGHTS = np.array([0.0, 55.0, 1000.0, 3000.0, 8000.0])


def over(air, levels=slice(None)):
    """Return the delay over four nodes of the same air."""
    values = air.at_levels()
    latitude = air.latitude + np.array([1e-3, -1e-3])
    return PressureLevels(
        np.array([1.0, 1.25]),
        latitude,
        LEVELS[levels] * 100,
        *(
            np.tile(values[name][levels, np.newaxis, np.newaxis], (1, 2, 2))
            for name in ("geopotential", "temperature", "specific_humidity")
        ),
    )


def at(delay, air, heights):
    where = np.full(heights.shape, 1.1), np.full(heights.shape, air.latitude)
    return delay.at(*where, heights)


@pytest.mark.parametrize("latitude", [-75.0, -20.0, 0.0, 45.0, 70.0])
@pytest.mark.parametrize("humidity", [0.0, 0.018])
def test_delay_is_the_refractivity_summed_up_to_space(latitude, humidity):
    air = StandardAir(latitude, humidity)

    delay = at(zenith_delay(over(air)), air, HEIGHTS)

    # Of 2.6 m: splines between levels 25 hPa apart 0.1 mm, gravity of the column 0.03 mm in 1 m.
    truth = [air.delay(height) for height in HEIGHTS]
    np.testing.assert_allclose(delay, truth, rtol=0.0, atol=2e-4)


def test_below_the_lowest_level_air_goes_on_with_its_humidity():
    air = StandardAir(31.5, 0.012)

    (delay,) = at(zenith_delay(over(air)), air, np.array([-400.0]))

    # 500 m below 1000 hPa there is a fifth more vapour than above: 4 mm of some 170 mm.
    assert delay == pytest.approx(air.delay(-400.0), abs=5e-3)


def test_order_of_levels_does_not_matter():
    air = StandardAir()

    upwards, downwards = (zenith_delay(over(air, slice(None, None, step))) for step in (1, -1))

    np.testing.assert_array_equal(upwards.dry, downwards.dry)
    np.testing.assert_array_equal(upwards.wet, downwards.wet)


def test_heights_above_the_ellipsoid_start_at_the_geoid():
    air = StandardAir()

    above_geoid = zenith_delay(over(air))
    above_ellipsoid = zenith_delay(over(air), np.full((2, 2), 47.0))

    # Tables are linear over 20 m (4e-6), and start 47 m lower in the air.
    np.testing.assert_allclose(
        at(above_ellipsoid, air, HEIGHTS + 47.0), at(above_geoid, air, HEIGHTS), atol=1e-5
    )


def test_delay_is_bilinear_between_nodes():
    wet, dry = np.zeros((476, 2, 2)), np.zeros((476, 2, 2))
    wet[:] = [[1.0, 2.0], [3.0, 5.0]]
    delay = ZenithDelay(np.array([10.0, 10.25]), np.array([45.25, 45.0]), dry, wet)

    middle = delay.at(np.array([10.125, 10.25]), np.array([45.125, 45.0]), np.array([0.0, 10.0]))

    np.testing.assert_allclose(middle, [2.75, 5.0], rtol=1e-6)


def test_there_is_no_delay_outside_the_area_or_without_a_height():
    delay = zenith_delay(over(StandardAir()))
    longitude = np.array([1.1, 0.9, 1.1, 1.1, 1.3])
    height = np.array([np.nan, 0.0, -600.0, 9500.0, 0.0])

    assert np.isnan(delay.at(longitude, np.full(5, 45.0), height)).all()


def test_slanted_paths_are_longer_by_the_cosine():
    zenith = np.array([2.3, np.nan], np.float32)

    delay = slant_delay(zenith, np.radians([60.0, 30.0]).astype(np.float32))

    np.testing.assert_allclose(delay, [4.6, np.nan], rtol=1e-6)


@pytest.mark.parametrize("latitude", [-80.0, 0.0, 45.0])
def test_heights_of_geopotential_are_where_gravity_sums_up_to_it(latitude):
    air = StandardAir(latitude)
    height = np.array([100.0, 5_000.0, 30_000.0])
    potential = np.interp(height, np.arange(-600.0, 80_000.0, 10.0), air.geopotential)

    found = geometric_height(potential, np.radians(latitude))

    # The truth falls as over a sphere of 6371 km: radii differ by 0.6 percent, heights by
    # h^2 / R of that, and gravity on the ground by 1e-6.
    np.testing.assert_array_less(np.abs(found - height), 2e-6 * height + 0.006 * height**2 / 6.4e6)


def test_shapes_that_disagree_are_refused():
    air = over(StandardAir())
    with pytest.raises(ValueError, match=r"temperature has shape \(36, 2, 2\), expected \(37"):
        PressureLevels(
            air.longitude,
            air.latitude,
            air.pressure,
            air.geopotential,
            air.temperature[1:],
            air.specific_humidity,
        )


# PyAPS 0.3.7 on the pixels [::115, ::59] of the folder's rasters, 0.1 mm along the line of sight.
PYAPS_DRY = {
    "20101017": [
        [28014, 29245, 29484, 30106, 30580],
        [28133, 27520, 28230, 29491, 28746],
        [28421, 28623, 27680, 29169, 28402],
        [28815, 28788, 28412, 28608, 28143],
    ],
    "20110117": [
        [28147, 29429, 29650, 30279, 30751],
        [28274, 27585, 28310, 29621, 28788],
        [28581, 28765, 27721, 29275, 28416],
        [28999, 28943, 28510, 28684, 28146],
    ],
}
PYAPS_WET = {
    "20101017": [
        [751, 945, 996, 1151, 1288],
        [798, 629, 685, 849, 704],
        [871, 841, 597, 736, 549],
        [913, 846, 680, 609, 460],
    ],
    "20110117": [
        [375, 393, 343, 341, 344],
        [400, 286, 278, 308, 245],
        [443, 390, 272, 328, 250],
        [483, 425, 370, 348, 282],
    ],
}
# Its running integral of the wet part lacks the zero it starts with, so that every value stands
# one of its 300 heights (-200 m to the top of the model at that date) too low.
PYAPS_STEP = {"20101017": (47_645 + 200) / 299, "20110117": (47_128 + 200) / 299}  # m


@pytest.fixture(scope="module")
def kirishima(reference_data):
    """Return folder, longitude, latitude, height and incidence of ALOS pixels about Kirishima."""
    folder = reference_data / "insar/era5_troposphere_kirishima"
    latitude, longitude, height = (
        np.fromfile(folder / f"{name}.rdr", "<f8").reshape(460, 237)[::115, ::59]
        for name in ("lat", "lon", "hgt")
    )
    angles = np.fromfile(folder / "los.rdr", "<f4").reshape(460, 2, 237)
    return folder, longitude, latitude, height, np.radians(angles[::115, 0, ::59])


@pytest.fixture(scope="module")
def kirishima_delays(kirishima):
    """Return the zenith delay of each date."""
    delays = {}
    for date in PYAPS_DRY:
        time = datetime.strptime(date, "%Y%m%d").replace(hour=14, tzinfo=UTC)
        path: Path = kirishima[0] / f"ERA5/ERA5_N30_N40_E120_E140_{date}_14.grb"
        delays[date] = zenith_delay(read_levels(AirFile(time, path), (130.2, 31.2, 131.3, 32.7)))
    return delays


def part(delay, **parts):
    """Return a delay with another dry or wet part."""
    kept = {"dry": delay.dry, "wet": delay.wet, **parts}
    return ZenithDelay(delay.longitude, delay.latitude, **kept)


def test_dry_delays_between_real_dates_are_those_of_pyaps(kirishima, kirishima_delays):
    _folder, longitude, latitude, height, incidence = kirishima
    ours = {}
    for date, delay in kirishima_delays.items():
        dry = part(delay, wet=np.zeros_like(delay.wet))
        ours[date] = slant_delay(dry.at(longitude, latitude, height), incidence)
        # It divides by 9.81 m/s2 where the column weighs with 9.77, and stops at 47 km.
        excess = ours[date] - np.array(PYAPS_DRY[date]) * 1e-4
        np.testing.assert_allclose(excess, 0.0146, atol=0.002)

    first, second = ours.values()
    theirs = (np.array(PYAPS_DRY["20110117"]) - np.array(PYAPS_DRY["20101017"])) * 1e-4
    # The fall of pressure with height that it interpolates linearly in part: 0.5 mm.
    np.testing.assert_allclose(second - first, theirs, rtol=0.0, atol=6e-4)


@pytest.mark.parametrize("date", list(PYAPS_WET))
def test_wet_delays_of_real_dates_are_those_of_pyaps_one_of_its_heights_up(
    date, kirishima, kirishima_delays
):
    _folder, longitude, latitude, height, incidence = kirishima
    delay = kirishima_delays[date]
    wet = part(delay, dry=np.zeros_like(delay.dry))

    ours = slant_delay(wet.at(longitude, latitude, height + PYAPS_STEP[date]), incidence)

    # Trapezoids of 160 m against splines: 0.35 mm at most over all pixels; tables to 0.05 mm.
    np.testing.assert_allclose(ours, np.array(PYAPS_WET[date]) * 1e-4, rtol=0.0, atol=4e-4)
