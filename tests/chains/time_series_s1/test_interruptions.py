"""S1_TIME_SERIES killed anywhere, or ordered again: pairs that are there are not computed again."""

import json
import multiprocessing
import os
import pickle
import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from tests.chains.interruptions import assert_same, die_after
from tests.chains.simulated_pass import DRILLS
from tests.chains.time_series_s1.simulated_stack import Run, SimulatedStack

pytestmark = pytest.mark.xdist_group("time_series")

# Not forked: threads of an unwrapper that this process has used are missing in a copy of it.
SPAWN = multiprocessing.get_context("spawn")
STEPS_OF_AN_ORDER = 500
TIMES = ("created", "updated")


def maps_of(stack: SimulatedStack) -> dict[str, Any]:
    """What is published: pixels, and properties without the times at which they were made."""
    found: dict[str, Any] = {}
    for product in stack.lake.files.products():
        found[product.path] = {
            key: value for key, value in product.item["properties"].items() if key not in TIMES
        }
        for name in product.files:
            path = f"{product.folder}/{name}"
            with rasterio.open(stack.lake.files.path(path)) as dataset:
                found[path] = dataset.read()
    return found


def go_on(stack: SimulatedStack, journal: Path) -> Run:
    """Do what a job does with its tasks: those that ended before are not done again."""
    if journal.exists():
        run: Run = pickle.loads(journal.read_bytes())
    else:
        run = stack.plan(neighbours="1")
    for task in run.tasks:
        if task.name not in run.finished:
            stack.do(task, run)
            journal.with_suffix(".part").write_bytes(pickle.dumps(run))
            journal.with_suffix(".part").rename(journal)
    return run


def killed_after(steps: int, stack: SimulatedStack, journal: Path) -> None:
    """Work until so many steps are done, then die without a word."""
    die_after(steps)
    go_on(stack, journal)
    os._exit(0)


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(20 if DRILLS else 1))
def test_a_killed_order_ends_as_one_that_was_not(
    stack: SimulatedStack, seed: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    whole = stack.service("killed-not")
    expected = whole.gather(go_on(whole, stack.folder / "killed-not.journal"))
    other = stack.service(f"killed-{seed}")
    journal = tmp_path / "journal"
    for _ in range(3 if DRILLS else 1):
        process = SPAWN.Process(
            target=killed_after, args=(rng.randrange(1, STEPS_OF_AN_ORDER), other, journal)
        )
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
    run = other.gather(go_on(other, journal))

    assert_same(maps_of(other), maps_of(whole))
    for kind in ("velocity", "displacement"):
        # Another process may round float32 otherwise: a thousandth of the noise.
        np.testing.assert_allclose(run.values(kind), expected.values(kind), rtol=0, atol=2e-6)
    for product in other.lake.files.products():
        assert list(other.lake.files.damage(product)) == []


def test_what_is_there_is_not_computed_again(stack: SimulatedStack) -> None:
    stack.once("full")
    shared = stack.service("shared")
    before = {path: path.stat().st_mtime_ns for path in shared.lake.root.rglob("*.tif")}
    again = shared.order()

    assert not any(task.products for task in again.tasks)
    after = {path: path.stat().st_mtime_ns for path in shared.lake.root.rglob("*.tif")}
    assert after == before
    np.testing.assert_array_equal(again.values("velocity"), stack.once("full").values("velocity"))


def test_other_looks_are_other_pairs(stack: SimulatedStack) -> None:
    stack.once("full")
    shared = stack.service("shared")
    assert sum(bool(task.products) for task in shared.plan(looks="4x1").tasks) == 6
    assert not any(task.products for task in shared.plan(atmosphere="planes").tasks)


def test_a_reprocessed_product_is_computed_again(stack: SimulatedStack) -> None:
    stack.once("full")
    renamed = stack.service("shared").changed(2, title=stack.products[2].title[:-4] + "FFFF")
    names = [task.name for task in renamed.plan().tasks if task.products]
    assert names == [
        "2023-03-19 2023-04-12",
        "2023-03-31 2023-04-12",
        "2023-04-12 2023-04-24",
    ]


def test_items_of_pairs_say_how_they_were_made(stack: SimulatedStack) -> None:
    stack.once("full")
    products = list(stack.service("shared").lake.files.products())
    folder = products[0].folder
    assert folder.startswith("S1-INTERFEROGRAMS-")
    item = products[0].item
    assert set(item["assets"]) == {"unw", "coherence", "components"}
    assert item["properties"]["peps:input_products"] == stack.titles.split()[:2]
    assert item["properties"]["peps:azimuth_shift_lines"] == pytest.approx(0.012, abs=2e-3)
    json.dumps(item, allow_nan=False)
