"""Heights are those of the tiles plus the geoid, at the right place, whatever the tiles are."""

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from numpy.typing import NDArray

from peps_wps.errors import DemError
from peps_wps.readers.dem import Dem
from tests.readers.dem_planes import SECOND, Write, assert_is_plane, centres, ellipsoidal


def test_tiles_of_a_folder_make_one_surface(write: Write, tmp_path: Path) -> None:
    for name, west, north in [
        ("N44E003", 3, 45),
        ("N44E004", 4, 45),
        ("N43E003", 3, 44),
        ("N43E004", 4, 44),
    ]:
        write(f"sub/{name}.tif", west=west, north=north)
    window = ellipsoidal(tmp_path).heights((3.7, 43.6, 4.4, 44.5))
    assert window.missing == 0
    assert_is_plane(window)
    west, north = window.transform.c, window.transform.f
    assert west <= 3.69
    assert north >= 44.51


def test_tiles_that_share_their_border_postings_make_one_surface(
    write: Write, tmp_path: Path
) -> None:
    # As SRTM's: postings on whole degrees, repeated in both tiles.
    half = 15 * SECOND
    for name, west in [("N44E003", 3), ("N44E004", 4)]:
        write(f"{name}.tif", west=west - half, north=45 + half, shape=(121, 121))
    window = ellipsoidal(tmp_path).heights((3.9, 44.2, 4.1, 44.8))
    assert_is_plane(window)


def test_a_tile_of_coarser_longitude_is_interpolated(write: Write, tmp_path: Path) -> None:
    # Copernicus tiles widen their longitude steps at 50 degrees.
    write("N49E003.tif", west=3, north=50)
    write("N50E003.tif", west=3, north=51, step=(60 * SECOND, 30 * SECOND), shape=(120, 60))
    window = ellipsoidal(tmp_path).heights((3.2, 49.8, 3.8, 50.2), margin=0)
    assert window.missing == 0
    # On the line between the tiles half a posting is taken from the nearest: 3 * 15 seconds.
    assert_is_plane(window, tolerance=3 * 16 * SECOND)


def test_the_finer_tile_wins(write: Write, tmp_path: Path) -> None:
    write("a_world.tif", west=0, north=50, step=(0.1, 0.1), shape=(100, 100), height=9.0)
    write("z_detail.tif", west=3, north=45)
    window = ellipsoidal(tmp_path).heights((3.5, 44.2, 3.8, 44.8))
    assert_is_plane(window)


def test_a_projected_tile_comes_out_in_degrees(write: Write, tmp_path: Path) -> None:
    # A constant height: what a warp must not change anywhere inside.
    path = write(
        "utm.tif",
        west=500_000,
        north=5_000_000,
        step=(100, 100),
        shape=(500, 500),
        crs="EPSG:32631",
        height=77.0,
    )
    window = ellipsoidal(path).heights((3.1, 44.8, 3.5, 45.0))
    assert window.missing == 0
    np.testing.assert_allclose(window.height, 77.0, atol=1e-4)


def test_a_window_crosses_the_antimeridian(write: Write, tmp_path: Path) -> None:
    write("N10E179.tif", west=179, north=11)
    write("N10W180.tif", west=-180, north=11, height=42.0)
    for bounds in [(179.5, 10.2, -179.5, 10.8), (179.5, 10.2, 180.5, 10.8)]:
        window = ellipsoidal(tmp_path).heights(bounds)
        assert window.missing == 0
        longitude, latitude = centres(window.transform, window.height.shape)
        assert longitude.max() > 180.5
        east = longitude > 180
        np.testing.assert_array_equal(window.height[east], 42.0)
        expected = (100 + 7 * longitude + 3 * latitude)[~east]
        np.testing.assert_allclose(window.height[~east], expected, atol=1e-3)


def test_a_vrt_is_read(write: Write, tmp_path: Path) -> None:
    tile = write("tile.tif", west=3, north=45)
    vrt = tmp_path / "dem.vrt"
    vrt.write_text(
        '<VRTDataset rasterXSize="120" rasterYSize="120"><SRS>EPSG:4326</SRS>'
        f"<GeoTransform>3, {30 * SECOND}, 0, 45, 0, {-30 * SECOND}</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
        f"<SourceFilename>{tile}</SourceFilename><SourceBand>1</SourceBand>"
        '<SrcRect xOff="0" yOff="0" xSize="120" ySize="120"/>'
        '<DstRect xOff="0" yOff="0" xSize="120" ySize="120"/>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    assert_is_plane(ellipsoidal(vrt).heights((3.3, 44.2, 3.6, 44.8)))


@pytest.mark.parametrize("nodata", [-32768, None])
def test_voids_are_sea_level_or_an_error(
    write: Write, tmp_path: Path, reference_data: Path, nodata: float | None
) -> None:
    write("N44E003.tif", west=3, north=45, void=(slice(0, 60), slice(None)), nodata=nodata)
    geoid = reference_data / "s1" / "geoid" / "egm96_15.gtx"
    bounds = (3.2, 44.2, 3.8, 44.8)

    window = Dem.open(tmp_path, vertical_datum="EGM96", geoid_path=geoid).heights(bounds, margin=0)

    longitude, latitude = centres(window.transform, window.height.shape)
    sea = latitude > 44.5
    assert window.missing == pytest.approx(sea.mean())
    np.testing.assert_allclose(
        window.height[sea], undulation(geoid, longitude[sea], latitude[sea]), atol=1e-3
    )
    assert "percent of the heights missing, taken as sea level on EGM96" in window.datum
    with pytest.raises(DemError, match=r"percent of the heights missing for longitude 3\.19 to"):
        Dem.open(tmp_path, vertical_datum="ellipsoid", sea="error").heights(bounds)


def undulation(
    grid: Path, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The independent word: PROJ."""
    pipeline = pyproj.Transformer.from_pipeline(
        f"+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=vgridshift +grids={grid} +multiplier=1"
    )
    return np.asarray(pipeline.transform(longitude, latitude, np.zeros(longitude.shape))[2])


@pytest.mark.parametrize(
    ("west", "south"), [(3, 44), (-72, -34), (179, 10), (-180, -17), (0, 0), (-1, 88)]
)
def test_the_geoid_is_that_of_proj(
    write: Write, tmp_path: Path, reference_data: Path, west: int, south: int
) -> None:
    grid = reference_data / "s1" / "geoid" / "egm96_15.gtx"
    path = write("flat.tif", west=west, north=south + 1, height=0.0)
    window = Dem.open(path, vertical_datum="EGM96", geoid_path=grid).heights(
        (west + 0.1, south + 0.1, west + 0.9, south + 0.9)
    )
    expected = undulation(grid, *centres(window.transform, window.height.shape))
    np.testing.assert_allclose(window.height, expected, atol=1e-3)
    assert window.datum == (
        "heights above EGM96 by the configuration, made ellipsoidal with egm96_15.gtx"
    )


def test_the_datum_is_the_files_own_before_the_configuration(
    write: Write, reference_data: Path
) -> None:
    rome = reference_data / "s1" / "dem" / "Rome-30m-DEM.tif"
    geoid = reference_data / "s1" / "geoid"
    bounds = (12.48, 41.98, 12.52, 42.02)
    window = Dem.open(rome, vertical_datum="ellipsoid", geoid_path=geoid).heights(bounds, margin=0)
    assert window.datum.startswith("heights above EGM96 by the vertical reference of the file")

    with rasterio.open(rome) as dataset:
        longitude, latitude = centres(window.transform, window.height.shape)
        points = np.stack([longitude.ravel(), latitude.ravel()], axis=1)
        expected = np.fromiter((v[0] for v in dataset.sample(points)), float)
    expected += undulation(geoid / "egm96_15.gtx", longitude.ravel(), latitude.ravel())
    np.testing.assert_allclose(window.height.ravel(), expected, atol=1e-2)


def test_a_file_with_ellipsoidal_heights_needs_no_geoid(write: Write, tmp_path: Path) -> None:
    path = write("three_axes.tif", west=3, north=45, crs="EPSG:4979")
    window = Dem.open(path, vertical_datum="EGM96").heights((3.3, 44.2, 3.6, 44.8))
    assert_is_plane(window)
    assert window.datum == "heights above the ellipsoid by the vertical reference of the file"


def test_a_vertical_datum_that_is_not_supported_is_refused(write: Write) -> None:
    path = write("ngf.tif", west=3, north=45, crs="EPSG:4326+5720")
    with pytest.raises(DemError, match="EGM96, EGM2008 or ellipsoid expected"):
        Dem.open(path).heights((3.3, 44.2, 3.6, 44.8))


def test_a_copernicus_tile_is_above_egm2008_and_may_fall_back(reference_data: Path) -> None:
    folder = reference_data / "s1" / "dem"
    geoid = reference_data / "s1" / "geoid"
    bounds = (6.4, 0.1, 6.6, 0.3)
    dem = Dem.open(folder, geoid_path=geoid, geoid_fallback="EGM96")
    window = dem.heights(bounds, margin=0)
    assert "EGM2008 by the file name Copernicus_DSM" in window.datum
    assert "of EGM96 as geoid_fallback allows" in window.datum
    longitude, latitude = centres(window.transform, window.height.shape)
    with rasterio.open(folder / "Copernicus_DSM_COG_10_N00_00_E006_00_DEM.tif") as dataset:
        row, column = dataset.index(longitude[0, 0], latitude[0, 0])
        rows, columns = window.height.shape
        raw = dataset.read(1)[row : row + rows, column : column + columns]
    expected = raw + undulation(geoid / "egm96_15.gtx", longitude, latitude)
    np.testing.assert_allclose(window.height, expected, atol=1e-2)


def test_without_a_geoid_the_way_to_get_one_is_said(
    reference_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peps_wps.readers.geoid._SYSTEM_FOLDERS", ())
    dem = Dem.open(reference_data / "s1" / "dem" / "Rome-30m-DEM.tif")
    bounds = (12.48, 41.98, 12.52, 42.02)
    for act in (lambda: dem.check({"tile": bounds}), lambda: dem.heights(bounds)):
        with pytest.raises(DemError, match="apt-get install proj-data, or set geoid_path"):
            act()


def test_gaps_of_ellipsoidal_heights_need_no_geoid(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peps_wps.readers.geoid._SYSTEM_FOLDERS", ())
    write("N44E003.tif", west=3, north=45)
    window = ellipsoidal(tmp_path).heights((3.5, 44.2, 4.5, 44.8), margin=0)
    assert window.missing == pytest.approx(0.5, abs=0.01)
    longitude, _ = centres(window.transform, window.height.shape)
    assert (window.height[longitude > 4] == 0).all()
    assert window.datum.endswith("taken as sea level on the ellipsoid, no geoid found")


def test_gaps_where_no_height_is_needed_are_no_gaps(write: Write, tmp_path: Path) -> None:
    write("N44E003.tif", west=3, north=45)
    dem = Dem.open(tmp_path, vertical_datum="ellipsoid", sea="error")
    bounds = (3.5, 44.2, 4.5, 44.8)

    window = dem.heights(bounds, margin=0, needed=shapely.box(3.5, 44.2, 3.9, 44.8))
    assert window.missing == 0
    assert "missing" not in window.datum
    assert np.isfinite(window.height).all()

    with pytest.raises(DemError, match="percent of the heights missing"):
        dem.heights(bounds, margin=0, needed=shapely.box(3.5, 44.2, 4.1, 44.8))


def test_a_broken_tile_is_named(write: Write, tmp_path: Path) -> None:
    (tmp_path / "N44E003.tif").write_text("nothing")
    with pytest.raises(DemError, match=r"the DEM N44E003\.tif cannot be opened"):
        ellipsoidal(tmp_path).heights((3.3, 44.2, 3.6, 44.8))


def test_bounds_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are not west, south, east, north"):
        ellipsoidal(tmp_path).heights((3, 45, 4, 44))


def test_an_srtm_file_is_read_by_its_name(tmp_path: Path) -> None:
    # 1201 postings on the degree lines, big endian, north first: the format has no header.
    rows = np.arange(1201)
    height = (rows[::-1, None] + rows[None, :] // 2).astype(">i2")
    (tmp_path / "S01W001.hgt").write_bytes(height.tobytes())
    window = ellipsoidal(tmp_path).heights((-0.7, -0.6, -0.3, -0.2), margin=0)
    longitude, latitude = centres(window.transform, window.height.shape)
    expected = np.rint((latitude + 1) * 1200) + np.rint((longitude + 1) * 1200) // 2
    np.testing.assert_array_equal(window.height, expected)
