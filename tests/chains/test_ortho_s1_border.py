"""Border noise of old processors goes, calm water stays: whole passes in radar geometry."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as Pixels

from algorithms.radar.ortho import Window
from peps_wps.chains.ortho_s1.order import Order
from peps_wps.chains.ortho_s1.scene import CalibratedImage, read_scene
from simulator.pixels import valid_samples
from tests.chains.simulated_pass import simulate_pass

LINES, SAMPLES = 700, 1400
WATER = slice(400, 1000)  # lines of the pass and samples
WATER_DN = 33


@pytest.fixture(scope="module", params=["2.36", "2.70"])
def old_pass(request, tmp_path_factory):
    """Two frames with calm water across their seam, and the water that a frame ends on."""
    simulated = simulate_pass(
        tmp_path_factory.mktemp("border"),
        frames=2,
        lines=LINES,
        samples=SAMPLES,
        polarizations=("VV",),
        ipf=request.param,
    )
    rng = np.random.default_rng(3)
    for frame, path in enumerate(simulated.paths):
        (tiff,) = path.glob("measurement/*.tiff")
        lines = range(max(WATER.start - frame * LINES, 0), min(WATER.stop - frame * LINES, LINES))
        water = rng.gamma(4.4, WATER_DN**2 / 4.4, (len(lines), WATER.stop - WATER.start))
        with rasterio.open(tiff, "r+") as dataset:
            at = Pixels(WATER.start, lines.start, water.shape[1], water.shape[0])
            dataset.write(np.rint(np.sqrt(water)).astype(np.uint16), 1, window=at)
    return simulated


def power_of(simulated, *, paths, **choices):
    order = Order(("one",), calibration="sigma0", **choices)
    scene = read_scene(paths, ("VV",), order, simulated.folder / "orbits")
    geometry = scene.geometry
    image = CalibratedImage(scene, "VV", order)
    return image.backscatter(Window(0, geometry.lines, 0, geometry.samples))


def test_calm_water_on_the_seam_loses_no_pixel(old_pass):
    power = power_of(old_pass, paths=old_pass.paths)

    assert power.shape == (2 * LINES, SAMPLES)
    assert not np.isnan(power[WATER, WATER]).any()


def test_a_frame_that_ends_on_calm_water_loses_a_thin_rim(old_pass):
    power = power_of(old_pass, paths=old_pass.paths[:1])

    lost = np.flatnonzero(np.isnan(power[LINES // 2 :, WATER]).any(axis=1))
    assert lost.size <= 12


def test_border_noise_is_cut_and_the_image_is_not(old_pass):
    """Level of what is left at the sides: neither noise nor a bright rim."""
    power = power_of(old_pass, paths=old_pass.paths, denoise=False)

    sides = np.concatenate(
        [
            valid_samples(LINES, SAMPLES, ragged_start=frame == 0, ragged_stop=frame == 1)
            for frame in range(2)
        ]
    )
    sample = np.arange(SAMPLES)
    valid = (sample >= sides[:, :1]) & (sample <= sides[:, 1:])
    kept = ~np.isnan(power)
    assert not kept[~valid].any()
    # A step of the edge is smoothed over eight lines and samples, and speckle delays a run.
    lost = valid & ~kept
    assert lost.sum() < 2 * (2 * LINES + SAMPLES) * 12
    inner = np.nanmedian(power)
    near = [np.nanmean(power[valid & (np.abs(sample - side) < 24)]) for side in sides.T[:, :, None]]
    assert (np.abs(10 * np.log10(near / inner)) < 3).all()
