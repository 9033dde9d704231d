"""Full-size pixels simulated into the annotations of real products, on every tile they cover."""

import shutil

import pytest

from simulator.dem import write_dem
from simulator.geometry import frame_of
from simulator.real_metadata import default_terrain, read_annotation, write_from_metadata
from simulator.s1_grd import footprint_bounds
from tests.chains.simulated_pass import (
    SimulatedPass,
    assert_within_bars,
    configuration,
    product_of,
    scaled_score,
)

# Those that have calibration and noise tables.
REAL_PRODUCTS = (
    "S1A_EW_GRDM_1SDH_20221130T014342_20221130T014446_046117_058549_BB15",
    "S1A_IW_GRDH_1SDV_20150203T043109_20150203T043134_004454_00574F_6D00",
    "S1A_IW_GRDH_1SDV_20150203T043109_20150203T043134_004454_00574F_FEC3",
    "S1A_IW_GRDH_1SDV_20150222T170725_20150222T170750_004739_005DD8_CEAB",
    "S1A_IW_GRDH_1SDV_20150222T170750_20150222T170815_004739_005DD8_3768",
    "S1A_IW_GRDH_1SDV_20200708T182643_20200708T182708_033367_03DDAA_9550",
    "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255",
    "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8",
    "S1B_IW_GRDH_1SDV_20211223T051122_20211223T051147_030148_039993_5371",
    "S1C_S4_GRDH_1SDH_20250118T171404_20250118T171421_000638_000538_4B8B",
)


@pytest.fixture(scope="module", params=REAL_PRODUCTS, ids=lambda title: title[-4:])
def real(request, reference_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    source = reference_data / "s1" / "safe" / f"{request.param}.zip"
    annotation = read_annotation(source)
    terrain = default_terrain(annotation, seed=1)
    bounds = footprint_bounds([frame_of(annotation)], terrain)
    write_dem(folder / "dem", terrain, bounds)
    path = write_from_metadata(folder, source, terrain=terrain)
    yield SimulatedPass(folder, (path,), configuration(folder), (product_of(path),), terrain)
    shutil.rmtree(folder)


@pytest.mark.drill
def test_every_tile_of_a_full_size_product_meets_the_bars(real, report):
    scale = real.frame.range_spacing / 10
    for task in real.order(min_coverage="10"):
        tile = real.tile(tiles=task.name, min_coverage="10")
        for polarization in tile.body["images"]:
            with scaled_score(scale):
                found = tile.score(polarization)
            report(f"{tile.body['products'][0][-4:]} {task.name} {polarization}: {found}")
            assert_within_bars(found, scale)
        shutil.rmtree(tile.done.folder)
