"""What S1_COHERENCE gives of simulated dates, against what is true of them."""

import json
import multiprocessing
import os
import random
import signal
import zipfile

import numpy as np
import pystac
import pytest
import rasterio
from PIL import Image

from algorithms import mgrs
from peps_wps.chains.coherence_s1.chain import CoherenceS1
from peps_wps.errors import InvalidInputError
from simulator.tops.score import score_coherence
from tests.chains.interruptions import die_after
from tests.chains.simulated_pass import DRILLS

FORK = multiprocessing.get_context("fork")
# What an order of one pair and polarisation does to the disk before it renames its zip.
STEPS_OF_AN_ORDER = 23


@pytest.fixture(scope="module")
def series(both, tmp_path_factory):
    titles = [product.title for product in both.products]
    folder = tmp_path_factory.mktemp("coherence")
    return both.make(CoherenceS1(), folder, {"products": titles[::-1], "resolution": ["60"]})


def pairs_of(made):
    return [done for done in made.finished if not done.task.products]


@pytest.mark.parametrize("polarization", ["vv", "vh"])
def test_the_coherence_is_that_of_the_ground(both, series, polarization):
    first = pairs_of(series)[0]
    (path,) = first.folder.rglob(f"*_{polarization}_*_coherence.tif")
    # 100 independent looks scatter by 0.014 each: their mean by less than 0.001.
    assert abs(score_coherence(both.truth, path)) < 0.01


def test_consecutive_dates_make_the_pairs(both, series):
    days = [f"{product.start:%Y%m%d}" for product in both.products]
    assert [done.task.name for done in pairs_of(series)] == [
        f"{days[0]}_{days[1]}",
        f"{days[1]}_{days[2]}",
    ]


def test_pixels_are_those_of_sentinel_2(series):
    for path in pairs_of(series)[0].folder.rglob("*.tif"):
        tile = mgrs.tile(path.parent.name)
        with rasterio.open(path) as dataset:
            assert dataset.crs.to_epsg() == tile.epsg
            assert dataset.shape == (1830, 1830)
            assert dataset.bounds == pytest.approx(tile.bounds)


def test_the_zip_holds_both_polarisations_of_every_pair_and_sound_items(series):
    (path,) = series.folder.glob("*.zip")
    names = zipfile.ZipFile(path).namelist()
    assert sum(name.endswith("_coherence.tif") for name in names) == 4
    assert "2-passes" in path.name
    assert {done.result.body["stem"].split("_")[2] for done in pairs_of(series)} == {"vvvh"}
    for done in pairs_of(series):
        (found,) = done.folder.rglob("*.json")
        item = pystac.Item.from_file(str(found))
        assert {"vv", "vh"} < item.assets.keys()
        assert item.properties["sar:polarizations"] == ["VV", "VH"]
        assert item.properties["grid:code"] == f"MGRS-{found.parent.name}"


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"products": ["one"]}, "expected 2"),
        ({"polarizations": ["HH"]}, "polarization HH is not in"),
        ({"resolution": ["80"]}, "expected one of"),
        ({"tiles": ["32TQM"]}, "lies outside"),
        ({"coherence_looks": ["0.5"]}, "expected a number from 1 to 500"),
    ],
)
def test_orders_that_cannot_work_are_refused(both, inputs, told):
    titles = [product.title for product in both.products]
    with pytest.raises(InvalidInputError, match=told):
        both.plan(CoherenceS1(), {"products": titles, **inputs})


def test_coherences_of_few_looks_are_told(both, tmp_path):
    inputs = {**both.titles(), "polarizations": ["VV"], "resolution": ["60"], "looks": ["5x1"]}
    found = {}
    for wanted in ("1", "100"):
        asked = {**inputs, "coherence_looks": [wanted]}
        made = both.make(CoherenceS1(), tmp_path / wanted, asked)
        (path,) = made.last.folder.rglob("*_coherence.json")
        told = pystac.Item.from_file(str(path)).properties
        is_told = any("independent looks" in text for text in told["peps:warnings"])
        bias = score_coherence(both.truth, made.layer("coherence"))
        found[wanted] = is_told, told["peps:coherence_looks"], bias

    assert found["1"][:2] == (True, pytest.approx(3.4, abs=0.2))
    assert found["100"][:2] == (False, pytest.approx(100.0, rel=0.01))
    # The phase of a cell of few looks has no slope to speak of; what is joined loses none either.
    assert abs(found["100"][2]) < 0.01


def test_a_pair_may_be_given_as_reference_and_secondary(both):
    _, tasks = both.plan(CoherenceS1(), both.titles())
    assert len([task for task in tasks if not task.products]) == 1


def order_once(both, folder):
    inputs = {**both.titles(), "polarizations": ["VV"], "resolution": ["60"]}
    return both.make(CoherenceS1(), folder, inputs)


def killed_after(steps, both, folder):
    """Make a coherence, and die without a word after so many steps on disk."""
    die_after(steps)
    order_once(both, folder)
    os._exit(0)


def read_whole(path):
    """Read all of a file; its reader raises where something is missing."""
    if path.suffix == ".tif":
        with rasterio.open(path) as dataset:
            dataset.read()
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            assert all(arrays[name] is not None for name in arrays.files)
    elif path.suffix == ".zip":
        assert zipfile.ZipFile(path).testzip() is None
    elif path.suffix == ".json":
        json.loads(path.read_text())
    else:
        Image.open(path).load()


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(20 if DRILLS else 1))
def test_a_killed_order_leaves_no_half_file(both, tmp_path, seed):
    steps = random.Random(seed).randint(1, STEPS_OF_AN_ORDER)
    process = FORK.Process(target=killed_after, args=(steps, both, tmp_path / "killed"))
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    # What is not finished has a name with a point before it.
    for path in (tmp_path / "killed").rglob("[!.]*"):
        if path.is_file():
            read_whole(path)
    assert not list(tmp_path.glob("killed/out/[!.]*.zip"))
