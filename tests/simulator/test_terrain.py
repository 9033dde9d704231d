import numpy as np
import pytest
import rasterio

from simulator.dem import write_dem
from simulator.terrain import ROLLING_HILLS, STEEP_RIDGES, Terrain

TOULOUSE = np.radians((1.4, 43.6))


def relief(rng, spectrum=ROLLING_HILLS, place=TOULOUSE):
    return Terrain.random(spectrum, *place, rng)


def test_height_is_the_sum_of_the_waves(rng):
    terrain = relief(rng)
    longitude = terrain.longitude + rng.uniform(-0.02, 0.02, (30, 20))
    latitude = terrain.latitude + rng.uniform(-0.02, 0.02, (30, 20))
    east, north = terrain.plane(longitude, latitude)

    expected = np.full(east.shape, terrain.base)
    for amplitude, along_east, along_north, phase in terrain.waves:
        expected += amplitude * np.sin(along_east * east + along_north * north + phase)

    np.testing.assert_allclose(terrain.height(longitude, latitude), expected, atol=1e-9)


def test_the_plane_is_continuous_across_the_antimeridian(rng):
    terrain = relief(rng, place=np.radians((179.99, -17.0)))
    longitude = np.radians(np.array([179.999999, -179.999999]))

    east, _ = terrain.plane(longitude, np.full(2, terrain.latitude))

    assert 0 < np.diff(east)[0] < 1.0  # metres


@pytest.mark.parametrize(("spectrum", "slope_deg"), [(ROLLING_HILLS, 17), (STEEP_RIDGES, 50)])
def test_heights_and_slopes_stay_within_their_bounds(rng, spectrum, slope_deg):
    terrain = relief(rng, spectrum)
    east, north = np.meshgrid(np.linspace(-2e4, 2e4, 500), np.linspace(-2e4, 2e4, 500))
    height = terrain.height(*terrain.geographic(east, north))
    step = east[0, 1] - east[0, 0]
    slope = np.arctan(np.hypot(*np.gradient(height, step)))
    low, high = terrain.height_range

    assert low <= height.min() < height.max() <= high
    assert slope.max() <= terrain.steepest_slope <= np.radians(slope_deg)


def test_steep_ridges_have_slopes_beyond_thirty_degrees(rng):
    terrain = relief(rng, STEEP_RIDGES)
    east, north = np.meshgrid(np.linspace(-6e3, 6e3, 600), np.linspace(-6e3, 6e3, 600))
    height = terrain.height(*terrain.geographic(east, north))
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(height, east[0, 1] - east[0, 0]))))

    assert (slope > 30).mean() > 0.1


def test_dem_posts_hold_the_height_of_the_relief(rng, tmp_path):
    terrain = relief(rng)
    paths = write_dem(tmp_path, terrain, (0.95, 43.95, 1.05, 44.05))

    assert sorted(path.name for path in paths) == [
        f"Simulated_DEM_N{latitude}_00_E00{longitude}_00.tif"
        for latitude in (43, 44)
        for longitude in (0, 1)
    ]
    for path in paths:
        with rasterio.open(path) as dataset:
            assert dataset.crs.to_epsg() == 4979
            rows, columns = np.indices(dataset.shape)
            longitude, latitude = dataset.transform @ (columns + 0.5, rows + 0.5)
            seconds = np.stack((longitude, latitude)) * 3600
            assert np.abs(seconds - np.rint(seconds)).max() < 1e-6  # posts on arc seconds
            truth = terrain.height(np.radians(longitude), np.radians(latitude))
            assert np.abs(dataset.read(1) - truth).max() < 1e-4  # float32 of 1 km


def test_dem_beyond_the_antimeridian_is_written_under_western_longitudes(rng, tmp_path):
    terrain = relief(rng, place=np.radians((179.99, -17.5)))

    paths = write_dem(tmp_path, terrain, (179.97, -17.52, 180.02, -17.48))

    assert [path.name for path in paths] == [
        "Simulated_DEM_S18_00_E179_00.tif",
        "Simulated_DEM_S18_00_W180_00.tif",
    ]
    with rasterio.open(paths[1]) as dataset:
        assert dataset.bounds.left == pytest.approx(-180.0, abs=1e-3)


def test_orthometric_dem_differs_by_the_undulation_of_the_geoid(rng, tmp_path, reference_data):
    terrain, bounds = relief(rng), (1.39, 43.59, 1.41, 43.61)
    grid = reference_data / "s1" / "geoid" / "egm96_15.gtx"
    (ellipsoidal,) = write_dem(tmp_path / "a", terrain, bounds)
    (orthometric,) = write_dem(tmp_path / "b", terrain, bounds, datum="EGM96", geoid=grid)

    with rasterio.open(ellipsoidal) as first, rasterio.open(orthometric) as second:
        undulation = first.read(1) - second.read(1)
        assert "EGM96" in second.crs.to_wkt()
    # EGM96 is 49.6 m above the ellipsoid at Toulouse (its published interpolator).
    assert undulation.mean() == pytest.approx(49.6, abs=0.5)


def test_an_orthometric_dem_without_geoid_is_refused(rng, tmp_path):
    with pytest.raises(ValueError, match="EGM96"):
        write_dem(tmp_path, relief(rng), (1.39, 43.59, 1.41, 43.61), datum="EGM96")
