import numpy as np
import pytest

from simulator.acquisition import Order, plan
from simulator.ellipsoid import cartesian
from simulator.instrument import IW, Processor
from simulator.raycast import cast
from simulator.terrain import STEEP_RIDGES, Terrain, waves_of

PLACE = np.radians((9.0, 46.0))


def seen(terrain, lines, samples, range_position):
    order = Order(
        IW,
        Processor.of("3.31"),
        terrain.longitude,
        terrain.latitude,
        lines=lines,
        samples=samples,
        range_position=range_position,
    )
    (frame,) = plan(order, terrain).frames
    return frame, cast(frame, terrain)


def incidence(frame, terrain):
    line, sample = np.arange(frame.lines, dtype=float), np.arange(frame.samples, dtype=float)
    ground = frame.ground(line, sample, terrain)
    longitude, latitude, _ = np.moveaxis(ground, -1, 0)
    vertical = np.stack(
        (
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ),
        axis=-1,
    )
    antenna = frame.trajectory.position_at(frame.line_time(line))[:, None, :]
    ray = antenna - cartesian(*np.moveaxis(ground, -1, 0))
    return ground, np.arccos((ray * vertical).sum(axis=-1) / np.linalg.norm(ray, axis=-1))


@pytest.mark.parametrize("range_position", [0.0, 1.0])
def test_flat_ground_of_gamma0_one_has_the_cotangent_of_incidence_as_beta0(range_position):
    flat = Terrain(*PLACE, 900.0, np.empty((0, 4)))
    frame, image = seen(flat, 20, 300, range_position)
    _, angle = incidence(frame, flat)

    # beta0 = gamma0 / tan(incidence); pixels are small: 0.001 dB is 2e-4.
    np.testing.assert_allclose(image.beta0 * np.tan(angle), 1.0, rtol=1e-4)
    assert not image.layover.any()
    assert not image.shadow.any()


def test_gentle_slopes_follow_the_tangent_of_the_angle_to_the_slope_in_the_range_plane():
    waves = np.array([[250.0, 2 * np.pi / 8_000.0, 0.0, 0.3]])  # runs east, nearly across track
    terrain = Terrain(*PLACE, 900.0, waves)
    frame, image = seen(terrain, 30, 1200, 0.6)
    ground, angle = incidence(frame, terrain)

    # Ruler and protractor: slope of the relief along range, from the places of the samples.
    east, north = terrain.plane(ground[..., 0], ground[..., 1])
    along = np.hypot(np.gradient(east, axis=1), np.gradient(north, axis=1))
    slope = np.arctan(np.gradient(ground[..., 2], axis=1) / along)

    expected = 1 / np.tan(angle - slope)
    inner = (slice(2, -2), slice(5, -5))
    assert np.degrees(np.abs(slope)).max() > 10
    # The plane's scale is off by 1e-3 at the edge of the scene, and so is the slope.
    np.testing.assert_allclose(image.beta0[inner], expected[inner], rtol=3e-3)


def test_steep_relief_has_layover_and_shadow_and_keeps_the_power_of_its_rays():
    steep = Terrain(*PLACE, 900.0, waves_of(STEEP_RIDGES, np.random.default_rng(3), scale=2.2))
    frame, image = seen(steep, 60, 1500, 1.0)

    assert image.layover.mean() > 0.001
    assert image.shadow.mean() > 0.05
    assert (image.beta0[image.shadow] == 0).all()
    # Layover stacks the power of several slopes: brighter than any single slope around it.
    assert np.median(image.beta0[image.layover]) > 10 * np.median(image.beta0)
    # Every ray lands once: power times slant spacing adds up to R dalpha over the fan, whatever
    # the relief. What enters or leaves at the ends of the swath is the slack.
    flat = Terrain(*PLACE, 900.0, np.empty((0, 4)))
    level = cast(frame, flat)
    line = np.arange(frame.lines, dtype=float)
    edges = np.arange(frame.samples + 1) - 0.5
    slant = np.diff(frame.slant_range(line[:, None], edges[None, :]), axis=1)
    ratio = (image.beta0 * slant).sum() / (level.beta0 * slant).sum()
    assert ratio == pytest.approx(1.0, abs=0.12)
