"""S1_ORTHO against simulated scenes: where targets come back, and how bright known patches are.

The simulator shares no geometry or radiometry with the chain. The bars are those of the service:
0.30 m rms, 1 m for any target, 0.05 m mean in each axis, on every tile; 0.02 dB mean and 0.2 dB for
any patch. Scenes of the suite are without speckle, so that few patches tell of the radiometry.
"""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from tests.chains.simulated_pass import DRILLS, assert_within_bars, simulate_pass

pytestmark = [pytest.mark.drill, pytest.mark.xdist_group("accuracy")]

CASES = {
    "southern, descending, near range, IPF 3.40, S1B": {
        "latitude": -33.0,
        "longitude": -70.5,
        "ascending": False,
        "ipf": "3.40",
        "satellite": "S1B",
        "base_height": 2500.0,
        "range_position": 0.0,
        "zones": {"19"},
    },
    "descending, no noise tables, IPF 2.36": {
        "ascending": False,
        "ipf": "2.36",
        "zones": {"31"},
    },
    "two UTM zones": {
        "longitude": 6.6,
        "latitude": 44.7,
        "polarizations": ("VV",),
        "zones": {"31", "32"},
    },
    "across the antimeridian": {
        "longitude": 179.93,
        "latitude": -16.6,
        "polarizations": ("VV",),
        "zones": {"60", "01"},
    },
}
if DRILLS:
    CASES |= {
        "ascending, far range": {"range_position": 1.0, "zones": {"31"}},
        "ascending, near range": {"range_position": 0.0, "zones": {"31"}},
        "descending, old noise tables": {
            "ascending": False,
            "ipf": "2.70",
            "latitude": 38.0,
            "zones": {"31"},
        },
        "descending, no noise tables, IPF 2.36, far range": {
            "ascending": False,
            "ipf": "2.36",
            "range_position": 1.0,
            "zones": {"31"},
        },
        "southern hemisphere": {"latitude": -17.5, "longitude": 34.4, "zones": {"36"}},
        "high latitude": {
            "latitude": 71.0,
            "longitude": 25.0,
            "ascending": False,
            "zones": {"35"},
        },
        "equator": {"latitude": 0.0, "longitude": -60.0, "zones": {"20"}},
    }
SUITE = {"lines": 1400, "samples": 1800, "speckle": False}
DRILL = {"lines": 5000, "samples": 6000}


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.replace(" ", "-"))
def case(request):
    return request.param


@pytest.fixture(scope="module")
def scene(case, tmp_path_factory):
    choices = {name: value for name, value in CASES[case].items() if name != "zones"}
    size = DRILL if DRILLS else SUITE
    return simulate_pass(tmp_path_factory.mktemp("scene"), **size, **choices)


def test_targets_come_back_within_the_bars_on_every_tile(case, scene, report):
    for tile in scene.all_tiles():
        for polarization in tile.body["images"]:
            found = tile.score(polarization)
            report(f"{case}, {tile.body['tile']} {polarization}: {found}")
            assert_within_bars(found)


def test_known_patches_come_back_on_average(scene):
    bias_db = [
        tile.score(polarization).bias_db
        for tile in scene.all_tiles()
        for polarization in tile.body["images"]
    ]
    assert np.concatenate(bias_db).size >= 2
    assert abs(np.concatenate(bias_db).mean()) <= 0.02


def test_every_scene_has_targets_to_measure(scene):
    assert max(tile.score().easting.size for tile in scene.all_tiles()) >= 4


@pytest.mark.parametrize("times", [3, 1 / 10], ids=["bright", "dark"])
def test_the_edge_of_the_image_is_like_what_lies_beside_it(scene, times):
    """Border noise of old processors and half-covered pixels of new ones stay out."""
    tile = max(scene.all_tiles(), key=lambda tile: tile.body["coverage_percent"])
    power = tile.power()
    valid = ~np.isnan(power)
    inside, far_inside = (binary_erosion(valid, iterations=n, border_value=1) for n in (3, 13))
    limit = times * np.nanmedian(power)
    odd = power > limit if times > 1 else power < limit
    # Towns and lakes lie at the edge too, but no more of them than in the next 100 m.
    at_edge, beside = odd[valid & ~inside].mean(), odd[inside & ~far_inside].mean()
    assert at_edge <= 1.5 * beside + 0.001


def test_every_zone_that_the_pass_touches_gets_its_tile(case, scene):
    assert {tile.body["tile"][:2] for tile in scene.all_tiles()} >= CASES[case]["zones"]


def test_denoising_is_reported_where_the_product_has_noise_tables(case, scene):
    reported = {tile.body["denoised"] for tile in scene.all_tiles()}
    assert reported == {"2.36" not in case}
