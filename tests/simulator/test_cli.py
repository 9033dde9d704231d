import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from shapely.geometry import Point, Polygon, box

from algorithms import mgrs
from algorithms.registration import register
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc
from simulator import cli, demonstration
from simulator.acquisition import plan
from simulator.optical.product import write_product


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(list(words)))


def test_a_tile_is_put_in_the_middle_of_the_scene(tmp_path, capsys):
    code = run(
        str(tmp_path), "--tile", "36KWE", "--pass", "descending", "--lines", "450",
        "--samples", "700", "--seed", "4",
    )  # fmt: skip

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [str(path) for path in tmp_path.glob("*.SAFE")]
    (truth,) = tmp_path.glob("*.truth.json")
    known = json.loads(truth.read_text())
    tile = mgrs.tile("36KWE")
    for point in known["targets"] + known["patches"]:
        easting, northing = point["utm"][str(tile.epsg)]
        column, row = ~tile.transform @ (easting, northing)
        # The scene is 7 km wide and the tile 110 km.
        assert np.hypot(column - 5490, row - 5490) < 800
    (dem,) = (tmp_path / "dem").iterdir()
    with rasterio.open(dem) as dataset:
        assert dataset.crs.to_epsg() == 4979


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--polarizations", "VV", "HV"], "VV+HV"),
        (["--tile", "99XXX"], "99XXX"),
        (["--ipf", "9"], "processor version 9: expected"),
        (["--pair", "--swaths", "IW9"], "IW9"),
        (["--pair", "--mode", "SM"], "no pair of mode SM"),
        (["--from-metadata", "/nowhere"], "/nowhere"),
    ],
)
def test_what_cannot_be_simulated_is_told_in_one_line(tmp_path, capsys, words, said):
    assert run(str(tmp_path), "--lines", "50", "--samples", "50", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("name", "value"), [("--longitude", "500"), ("--lines", "0"), ("--start", "yesterday")]
)
def test_a_number_that_cannot_be_is_refused_with_what_can(tmp_path, capsys, name, value):
    with pytest.raises(SystemExit):
        run(str(tmp_path), name, value)
    assert f"{value}: expected" in capsys.readouterr().err


def test_a_pair_lies_around_the_place_asked_for(tmp_path):
    code = run(
        str(tmp_path), "--pair", "--longitude", "5.1", "--latitude", "44.2", "--lines", "90",
        "--samples", "120", "--swaths", "IW2", "IW3", "--orbit-files", "RESORB", "--zip", "stored",
    )  # fmt: skip

    assert code == 0
    first, second = (open_slc(Safe.open(path)) for path in sorted(tmp_path.glob("*.zip")))
    assert first.bursts.keys() == second.bursts.keys()
    assert list(first.swaths) == ["IW2", "IW3"]
    assert first.manifest.footprint.contains(Point(5.1, 44.2))
    assert len(list((tmp_path / "orbits").glob("*_AUX_RESORB_*"))) == 2
    with rasterio.open(next((tmp_path / "dem").iterdir())) as dataset:
        assert box(*dataset.bounds).contains(first.manifest.footprint)


def test_the_demonstration_covers_more_than_a_tenth_of_two_tiles():
    order, terrain = demonstration.order(), demonstration.terrain()
    (frame,) = plan(order, terrain).frames
    line, sample = np.array([8.0, frame.lines - 9.0]), np.array([100.0, frame.samples - 100.0])
    corners = np.degrees(frame.ground(line, sample, terrain)[..., :2])
    ring = corners[[0, 0, 1, 1], [0, 1, 1, 0]]

    covered = []
    for name in ("31TCJ", "31TCH", "31TDJ", "31TDH"):
        tile = mgrs.tile(name)
        to_map = Transformer.from_crs(4326, tile.epsg, always_xy=True)
        left, top = tile.transform.c, tile.transform.f
        square = Polygon(
            [(left, top), (left + 109_800, top), (left + 109_800, top - 109_800),
             (left, top - 109_800)]
        )  # fmt: skip
        seen = Polygon(np.column_stack(to_map.transform(*ring.T)))
        covered.append(seen.intersection(square).area / square.area)

    assert sorted(covered)[-2] > 0.10


def test_a_later_date_of_the_demonstration_is_of_the_same_orbit_and_ground(tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "LINES", 60)
    monkeypatch.setattr(demonstration, "SAMPLES", 80)
    monkeypatch.setattr(demonstration, "SLIP", 0.0)  # only the offset of the image is left
    optical = replace(demonstration.OPTICAL, size=240, clouds=0.0)
    monkeypatch.setattr(demonstration, "OPTICAL", optical)
    first = write_product(tmp_path / "first", optical)

    assert run(str(tmp_path), "--demonstration", "--later", "2") == 0

    (radar,), (later,) = tmp_path.glob("S1*.SAFE"), tmp_path.glob("S2*.SAFE")
    # 350 orbits after the date of the demonstration: the same relative orbit.
    assert "_20210902T1739" in radar.name
    assert f"_{39_156 + 350:06d}_" in radar.name
    assert "_20210829T105621" in later.name
    images = [_red(product) for product in (first, later)]
    found = register(*images, model="shift")
    # The noise of digital numbers leaves hundredths of a pixel; the offset is told in pixels.
    assert found.shift.dy == pytest.approx(0.31, abs=0.03)
    assert found.shift.dx == pytest.approx(-0.24, abs=0.03)


def _red(product):
    (path,) = product.glob("GRANULE/*/IMG_DATA/*_B04.jp2")
    with rasterio.open(path) as dataset:
        return dataset.read(1).astype(np.float32)
