"""Modes other than the main one: extra wide swath at 40 m, stripmap, horizontal polarisation."""

import pytest

from tests.chains.simulated_pass import scaled_score, simulate_pass

pytestmark = pytest.mark.xdist_group("modes")


@pytest.fixture(scope="module")
def extra_wide(tmp_path_factory):
    return simulate_pass(
        tmp_path_factory.mktemp("ew"),
        mode="EW",
        polarizations=("HH", "HV"),
        lines=600,
        samples=650,
    ).tile()


@pytest.fixture(scope="module")
def stripmap(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sm")
    return simulate_pass(folder, mode="SM", polarizations=("HH",), ipf="3.40").tile()


@pytest.mark.parametrize("polarization", ["HH", "HV"])
def test_extra_wide_swath_keeps_the_bars_of_its_pixels(extra_wide, polarization):
    with scaled_score(4):  # pixels of 40 m
        found = extra_wide.score(polarization)
    assert found.easting.size >= 8
    assert found.missing == 0
    assert found.rms_m <= 1.2
    assert found.worst_m <= 4.0
    assert max(map(abs, found.mean_m)) <= 0.2 + 2 * found.rms_m / found.easting.size**0.5


@pytest.mark.parametrize("polarization", ["HH", "HV"])
def test_extra_wide_swath_is_calibrated(extra_wide, polarization):
    bias_db = extra_wide.score(polarization).bias_db
    # 14 pixels of 40 m across a patch, whose border shines in by half a pixel.
    assert abs(bias_db.mean()) <= 0.05
    assert abs(bias_db).max() <= 0.2


def test_stripmap_keeps_the_bars(stripmap):
    found = stripmap.score("HH")
    assert found.easting.size >= 8
    assert found.missing == 0
    assert found.rms_m <= 0.30
    assert found.worst_m <= 1.0


def test_stripmap_is_calibrated(stripmap):
    bias_db = stripmap.score("HH").bias_db
    assert abs(bias_db.mean()) <= 0.02
    assert abs(bias_db).max() <= 0.2


def test_files_are_named_after_their_polarisation(extra_wide, stripmap):
    date = "20210809t173953"
    names = [path.name for path in (extra_wide.path("HH"), extra_wide.path("HV"))]
    tile, orbit = extra_wide.body["tile"], names[0].split("_")[4]
    assert names == [f"s1a_{tile}_{p}_ASC_{orbit}_{date}.tif" for p in ("hh", "hv")]
    assert stripmap.path("HH").name.startswith(f"s1a_{stripmap.body['tile']}_hh_ASC_")
