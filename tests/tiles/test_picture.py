"""Pictures of tiles, decoded again."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from rio_tiler.io import Reader

from peps_wps.tiles.grid import Box, Tile, tiles_over
from peps_wps.tiles.picture import render
from peps_wps.tiles.pool import RasterPool
from peps_wps.tiles.raster import Raster, Source
from peps_wps.tiles.style import Style
from peps_wps.writers.colour_maps import coloured
from tests.tiles.rasters import write_cog


@pytest.fixture(scope="module")
def pool() -> RasterPool:
    return RasterPool()


@pytest.fixture(scope="module")
def ramp(tmp_path_factory, pool) -> Raster:
    """0 to 1 from west to east; a column of no data."""
    values = np.tile(np.linspace(1e-3, 1, 512, dtype=np.float32), (512, 1))
    values[:, 250:260] = 0
    path = write_cog(tmp_path_factory.mktemp("ramp") / "ramp.tif", values)
    return pool.raster(Source(path))


def _tile_over(raster: Raster, zoom: int) -> Tile:
    x, y = (raster.box.west + raster.box.east) / 2, (raster.box.south + raster.box.north) / 2
    return tiles_over(Box(x, y, x, y), zoom)[0]


def _shown(pool, raster, tile, side=256, form="png", **parameters: str) -> np.ndarray:
    style = Style.of({name: [value] for name, value in parameters.items()})
    content = render(pool, raster, tile, style, side=side, form=form)
    return np.asarray(Image.open(BytesIO(content)).convert("RGBA"))


def test_a_grey_tile_is_that_of_rio_tiler_within_rounding(pool, ramp):
    tile = _tile_over(ramp, 12)

    shown = _shown(pool, ramp, tile, stretch="0,1", resampling="nearest")

    with Reader(str(ramp.identity.source.path)) as reader:
        other = reader.tile(tile.column, tile.row, tile.zoom)
    other.rescale(((0, 1),))
    opaque = (shown[..., 3] == 255) & ~other.array.mask[0]
    assert opaque.mean() > 0.3
    # 255 tones here, 256 there, and the neighbour where rounding twice led to: a tone is 2 columns.
    difference = np.abs(shown[..., 0].astype(int) - other.array.data[0])[opaque]
    assert difference.max() <= 3
    assert np.median(difference) <= 1


def test_no_data_is_transparent_and_nothing_else(pool, ramp):
    tile = _tile_over(ramp, 12)
    shown = _shown(pool, ramp, tile, stretch="0,1", resampling="nearest")

    with Reader(str(ramp.identity.source.path)) as reader:
        other = reader.tile(tile.column, tile.row, tile.zoom)
    # Along edges nearest of nearest may be the other side.
    assert ((shown[..., 3] == 0) == other.array.mask[0]).mean() > 0.99
    assert set(np.unique(shown[..., 3])) == {0, 255}
    assert not shown[shown[..., 3] == 0].any()


@pytest.mark.parametrize("name", ["vegetation", "water", "heat"])
def test_a_colour_map_colours_tones(pool, ramp, name):
    tile = _tile_over(ramp, 13)

    grey = _shown(pool, ramp, tile, stretch="0,1")
    shown = _shown(pool, ramp, tile, stretch="0,1", colour_map=name)

    truth = coloured(grey[..., 0].astype(np.float32) / 255, 0, 1, name).transpose(1, 2, 0)
    opaque = grey[..., 3] == 255
    # Half a tone either way, on slopes of up to 600 levels over the 255 tones.
    assert np.abs(truth[opaque].astype(int) - shown[opaque])[:, :3].max() <= 4
    np.testing.assert_array_equal(shown[..., 3], grey[..., 3])


def test_percentiles_are_of_the_whole_raster_so_that_tiles_agree(pool, ramp):
    tile = _tile_over(ramp, 14)
    beside = Tile(14, tile.column + 1, tile.row)

    left, right = (_shown(pool, ramp, one, percentiles="0,100") for one in (tile, beside))

    # The raster rises to the east: across the seam as anywhere.
    seam = right[:, 0, 0].astype(int) - left[:, -1, 0]
    assert np.abs(seam).max() <= 1


def test_a_picture_keeps_its_colours(pool, tmp_path):
    colours = np.zeros((256, 256, 3), np.uint8)
    colours[:, :] = (200, 100, 50)
    colours[:, :128] = 0
    raster = pool.raster(Source(write_cog(tmp_path / "picture.tif", colours)))

    shown = _shown(pool, raster, _tile_over(raster, 13))

    assert {tuple(colour) for colour in np.unique(shown.reshape(-1, 4), axis=0)} == {
        (0, 0, 0, 0),
        (200, 100, 50, 255),
    }
    mixed = _shown(pool, raster, _tile_over(raster, 13), bands="3,2,1")
    assert (50, 100, 200, 255) in {tuple(one) for one in np.unique(mixed.reshape(-1, 4), axis=0)}


def test_each_band_may_have_a_stretch_of_its_own(pool, tmp_path):
    colours = np.full((256, 256, 3), 100, np.uint8)
    raster = pool.raster(Source(write_cog(tmp_path / "picture.tif", colours)))

    shown = _shown(pool, raster, _tile_over(raster, 14), stretch="0,100,0,200,0,400")

    assert tuple(shown[128, 128]) == (255, 128, 64, 255)


def test_a_raster_without_any_data_is_shown_as_nothing(pool, tmp_path):
    nothing = np.zeros((300, 300), np.float32)
    raster = pool.raster(Source(write_cog(tmp_path / "nothing.tif", nothing)))

    assert not _shown(pool, raster, _tile_over(raster, 13)).any()


def test_a_constant_raster_is_shown(pool, tmp_path):
    raster = pool.raster(
        Source(write_cog(tmp_path / "flat.tif", np.full((300, 300), 4, np.float32)))
    )

    assert (_shown(pool, raster, _tile_over(raster, 13))[..., 3] == 255).any()


@pytest.mark.parametrize("form", ["png", "webp"])
@pytest.mark.parametrize("side", [256, 512])
def test_a_tile_has_its_size_and_format_shown_or_not(pool, ramp, form, side):
    for tile in (_tile_over(ramp, 12), Tile(12, 0, 0)):
        content = render(pool, ramp, tile, Style(), side=side, form=form)
        image = Image.open(BytesIO(content))
        assert (image.format, image.size) == (form.upper(), (side, side))


def test_webp_shows_what_png_shows(pool, ramp):
    tile = _tile_over(ramp, 13)
    png, webp = (_shown(pool, ramp, tile, form=form, stretch="0,1") for form in ("png", "webp"))

    np.testing.assert_array_equal(png[..., 3], webp[..., 3])
    opaque = png[..., 3] == 255
    # Quality 90 loses a few levels, and more beside the edges.
    assert np.abs(png[opaque].astype(int) - webp[opaque]).mean() < 2


def test_the_same_tile_has_the_same_bytes(pool, ramp):
    tile = _tile_over(ramp, 12)
    first, second = (render(pool, ramp, tile, Style(), side=256, form="png") for _ in range(2))
    assert first == second
