"""S1_ORTHO against simulated scenes: where targets come back, and how bright known patches are.

The simulator shares no geometry or radiometry with the chain. The bars are those of the service:
0.30 m rms, 1 m for any target, 0.05 m mean in each axis, on every tile; 0.02 dB mean and 0.2 dB for
any patch.
"""

import pytest

from simulator.score import score
from tests.chains.simulated_pass import simulate_pass

CASES = {
    "ascending, near range": {"range_position": 0.0},
    "ascending, far range": {"range_position": 1.0},
    "descending, old noise tables": {"ascending": False, "ipf": "2.70", "latitude": 38.0},
    "descending, no noise tables": {"ascending": False, "ipf": "2.36"},
    "southern hemisphere, S1B": {"latitude": -17.5, "longitude": 34.4, "satellite": "S1B"},
    "southern, descending, IPF 3.40": {
        "latitude": -33.4,
        "longitude": -70.5,
        "ascending": False,
        "ipf": "3.40",
        "base_height": 2500.0,
    },
    "two UTM zones, S1C": {"longitude": 6.0, "latitude": 45.0, "satellite": "S1C"},
    "across the antimeridian": {"longitude": 179.98, "latitude": -16.6},
    "high latitude": {"latitude": 71.0, "longitude": 25.0, "ascending": False},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_targets_come_back_within_the_bars(tmp_path, case):
    simulated = simulate_pass(tmp_path, **CASES[case])
    tasks = simulated.order(min_coverage="1")

    for number, task in enumerate(tasks):
        done = simulated.run(task, tmp_path / f"run-{number}")
        for polarization, name in done.result.body["images"].items():
            found = score(simulated.truth(), done.folder / name, polarization=polarization)
            if found.easting.size < 4:
                continue
            assert found.missing == 0
            assert found.rms_m <= 0.30
            assert found.worst_m <= 1.0
            # Few targets fall on a corner of a tile: their mean has its own spread.
            spread = 2 * found.rms_m / found.easting.size**0.5
            assert abs(found.mean_m[0]) <= max(0.05, spread)
            assert abs(found.mean_m[1]) <= max(0.05, spread)
            assert abs(found.bias_db.mean()) <= 0.02
            assert abs(found.bias_db).max() <= 0.2
