"""Names and tags are those that S1Tiling 1.4 gives the same result."""

import re
from dataclasses import replace

import pytest

from peps_wps.writers.acquisition import acquisition_of
from peps_wps.writers.naming import archive_name, pass_name, tile_stem
from peps_wps.writers.tags import tile_tags
from tests.writers.passes import FIRST, PROCESSING, SECOND

PASS = acquisition_of([SECOND, FIRST])


def test_frames_together_have_no_time_of_day() -> None:
    assert tile_stem(PASS, "33NWB", "VH", "gamma0") == "s1a_33NWB_vh_DES_007_20200108txxxxxx"
    mask = tile_stem(PASS, "33NWB", "VV", "gamma0", kind="BorderMask")
    assert mask == "s1a_33NWB_vv_DES_007_20200108txxxxxx_BorderMask"


def test_one_frame_has_its_time_of_day() -> None:
    one = acquisition_of([FIRST])
    assert tile_stem(one, "33NWB", "VV", "sigma0") == "s1a_33NWB_vv_DES_007_20200108t044150_sigma"
    assert tile_stem(one, "33NWB", "VV", "gamma0_rtc").endswith("t044150_GammaNaughtRTC")


def test_tags_are_those_of_s1tiling() -> None:
    tags = tile_tags(PASS, PROCESSING, "33NWB", "VV")
    # From the expectations of S1Tiling's own test of this pass.
    expected = {
        "ACQUISITION_DATETIME": "2020:01:08T04:41:50Z",
        "ACQUISITION_DATETIME_1": "2020:01:08T04:41:50Z",
        "ACQUISITION_DATETIME_2": "2020:01:08T04:42:15Z",
        "CALIBRATION": "sigma",
        "DEM_INFO": "SRTM_30_hgt",
        "FLYING_UNIT_CODE": "s1a",
        "IMAGE_TYPE": "BACKSCATTERING",
        "INPUT_S1_IMAGES": f"{FIRST.title}, {SECOND.title}",
        "NOISE_REMOVED": "False",
        "ORBIT_DIRECTION": "DES",
        "ORBIT_NUMBER": "030704",
        "ORTHORECTIFICATION_INTERPOLATOR": "nn",
        "ORTHORECTIFIED": "true",
        "POLARIZATION": "vv",
        "RELATIVE_ORBIT_NUMBER": "007",
        "S2_TILE_CORRESPONDING_CODE": "33NWB",
        "SPATIAL_RESOLUTION": "10.0",
    }
    assert expected.items() <= tags.items()
    assert tags["LOWER_SIGNAL_VALUE"] == "1e-07"
    assert tags["TIFFTAG_DATETIME"] == "2026:11:22 10:00:00"


def test_frames_of_two_passes_are_refused() -> None:
    with pytest.raises(ValueError, match="frames are from 2 passes"):
        acquisition_of([FIRST, replace(SECOND, datatake_id=1)])


def test_archives_are_named_after_their_passes() -> None:
    later = acquisition_of([replace(FIRST, start=FIRST.start.replace(day=20), datatake_id=9)])
    starts = {pass_name(one): one.starts[0] for one in (later, PASS)}
    one = {pass_name(PASS): PASS.starts[0]}
    name = archive_name("S1_ORTHO", one, {"tiles": ["31TCJ"]})
    assert re.fullmatch(r"S1_ORTHO_s1a_DES_007_20200108txxxxxx_[0-9a-f]{8}\.zip", name)
    several = archive_name("S1_ORTHO", starts, {})
    assert re.fullmatch(r"S1_ORTHO_2-passes_20200108_20200120_[0-9a-f]{8}\.zip", several)
    # The same order has the same name, another order of the same pass another.
    assert archive_name("S1_ORTHO", one, {"tiles": ["31TCJ"]}) == name
    assert archive_name("S1_ORTHO", one, {"tiles": ["31TDJ"]}) != name
