"""What masks=true adds: where the image is, the angles, and their files."""

import numpy as np
import pytest

from simulator.ellipsoid import cartesian
from simulator.geometry import zero_doppler_time
from tests.chains.simulated_pass import simulate_pass, targets_of

pytestmark = pytest.mark.xdist_group("hills")


@pytest.fixture(scope="module")
def masked(hills):
    return hills.tile(masks="true")


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    return simulate_pass(folder, relief=0.0, lines=500, samples=600, polarizations=("VV",)).tile(
        masks="true"
    )


def test_masks_come_only_when_asked_for(hills):
    names = hills.tile(polarizations="VV", lossless="true").done.result.files
    assert not [name for name in names if "Mask" in name or "IA" in name or "Shadow" in name]


def test_masks_are_named_after_the_image(masked):
    stem = masked.path().stem.replace("_vv_", "_{}_")
    kinds = {("vv", "BorderMask"), ("vh", "BorderMask")}
    kinds |= {("vvvh", kind) for kind in ("LayoverShadow", "IA", "LIA")}
    expected = {f"{stem.format(p)}_{kind}.tif" for p, kind in kinds}
    images = {path.name for path in (masked.path("VV"), masked.path("VH"))}
    tiffs = {name for name in masked.done.result.files if name.endswith(".tif")}
    assert tiffs == expected | images


@pytest.mark.parametrize("polarization", ["VV", "VH"])
def test_the_border_mask_is_where_pixels_are_valid(masked, polarization):
    mask = masked.mask(f"{polarization.lower()}_*_BorderMask")
    np.testing.assert_array_equal(mask == 1, masked.stored(polarization) > 0)
    assert set(np.unique(mask)) == {0, 1}


def _angles_at_targets(tile):
    """Degrees of incidence on ellipsoid and terrain by the simulator, and the rows, columns."""
    simulated = tile.simulated
    targets = targets_of(simulated.truth())
    place = np.radians([(t["longitude"], t["latitude"]) for t in targets])
    height = np.array([t["height"] for t in targets])
    ground = cartesian(*place.T, height)
    trajectory = simulated.frame.trajectory
    antenna = np.array([trajectory.position_at(zero_doppler_time(trajectory, p)) for p in ground])
    look = (antenna - ground) / np.linalg.norm(antenna - ground, axis=1)[:, None]
    normals = [
        _normal(place, lambda _: height),
        _normal(place, lambda p: simulated.terrain.height(*p.T)),
    ]
    angles = [np.degrees(np.arccos(np.sum(normal * look, axis=1))) for normal in normals]
    return angles, np.array([tile.pixel(t) for t in targets]).T


def _normal(place, height_of):
    """Upward normals of a surface, from points half a metre to each side."""
    step = 1e-7
    sides = []
    for axis in range(2):
        offset = np.eye(2)[axis] * step
        ends = [cartesian(*(place + s * offset).T, height_of(place + s * offset)) for s in (-1, 1)]
        sides.append(ends[1] - ends[0])
    normal = np.cross(*sides)
    return normal / np.linalg.norm(normal, axis=1)[:, None]


def test_the_incidence_angle_is_the_one_on_the_ellipsoid(masked):
    (expected, _), (rows, columns) = _angles_at_targets(masked)
    # Kept to hundredths of a degree.
    np.testing.assert_allclose(masked.mask("IA")[rows, columns] * 0.01, expected, atol=0.008)


def test_the_local_incidence_angle_is_the_one_on_the_slope(masked):
    (flat, expected), (rows, columns) = _angles_at_targets(masked)
    assert np.abs(flat - expected).max() > 3  # slopes matter here
    # Between posts an arc second apart the relief bends by a tenth of a degree.
    np.testing.assert_allclose(masked.mask("LIA")[rows, columns] * 0.01, expected, atol=0.2)


def test_angles_are_zero_outside_the_image(masked):
    outside = masked.stored() == 0
    inside = masked.stored() > 0
    for kind in ("IA", "LIA"):
        angle = masked.mask(kind)
        assert (angle[inside] > 0).all()
        assert (
            angle[outside] == 0
        ).mean() > 0.9  # the border of the image is ragged, theirs is not


def test_hills_are_without_layover_and_shadow(masked):
    assert not masked.mask("LayoverShadow").any()


def test_on_flat_ground_both_angles_are_one(flat):
    ellipsoid, terrain = (flat.mask(kind).astype(int) for kind in ("IA", "LIA"))
    inside = flat.stored() > 0
    assert inside.sum() > 250_000
    assert np.abs(ellipsoid - terrain)[inside].max() <= 1  # hundredths of a degree


def test_the_incidence_angle_grows_away_from_the_antenna(flat):
    angle = flat.mask("IA").astype(float)
    row = angle[angle.shape[0] // 2]
    known = row[row > 0]
    assert known[-1] > known[0] + 0.3  # ascending, looking east: 6 km are 0.4 degrees
