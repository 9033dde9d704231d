"""Steep relief against cast rays: layover, shadow, and backscatter freed from slopes.

The scene is ground of one gamma0. Its image comes from rays that meet the relief, not from area
projection or facet normals; without speckle a mean of a few hundred pixels tells.
"""

from typing import NamedTuple

import numpy as np
import pytest
from pyproj import Transformer
from scipy.ndimage import binary_dilation

from algorithms import mgrs
from simulator.terrain import STEEP_RIDGES
from tests.chains.simulated_pass import DRILLS, simulate_pass

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("relief")]

SIZE = {"lines": 2000, "samples": 2500} if DRILLS else {"lines": 260, "samples": 640}
LEAST_PIXELS = 10_000 if DRILLS else 100
GAMMA0 = 0.12  # of the simulated ground, VV
EDGE = 30  # pixels of the image whose surroundings are not all in it


class Steep(NamedTuple):
    """A computed pass and its truth on the map, of the shape of its window."""

    simulated: object
    slope: np.ndarray
    aspect: np.ndarray
    layover: np.ndarray
    shadow: np.ndarray
    sure: np.ndarray


@pytest.fixture(scope="module")
def steep(tmp_path_factory):
    """Slopes of up to 60 degrees, which fold and hide each other."""
    simulated = simulate_pass(
        tmp_path_factory.mktemp("steep"),
        **SIZE,
        spectrum=STEEP_RIDGES,
        relief=2.6,
        base_height=2300.0,
        range_position=0.5,
        polarizations=("VV",),
        speckle=False,
        ray_cast=True,
    )
    tile = simulated.tile(**RTC)
    slope, aspect = _slopes(simulated, tile)
    return Steep(simulated, slope, aspect, *_rays(simulated, tile))


RTC = {"calibration": "gamma0_rtc", "masks": "true"}


def _places(tile):
    """Longitude and latitude of the pixels of the window, radians."""
    epsg = mgrs.tile(tile.body["tile"]).epsg
    to_geographic = Transformer.from_crs(epsg, 4326, always_xy=True)
    return np.radians(to_geographic.transform(*tile.map_place()))


def _slopes(simulated, tile):
    """Slope and aspect of every pixel in degrees, aspect of the fall clockwise from north."""
    south, east = np.gradient(simulated.terrain.height(*_places(tile)), 10.0)
    slope = np.degrees(np.arctan(np.hypot(south, east)))
    return slope, np.degrees(np.arctan2(-east, south)) % 360


def _rays(simulated, tile):
    """Layover and shadow by the rays at every pixel, and where its neighbours agree."""
    line, sample = _image_places(simulated, tile)
    frame = simulated.frame
    inside = (line > EDGE) & (line < frame.lines - EDGE)
    inside &= (sample > EDGE) & (sample < frame.samples - EDGE)
    rows, columns = (np.where(inside, np.rint(v), EDGE).astype(int) for v in (line, sample))
    truth = np.load(simulated.truth().with_name(f"{simulated.products[0].title}.masks.npz"))
    found, sure = [], inside
    for name in ("layover", "shadow"):
        mask = truth[name]
        # Rays know by whole pixels: in the last one of a fold, ground may lie on either side.
        border = binary_dilation(mask, np.ones((3, 3))) & binary_dilation(~mask, np.ones((3, 3)))
        found.append(mask[rows, columns])
        sure = sure & ~border[rows, columns]
    return *found, sure


def _image_places(simulated, tile):
    """Line and sample of every pixel: a cubic of place and height through exact ones."""
    longitude, latitude = _places(tile)
    height = simulated.terrain.height(longitude, latitude)
    easting, northing = tile.map_place()
    rng = np.random.default_rng(1)
    some = tuple(rng.integers(0, size, 800) for size in easting.shape)
    scale = [(v.mean(), np.ptp(v)) for v in (easting, northing, height)]
    terms = [(i, j, k) for i in range(4) for j in range(4) for k in range(4) if i + j + k <= 3]

    def design(pick):
        parts = (easting[pick], northing[pick], height[pick])
        x, y, z = ((v - m) / s for v, (m, s) in zip(parts, scale, strict=True))
        return np.stack([x**i * y**j * z**k for i, j, k in terms], axis=-1)

    exact = simulated.frame.locate(longitude[some], latitude[some], height[some])
    known = np.isfinite(exact).all(axis=1)
    cubic, *_ = np.linalg.lstsq(design(some)[known], exact[known], rcond=None)
    off = np.abs(design(some)[known] @ cubic - exact[known])
    assert np.percentile(off, 95) < 0.2  # samples; those on the map's corners are far outside
    place = design(np.s_[:]) @ cubic
    return place[..., 0], place[..., 1]


def _bins(steep, power):
    """Mean power of each bin of 5 degrees of slope and 45 of aspect over flat ground, dB."""
    usable = steep.sure & ~steep.layover & ~steep.shadow & np.isfinite(power)
    flat = power[usable & (steep.slope < 5)].mean()
    means = []
    for slope in range(0, 30, 5):
        for aspect in range(0, 360, 45):
            inside = usable & (steep.slope >= slope) & (steep.slope < slope + 5)
            inside &= (steep.aspect >= aspect) & (steep.aspect < aspect + 45)
            if inside.sum() >= LEAST_PIXELS:
                means.append(10 * np.log10(power[inside].mean() / flat))
    return np.array(means)


def test_flattened_backscatter_is_that_of_flat_ground_on_every_slope(steep, report):
    means_db = _bins(steep, steep.simulated.tile(**RTC).power())
    report(f"gamma0_rtc: {means_db.size} bins, worst {np.abs(means_db).max():.3f} dB")
    assert means_db.size >= 20
    assert np.abs(means_db).max() <= 0.3


def test_flattened_backscatter_is_the_true_one(steep):
    power = steep.simulated.tile(**RTC).power()
    usable = steep.sure & ~steep.layover & ~steep.shadow & np.isfinite(power) & (steep.slope < 30)
    assert abs(10 * np.log10(power[usable].mean() / GAMMA0)) <= 0.05


def test_without_flattening_slopes_shine_and_darken(steep):
    means_db = _bins(steep, steep.simulated.tile().power())
    assert means_db.max() > 2
    assert means_db.min() < -1


@pytest.mark.parametrize(("kind", "bit"), [("layover", 1), ("shadow", 2)])
def test_layover_and_shadow_are_where_rays_find_them(steep, kind, bit):
    flags = steep.simulated.tile(**RTC).mask("LayoverShadow")
    truth = getattr(steep, kind)[steep.sure]
    assert truth.mean() > 0.005
    assert np.mean(((flags & bit) > 0)[steep.sure] == truth) >= 0.97


def test_a_flag_at_twenty_metres_is_that_of_any_of_its_pixels(steep):
    fine = steep.simulated.tile(**RTC).mask("LayoverShadow")
    coarse = steep.simulated.tile(resolution="20", **RTC).mask("LayoverShadow")
    rows, columns = coarse.shape
    four = np.bitwise_or.reduce(fine.reshape(rows, 2, columns, 2), axis=(1, 3))
    # Blocks of other sizes trace the terrain from other lines on.
    assert (coarse == four).mean() > 0.995


def test_flattened_files_are_named_so(steep):
    assert steep.simulated.tile(**RTC).path().name.endswith("_GammaNaughtRTC.tif")


def test_blocks_that_are_left_out_hold_nothing(steep, monkeypatch):
    """Relief displaces the image: a block is out of reach only if it is so at every height."""
    monkeypatch.setattr("peps_wps.chains.ortho_s1.tile._is_in_reach", lambda *_: True)
    whole = steep.simulated.configured("whole").tile()
    chosen = steep.simulated.tile()
    np.testing.assert_array_equal(whole.stored(), chosen.stored())
    assert whole.body["coverage_percent"] == chosen.body["coverage_percent"]
