"""The geolocation model: orbit files, the bistatic term and the rule of ground range records."""

from dataclasses import replace

import numpy as np
import pytest

from tests.chains.simulated_pass import simulate_pass, targets_of

pytestmark = pytest.mark.xdist_group("hills")

EXACT = {"polarizations": "VV", "lossless": "true"}


@pytest.fixture(scope="module")
def degraded(tmp_path_factory):
    """An annotation whose state vectors are 30 m off, and a good orbit file beside it."""
    folder = tmp_path_factory.mktemp("degraded")
    return simulate_pass(folder, degrade_orbit_m=(24.0, 18.0), polarizations=("VV",))


def test_an_orbit_file_makes_good_a_poor_annotation(degraded):
    found = degraded.tile().score()
    assert found.missing == 0
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0
    assert np.abs(found.mean_m).max() <= 0.05


def test_the_orbit_file_is_named_in_the_report_and_the_tags(degraded):
    (file,) = (degraded.folder / "orbits").iterdir()
    tile = degraded.tile()
    assert tile.body["orbit"] == file.name
    assert tile.tags()["ORBIT_SOURCE"] == file.name


def test_without_the_orbit_file_the_image_is_as_far_off_as_the_annotation(degraded, tmp_path):
    bare = degraded.configured("no-orbits", PEPS_ORBITS_PATH=tmp_path)
    found = bare.tile().score()
    assert found.rms_m > 10
    assert bare.tile().body["orbit"] == "annotation"


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """An image made by the rules that are not the default, on ridges across the track.

    The mean height under the swath changes from record to record, and the records with it.
    """
    return simulate_pass(
        tmp_path_factory.mktemp("torn"),
        bistatic=False,
        range_rule="nearest",
        polarizations=("VV",),
        range_position=1.0,
        spectrum=((9_000.0, 350.0),),
    )


def _moved(right, wrong):
    """Lines and samples by which targets move from one tile to another, shape (target, 2)."""
    before, after = right.score(), wrong.score()
    assert before.missing == after.missing == 0
    metres = [after.easting - before.easting, after.northing - before.northing]
    return (right.image_axes() @ metres).T


def _expected(simulated, true_frame, wrong_frame):
    """The same by the simulator's own geometry."""
    targets = targets_of(simulated.truth())
    place = (np.radians([t[name] for t in targets]) for name in ("longitude", "latitude"))
    place = (*place, np.array([t["height"] for t in targets]))
    return true_frame.locate(*place) - wrong_frame.locate(*place)


def test_without_the_bistatic_term_targets_move_along_the_track(hills):
    expected = _expected(hills, hills.frame, replace(hills.frame, bulk_delay=None))
    assert np.abs(expected[:, 0]).min() > 0.1  # lines, at the far edge of the swath
    moved = _moved(hills.tile(**EXACT), hills.tile(bistatic="false", **EXACT))
    np.testing.assert_allclose(moved, expected, atol=0.02)


def test_the_wrong_rule_of_records_moves_targets_across_the_track(torn):
    linear = replace(torn.frame, bulk_delay=None)
    expected = _expected(torn, replace(linear, range_rule="nearest"), linear)
    assert np.abs(expected[:, 1]).max() > 0.3  # samples
    right = torn.tile(bistatic="false", srgr="nearest")
    np.testing.assert_allclose(_moved(right, torn.tile(bistatic="false")), expected, atol=0.02)


def test_an_image_made_by_the_other_rules_is_right_with_both_switches(torn):
    found = torn.tile(bistatic="false", srgr="nearest").score()
    assert found.missing == 0
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0


def test_the_model_is_stated_in_the_report(hills, torn):
    assert hills.tile(**EXACT).body["bistatic"] is True
    assert hills.tile(**EXACT).body["srgr"] == "linear"
    assert torn.tile(bistatic="false", srgr="nearest").body["bistatic"] is False
    assert torn.tile(bistatic="false", srgr="nearest").body["srgr"] == "nearest"


def test_the_check_against_the_grid_is_published(hills):
    (check,) = hills.tile(**EXACT).body["geolocation"]
    assert check["line_rms"] <= 0.05
    assert check["sample_rms"] <= 0.1
    assert 0 < check["srgr_max"] < 20
