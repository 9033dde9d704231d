"""The order of every process survives the row of its job."""

import json

import pytest

from peps_wps.chains.registry import CHAINS

PAIR = {"reference": ["A"], "secondary": ["B"]}
AREA = ["POLYGON((1 43, 2 43, 2 44, 1 44, 1 43))"]
PERIOD = {"start": ["2021-08-01"], "end": ["2021-09-01"]}
INPUTS: dict[str, dict[str, list[str]]] = {
    "AMALTHEE": {"products": ["A", "B"], "pin_hours": ["5"]},
    "echo": {},
    "ORBIT_DATA": {"products": ["A", "B"]},
    "S1_COHERENCE": {"products": ["A", "B"], "polarizations": ["VV"], "geometry": AREA},
    "S1_INTERFEROGRAM": {**PAIR, "bursts": ["059_124837_IW2"], "grid": ["mgrs"]},
    "S1_ORTHO": {"product": ["A", "B"], "tiles": ["31TCJ"], "polarizations": ["VH"]},
    "S1_QUICKLOOK": {"products": ["A"]},
    "S1_TILING": {"tiles": ["31TCJ"], **PERIOD, "relative_orbits": ["59"]},
    "S1_TIME_SERIES": {
        "relative_orbit": ["59"], **PERIOD, "geometry": AREA, "reference_point": ["1 43"],
    },
    "S2_COLOR_COMPOSITION": {"products": ["A"], "bands": ["B04", "B03", "B02"]},
    "S2_CORRELATION": {**PAIR, "corrections": ["steps,jitter"], "geometry": AREA},
    "S2_EXTRACT_BANDS": {"products": ["A"], "tile": ["31TCJ"], "bands": ["B04"]},
    "S2_NDVI": {"products": ["A"], "geometry": AREA},
    "S2_QUICKLOOK": {"products": ["A"]},
    "S2_REGISTRATION": {"reference": ["A"], "products": ["B", "C"]},
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_an_order_survives_the_row_of_its_job(name: str) -> None:
    chain = CHAINS[name]
    order = chain.parse(INPUTS[name])

    row = json.loads(json.dumps(chain.order_to_json(order)))

    assert chain.order_from_json(row) == order
    assert hash(chain.order_from_json(row)) == hash(order)  # no list is left
