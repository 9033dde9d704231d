"""Values on tiles: against the truth on the ground, the file's overviews and rio-tiler."""

import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from rio_tiler.io import Reader

from peps_wps.tiles import grid
from peps_wps.tiles.errors import NotACogError
from peps_wps.tiles.grid import Box, Tile
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Raster, Source
from peps_wps.tiles.sampling import read_tile
from tests.tiles.rasters import TRANSFORM, write_cog

SIDE = 2048  # with overviews of 1024 and 512 pixels, that GDAL stretches nowhere
# 30 m of pixels on the ground from zoom 12 to 13: the last zoom shows each of them.
ZOOMS = range(6, 15)


def _pixels(side: int) -> np.ndarray:
    """A relief that an overview shows too: waves of 400 pixels and more."""
    y, x = np.mgrid[:side, :side] + 0.5
    return (3 + np.sin(x / 64) + np.cos(y / 80)).astype(np.float32)


@pytest.fixture(scope="module")
def pool() -> RasterPool:
    return RasterPool()


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, pool) -> Raster:
    """Speckle: every pixel has a value of its own."""
    values = np.random.default_rng(5).gamma(4.4, 0.02, (SIDE, SIDE)).astype(np.float32)
    values[:, :100] = 0
    path = write_cog(tmp_path_factory.mktemp("noisy") / "noisy.tif", values)
    return pool.raster(Source(path))


@pytest.fixture(scope="module")
def smooth(tmp_path_factory, pool) -> Raster:
    path = write_cog(tmp_path_factory.mktemp("smooth") / "smooth.tif", _pixels(1300))
    return pool.raster(Source(path))


def _tile_over(raster: Raster, zoom: int) -> Tile:
    """The tile over the middle of a raster."""
    box = raster.box
    x, y = (box.west + box.east) / 2, (box.south + box.north) / 2
    return grid.tiles_over(Box(x, y, x, y), zoom)[0]


def _read(pool, raster, tile, method="nearest", side=256) -> np.ndarray:
    return read_tile(pool, raster, tile.box, side=side, bands=[1], method=method)[0]


def _positions(raster: Raster, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the full resolution under the centres of a tile, each one computed."""
    pixel = grid.resolution(tile.zoom)
    x = tile.box.west + pixel * (np.arange(256) + 0.5)
    y = tile.box.north - pixel * (np.arange(256) + 0.5)
    to_utm = pyproj.Transformer.from_crs(3857, raster.crs, always_xy=True)
    columns, rows = ~raster.transform @ to_utm.transform(*np.meshgrid(x, y))
    return rows, columns


# A pixel of the tile is 0.68 of the raster's at zoom 13, 1.4 at 12, 2.7 at 11, 5.5 at 10.
@pytest.mark.parametrize(
    ("zoom", "overview"), [(15, None), (13, None), (12, None), (11, 0), (10, 1)]
)
def test_pixels_are_those_of_the_right_overview(pool, noisy, zoom, overview):
    tile = _tile_over(noisy, zoom)
    factor = 1 if overview is None else 2 ** (overview + 1)
    options = {} if overview is None else {"overview_level": overview}
    with rasterio.open(noisy.identity.source.path, **options) as dataset:
        stored = dataset.read(1)

    values = _read(pool, noisy, tile)

    rows, columns = _positions(noisy, tile)
    inside = (rows >= 0) & (columns >= 0) & (rows < SIDE) & (columns < SIDE)
    indices = (np.where(inside, rows, 0) // factor, np.where(inside, columns, 0) // factor)
    truth = np.where(inside, stored[indices[0].astype(int), indices[1].astype(int)], 0)
    same = np.nan_to_num(values) == truth
    # Positions are off by 16**2 / 8 / 6.4e6 m of the squared size of a tile's pixel: by 0.0015 of
    # it at zoom 10, and as many centres fall to the other side of an edge of a pixel.
    assert same.mean() > 0.99


@pytest.mark.parametrize("zoom", [10, 11, 12, 13, 14])
def test_pixels_are_those_of_rio_tiler(pool, noisy, zoom):
    tile = _tile_over(noisy, zoom)

    values = _read(pool, noisy, tile)

    with Reader(str(noisy.identity.source.path)) as reader:
        other = reader.tile(tile.column, tile.row, zoom).array[0].filled(np.nan)
    both = np.isfinite(values) & np.isfinite(other)
    assert both.mean() > 0.3
    # It takes the nearest pixel twice, by way of a raster in the plane at the file's resolution.
    assert np.median(np.abs(values - other)[both]) == 0
    assert (values == other)[both].mean() > 0.5


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
@pytest.mark.parametrize("zoom", ZOOMS)
def test_every_zoom_shows_what_is_on_the_ground(pool, smooth, zoom, method):
    tile = _tile_over(smooth, zoom)

    values = _read(pool, smooth, tile, method)

    rows, columns = _positions(smooth, tile)
    inside = (rows > 0) & (columns > 0) & (rows < 1300) & (columns < 1300)
    np.testing.assert_array_equal(np.isfinite(values), inside)
    truth = 3 + np.sin(columns / 64) + np.cos(rows / 80)
    # The slope is at most 1/50 a pixel; what is read has pixels of at most 1.2 of the tile's, up
    # to half of which nearest is off along each axis; means flatten by 1/24 of their squared size
    # times the curvature of 1/64**2 + 1/80**2.
    read = max(1.0, 1.2 * grid.resolution(zoom) * math.cos(math.radians(44.2)) / 20)
    tolerance = read / 2 * (1 / 64 + 1 / 80) + read**2 / 8 * (1 / 64**2 + 1 / 80**2) + 1e-3
    assert np.abs(values - truth)[inside].max() < tolerance


def test_an_overview_is_as_long_as_the_pixels_that_it_averages(pool, tmp_path):
    """A raster of 1026 pixels has overviews of 513 and 257, whose last pixel is half outside."""
    values = np.ones((1026, 1026), np.float32)
    values[:, 800:] = 5
    raster = pool.raster(Source(write_cog(tmp_path / "edge.tif", values)))
    tile = _tile_over(raster, 10)

    found = _read(pool, raster, tile)

    rows, columns = _positions(raster, tile)
    inside = (rows >= 0) & (columns >= 0) & (rows < 1026) & (columns < 1026)
    np.testing.assert_array_equal(np.isfinite(found), inside)
    # 800 is a border of the overview of 4 too: stretched from 1028 to 1026 it were 1.6 pixels off.
    np.testing.assert_array_equal(found[inside] == 5, columns[inside] >= 800)


def test_a_zoom_far_below_the_overviews_shows_means(pool, noisy):
    values = _read(pool, noisy, Tile(4, 8, 5))

    shown = values[np.isfinite(values)]
    # gamma(4.4, 0.02): 0.088; some 100,000 pixels in each of the tile's, of relative spread 0.48.
    assert 10 < len(shown) < 40
    np.testing.assert_allclose(shown, 0.088, rtol=0.01)


def test_a_tile_beside_the_raster_is_empty(pool, noisy):
    assert np.isnan(_read(pool, noisy, Tile(12, 0, 0))).all()


def test_two_tiles_of_512_pixels_are_eight_of_256(pool, noisy):
    """A tile at twice the pixels is the four tiles of the next zoom side by side."""
    tile = _tile_over(noisy, 11)
    finer = [
        [Tile(12, 2 * tile.column + column, 2 * tile.row + row) for column in (0, 1)]
        for row in (0, 1)
    ]

    values = _read(pool, noisy, tile, side=512)

    parts = np.block([[_read(pool, noisy, part) for part in line] for line in finer])
    same = (values == parts) | (np.isnan(values) & np.isnan(parts))
    assert same.mean() > 0.999  # as above


@pytest.mark.parametrize("epsg", [32601, 32660])
def test_a_raster_across_the_antimeridian_is_whole(pool, tmp_path, epsg):
    """It lies on both sides of the plane, and nowhere between."""
    easting = 326_000 if epsg == 32601 else 674_000
    transform = Affine(100, 0, easting - 51_200, 0, -100, 6_551_200)
    path = write_cog(
        tmp_path / "date_line.tif",
        np.ones((1024, 1024), np.float32),
        epsg=epsg,
        transform=transform,
    )
    raster = pool.raster(Source(path))

    zoom, counted = 9, {}
    first, last = grid.tiles_over(raster.box, zoom)
    rows = range(first.row, last.row + 1)
    for column in (0, 1, 2, 100, 256, 400, 509, 510, 511):
        tiles = [_read(pool, raster, Tile(zoom, column, row)) for row in rows]
        counted[column] = sum(int(np.isfinite(values).sum()) for values in tiles)

    assert counted[100] == counted[256] == counted[400] == 0
    east, west = sum(counted[k] for k in (0, 1, 2)), sum(counted[k] for k in (509, 510, 511))
    area = (grid.resolution(zoom) * math.cos(math.radians(58.6))) ** 2
    # 102.4 km squared on the ground; the scale changes by 2 % over the raster.
    assert (east + west) * area == pytest.approx(102_400**2, rel=0.03)
    assert min(east, west) * area > 0.3 * 102_400**2


def test_scale_offset_and_no_data_are_those_of_the_file(pool, tmp_path):
    stored = np.full((64, 64), 300, np.uint16)
    stored[:32] = 0
    path = write_cog(tmp_path / "stored.tif", stored, scale=0.01, offset=-1.0)
    raster = pool.raster(Source(path))

    values = _read(pool, raster, _tile_over(raster, 15))

    assert np.isnan(values).any()
    np.testing.assert_allclose(values[np.isfinite(values)], 2.0, rtol=1e-6)


def test_classes_are_never_mixed(pool, tmp_path):
    classes = np.random.default_rng(2).choice(np.array([2, 200], np.uint8), (1024, 1024))
    path = write_cog(tmp_path / "classes.tif", classes, nodata=None, overview="nearest")
    raster = pool.raster(Source(path))

    for zoom in (5, 9, 12, 14):
        values = _read(pool, raster, _tile_over(raster, zoom))
        assert set(np.unique(values[np.isfinite(values)])) <= {2.0, 200.0}


def _striped(path: Path) -> None:
    values = np.ones((3000, 3000), np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=3000, height=3000, count=1, dtype="float32",
        crs="EPSG:32631", transform=TRANSFORM, tiled=True, blockxsize=256, blockysize=256,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


def test_a_large_file_without_overviews_is_refused(pool, tmp_path):
    _striped(tmp_path / "flat.tif")

    with pytest.raises(NotACogError, match=r"flat\.tif cannot .* blocks and overviews"):
        pool.raster(Source(tmp_path / "flat.tif"))


@pytest.mark.parametrize(
    "content",
    [b"", b"no raster", b"II*\0" + b"\xff" * 64, b"<VRTDataset/>", bytes(range(256)) * 2],
    ids=["empty", "text", "damaged", "xml", "bytes"],
)
def test_what_is_no_geotiff_is_refused(pool, tmp_path, content):
    path = tmp_path / "other.tif"
    path.write_bytes(content)

    with pytest.raises(NotACogError, match="it is no GeoTIFF"):
        pool.raster(Source(path))
