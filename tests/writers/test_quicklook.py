"""Pictures show relief, leave no data transparent and lie where their tiles do."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from peps_wps.writers.mosaic import mosaic_of_files, read_reduced
from peps_wps.writers.quicklook import render, write_quicklook


@pytest.fixture
def ramp() -> np.ndarray:
    """Power from -20 to -5 dB along the rows, the first ten rows no data."""
    decibels = np.tile(np.linspace(-20, -5, 100, dtype=np.float32), (50, 1))
    power = np.float32(10) ** (decibels / 10)
    power[:10] = np.nan
    return power


def test_no_data_is_transparent_and_everything_else_is_not(ramp: np.ndarray) -> None:
    image = render({"VV": ramp})
    assert image.shape == (4, 50, 100)
    assert not image[:, :10].any()
    assert (image[3, 10:] == 255).all()
    assert (image[:3, 10:] > 0).all()


def test_one_polarization_is_grey_and_uses_the_whole_scale(ramp: np.ndarray) -> None:
    red, green, blue, _ = render({"HH": ramp})
    np.testing.assert_array_equal(red, green)
    np.testing.assert_array_equal(red, blue)
    assert red[20].min() <= 2
    assert red[20].max() >= 254
    assert (np.diff(red[20].astype(int)) >= 0).all()


def test_two_polarizations_and_their_ratio_are_colours(ramp: np.ndarray) -> None:
    reverse = ramp[:, ::-1]
    red, green, blue, _ = render({"VH": reverse, "VV": ramp})
    assert red[20, -1] > red[20, 0]
    assert green[20, -1] < green[20, 0]
    assert blue[20, -1] > blue[20, 0]


def test_a_pixel_needs_both_polarizations(ramp: np.ndarray) -> None:
    hole = ramp.copy()
    hole[30, 30] = np.nan
    assert render({"VV": ramp, "VH": hole})[3, 30, 30] == 0


def test_a_flat_scene_is_not_stretched_into_noise(rng: np.random.Generator) -> None:
    flat = (0.1 * 10 ** (rng.normal(0, 0.01, (50, 50)) / 10)).astype(np.float32)
    assert np.ptp(render({"VV": flat})[0].astype(int)) < 10


def test_an_empty_scene_is_transparent() -> None:
    assert not render({"VV": np.full((5, 5), np.nan, np.float32)}).any()


def test_the_png_holds_the_picture_and_stands_alone(tmp_path: Path, ramp: np.ndarray) -> None:
    path = tmp_path / "quicklook.png"
    write_quicklook(path, {"VV": ramp, "VH": ramp / 4})
    assert [file.name for file in tmp_path.iterdir()] == ["quicklook.png"]
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), render({"VV": ramp, "VH": ramp / 4}))


def test_edges_without_data_can_be_cut(tmp_path: Path, ramp: np.ndarray) -> None:
    path = tmp_path / "quicklook.png"
    ramp[:, 95:] = np.nan
    ramp[20] = np.nan  # not at the edge
    write_quicklook(path, {"VV": ramp}, crop=True)
    with rasterio.open(path) as dataset:
        assert dataset.shape == (40, 95)


@pytest.mark.parametrize(
    ("quantity", "values", "nodata", "scale"),
    [
        ("linear power", 0.25, 0.0, 1.0),
        ("decibels", 10 * np.log10(0.25), np.nan, 1.0),
        ("amplitude", 5000, 0, 1e-4),
    ],
)
def test_every_format_is_read_as_linear_power(
    tmp_path: Path, quantity: str, values: float, nodata: float, scale: float
) -> None:
    path = tmp_path / "tile.tif"
    dtype = "uint16" if quantity == "amplitude" else "float32"
    stored = np.full((300, 200), values, dtype)
    stored[:100] = nodata
    transform = Affine(10, 0, 500_000, 0, -10, 5_000_000)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=300,
        width=200,
        count=1,
        dtype=dtype,
        nodata=nodata,
        crs="EPSG:32631",
        transform=transform,
    ) as dataset:
        dataset.write(stored, 1)
        dataset.scales = (scale,)

    image = read_reduced(path, quantity=quantity, side=30)

    assert image.power.shape == (30, 20)
    assert np.isnan(image.power[:10]).all()
    np.testing.assert_allclose(image.power[10:], 0.25, rtol=1e-6)
    assert image.transform == Affine(100, 0, 500_000, 0, -100, 5_000_000)


def _tile(path: Path, power: float, side: int, transform: Affine, epsg: int = 32631) -> Path:
    """Write a tile of one value."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=side,
        width=side,
        count=1,
        dtype="float32",
        nodata=0,
        crs=f"EPSG:{epsg}",
        transform=transform,
    ) as dataset:
        dataset.write(np.full((1, side, side), power, np.float32))
    return path


def test_a_mosaic_puts_tiles_where_they_lie(tmp_path: Path) -> None:
    left = _tile(tmp_path / "left.tif", 1.0, 100, Affine(100, 0, 0, 0, -100, 1e4))
    right = _tile(tmp_path / "right.tif", 4.0, 100, Affine(100, 0, 1e4, 0, -100, 1e4))
    whole = mosaic_of_files([left, right], quantity="linear power", side=100)
    assert whole.power.shape == (50, 100)
    np.testing.assert_array_equal(whole.power[:, :50], 1.0)
    np.testing.assert_array_equal(whole.power[:, 50:], 4.0)
    assert whole.bounds == (0, 0, 2e4, 1e4)


def test_a_mosaic_of_many_files_needs_the_memory_of_one(tmp_path: Path) -> None:
    # 36 tiles of a sixth of the picture: each holds its number.
    paths = []
    for number in range(36):
        column, row = number % 6, number // 6
        place = Affine(10, 0, 300_000 + 4000 * column, 0, -10, 5_000_000 - 4000 * row)
        paths.append(_tile(tmp_path / f"{number}.tif", 1 + number, 400, place))
    tracemalloc.start()
    whole = mosaic_of_files(paths, quantity="linear power", side=600)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    expected = 1 + np.arange(36, dtype=np.float32).reshape(6, 6).repeat(100, 0).repeat(100, 1)
    np.testing.assert_array_equal(whole.power, expected)
    # The picture is 1.4 MB; a tile read at twice its size in it is 0.2 MB.
    assert peak < 4e6


def test_a_mosaic_projects_tiles_of_another_zone(tmp_path: Path) -> None:
    # 31TGL and 32TLR lie side by side across 6 degrees east.
    east_edge = Affine(1000, 0, 699_960, 0, -1000, 5_100_000)
    west_edge = Affine(1000, 0, 300_000, 0, -1000, 5_100_000)
    one = _tile(tmp_path / "one.tif", 2.0, 110, east_edge)
    other = _tile(tmp_path / "other.tif", 3.0, 110, west_edge, epsg=32632)
    whole = mosaic_of_files([one, other], quantity="linear power", side=200)
    assert whole.epsg == 32631
    found = np.unique(whole.power[np.isfinite(whole.power)])
    np.testing.assert_array_equal(found, [2.0, 3.0])
    first = np.isfinite(whole.power) & (whole.power == 2.0)
    # The first tile is whole: its 109.8 km squared at the mosaic's pixel size.
    assert first.sum() * whole.transform.a**2 == pytest.approx(110_000**2, rel=0.02)


def test_a_real_image_shows_land_sea_and_relief(reference_data: Path, tmp_path: Path) -> None:
    """Real pixels of an IW product on a coast, decimated: sea at the right, land elsewhere."""
    (folder,) = (reference_data / "s1" / "pixels").glob("S1A_IW_GRDH_*_decimated20")
    power = {}
    for name in ("VV", "VH"):
        with rasterio.open(folder / f"iw-{name.lower()}.tiff") as dataset:
            numbers = dataset.read(1).astype(np.float32)
        power[name] = np.where(numbers > 0, numbers**2, np.float32(np.nan))

    red, green, blue, opacity = render(power).astype(int)

    valid = opacity == 255
    np.testing.assert_array_equal(valid, np.isfinite(power["VV"]) & np.isfinite(power["VH"]))
    sea, land = np.s_[700:800, 1050:1200], np.s_[300:400, 500:600]
    # Cross-polarised backscatter (green) tells land from sea; their ratio (blue) is high at sea.
    assert green[land].mean() > green[sea].mean() + 60
    assert blue[sea].mean() > blue[land].mean() + 60
    # Mountains keep relief: shaded and lit slopes differ by tens of levels.
    assert red[land].std() > 15
