"""Flattening and layover on a simulated pass, whose areas come from rays and its own geometry."""

from typing import NamedTuple

import numpy as np
import pytest
from affine import Affine

from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.ortho import Window
from algorithms.radar.shadow import LAYOVER, layover_shadow
from algorithms.terrain.flattening import flattening_factor
from algorithms.terrain.imaging import GrdImaging
from algorithms.terrain.nodes import Terrain
from algorithms.terrain.profiles import TerrainProfiles, trace_profiles
from peps_wps.readers.sentinel1_grd import read_grd
from simulator.acquisition import Order, plan
from simulator.instrument import IW, Processor
from simulator.raycast import RayCast, cast
from simulator.s1_grd import Options, footprint_bounds, write_pass
from simulator.terrain import Terrain as Relief
from simulator.terrain import waves_of

LINES, SAMPLES = 100, 400
# Wavelength and amplitude, metres: slopes beyond 45 degrees where waves meet.
RIDGES = ((6_100.0, 840.0), (4_300.0, 480.0), (2_700.0, 200.0), (1_900.0, 100.0))
POSTING = 1 / 3600  # degrees


class Pass(NamedTuple):
    """A pass over steep relief: what rays found, and the profiles under test."""

    relief: Relief
    rays: RayCast
    geometry: RadarGeometry
    profiles: TerrainProfiles


@pytest.fixture(scope="module", params=[True, False], ids=["ascending", "descending"])
def steep(request, tmp_path_factory):
    longitude, latitude = np.radians(1.33), np.radians(43.6)
    ridges = waves_of(RIDGES, np.random.default_rng(5))
    relief = Relief(longitude, latitude, 900.0, ridges)
    order = Order(
        IW,
        Processor.of("3.31"),
        longitude,
        latitude,
        ascending=request.param,
        lines=LINES,
        samples=SAMPLES,
        range_position=0.05,  # near range folds most
    )
    frames = plan(order, relief).frames
    (safe,) = write_pass(
        tmp_path_factory.mktemp("pass"), order, relief, Options(polarizations=("VV",))
    )
    geometry = RadarGeometry.from_annotations([read_grd(safe).images["VV"].annotation])
    west, south, east, north = footprint_bounds(frames, relief)
    transform = Affine(POSTING, 0, west, 0, -POSTING, north)
    columns, rows = np.meshgrid(
        np.arange((east - west) / POSTING) + 0.5, np.arange((north - south) / POSTING) + 0.5
    )
    heights = relief.height(*np.radians(transform @ (columns, rows))).astype(np.float32)
    profiles = trace_profiles(
        GrdImaging(geometry), Window(0, LINES, 0, SAMPLES), Terrain(heights, transform)
    )
    assert profiles is not None
    return Pass(relief, cast(frames[0], relief), geometry, profiles)


def test_constant_gamma_is_found_again_on_every_slope(steep):
    gamma0 = flattening_factor(steep.profiles) * steep.rays.beta0

    level = gamma0[~steep.rays.layover & ~steep.rays.shadow & np.isfinite(gamma0)]

    assert level.size > 10_000
    # The DEM samples the relief every 31 m: a few hundredths of a decibel where it bends most.
    gamma0_db = 10 * np.log10(level)
    assert abs(gamma0_db.mean()) < 0.005
    assert np.percentile(np.abs(gamma0_db), 98) < 0.1


def test_folded_slopes_return_what_falls_into_their_pixels(steep):
    gamma0 = flattening_factor(steep.profiles) * steep.rays.beta0

    folded = gamma0[steep.rays.layover & np.isfinite(gamma0)]

    assert folded.size > 500
    # A fold ends anywhere in a pixel; the DEM moves it by a part of one.
    assert 10 * np.log10(np.median(folded)) == pytest.approx(0.0, abs=0.01)
    assert 10 * np.log10(folded.mean()) == pytest.approx(0.0, abs=0.3)


def test_layover_is_where_rays_find_two_surfaces(steep):
    longitude, latitude = np.meshgrid(
        steep.relief.longitude + np.linspace(-3e-4, 3e-4, 300),
        steep.relief.latitude + np.linspace(-2e-4, 2e-4, 300),
    )
    height = steep.relief.height(longitude, latitude)
    place = steep.geometry.locate(longitude, latitude, height)
    inside = np.isfinite(place.line) & np.isfinite(place.sample)
    line, sample = (np.rint(a[inside]).astype(int) for a in (place.line, place.sample))
    seen = (line >= 0) & (line < LINES) & (sample > 0) & (sample < SAMPLES - 1)

    flags = layover_shadow(steep.profiles, place.line, place.sample, height)[inside][seen]

    line, sample = line[seen], sample[seen]
    truth, before, after = (steep.rays.layover[line, sample + step] for step in (0, -1, 1))
    # Rays know layover by whole pixels: in the last one of a fold, ground may lie on either side.
    sure = (before == truth) & (after == truth)
    assert sure.sum() > 5_000
    assert truth[sure].mean() > 0.05
    assert np.mean((flags & LAYOVER > 0)[sure] == truth[sure]) >= 0.99
