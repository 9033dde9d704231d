"""Cells of pairs go when no order used them for long, and stay as long as one does."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from peps_wps.chains.time_series_s1.cells_life import drop_stale, renew
from peps_wps.chains.time_series_s1.holdings import METHOD, RECORD, state_of
from peps_wps.chains.time_series_s1.tasks import Pair
from peps_wps.config import Config
from peps_wps.datalake.lake import Lake
from peps_wps.errors import ConfigError
from tests.chains.time_series_s1.simulated_stack import SimulatedStack

pytestmark = pytest.mark.xdist_group("time_series")

NOW = datetime.now(UTC)  # orders and kills note the true time
KEEP = timedelta(days=60)


@pytest.fixture
def house(stack: SimulatedStack, tmp_path: Path) -> SimulatedStack:
    """The pairs of an order in a datalake of its own, all of them used 59 days ago."""
    stack.once("full")
    copy = stack.service(f"life-{tmp_path.name}")
    shutil.copytree(stack.service("shared").lake.root, copy.lake.root)
    for pair in pairs_of(copy):
        used(copy.lake, pair, 59.0)
    return copy


def pairs_of(stack: SimulatedStack) -> list[Pair]:
    full = stack.service("planned").plan().tasks
    return [Pair.from_json(task.body) for task in full if task.products]


def used(lake: Lake, pair: Pair, days_ago: float) -> None:
    instant = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(state_of(lake, pair) / RECORD, (instant, instant))


def names(lake: Lake) -> set[str]:
    return set(lake.states("S1-INTERFEROGRAMS-*/*/*"))


def test_cells_that_no_order_used_go_and_maps_stay(house: SimulatedStack) -> None:
    old, *others = pairs_of(house)
    used(house.lake, old, 61.0)
    size = sum(path.stat().st_size for path in state_of(house.lake, old).iterdir())

    assert drop_stale(house.lake, KEEP, NOW) == size
    assert names(house.lake) == {pair.folder for pair in others}
    assert len(list(house.lake.files.products())) == 6
    assert drop_stale(house.lake, KEEP, NOW) == 0


def test_an_order_renews_what_it_uses(house: SimulatedStack) -> None:
    for pair in pairs_of(house):
        used(house.lake, pair, 61.0)
    house.plan(neighbours="1")

    drop_stale(house.lake, KEEP, NOW)

    assert {name.rpartition("/")[2] for name in names(house.lake)} == {
        "20230319_20230331",
        "20230331_20230412",
        "20230412_20230424",
    }


def test_what_was_made_in_another_way_is_made_again(
    house: SimulatedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = house.plan().tasks
    assert not any(task.products for task in held)

    monkeypatch.setattr("peps_wps.chains.time_series_s1.holdings.METHOD", METHOD + 1)
    again = house.plan().tasks

    computed = [Pair.from_json(task.body) for task in again if task.products]
    assert len(computed) == 6
    assert not {pair.folder for pair in computed} & names(house.lake)


def test_cells_that_a_job_works_on_stay(house: SimulatedStack) -> None:
    computed, mapped, *_ = pairs_of(house)
    for pair in (computed, mapped):
        used(house.lake, pair, 61.0)
    with (
        house.lake.lock(f"{computed.folder}/cells", holder="a job"),
        house.lake.lock(f"{mapped.folder}/maps", holder="a job"),
    ):
        assert drop_stale(house.lake, KEEP, NOW) == 0
        # Who computes a pair renews it; another order waits for him.
        assert not renew(house.lake, computed)
    assert len(names(house.lake)) == 6


def test_what_a_killed_task_left_goes_too(house: SimulatedStack) -> None:
    pair, *_ = pairs_of(house)
    state = state_of(house.lake, pair)
    (state / RECORD).unlink()
    assert drop_stale(house.lake, KEEP, NOW) == 0  # it may go on
    instant = (NOW - timedelta(days=61)).timestamp()
    os.utime(state, (instant, instant))
    assert drop_stale(house.lake, KEEP, NOW) > 0
    assert not state.exists()


def test_a_pair_whose_cells_went_is_computed_again(house: SimulatedStack) -> None:
    old, *_ = pairs_of(house)
    used(house.lake, old, 61.0)
    drop_stale(house.lake, KEEP, NOW)
    assert [task.name for task in house.plan().tasks if task.products] == [old.name]


def test_cells_that_an_earlier_version_kept_are_used(house: SimulatedStack) -> None:
    for pair in pairs_of(house):
        path = state_of(house.lake, pair) / RECORD
        body = json.loads(path.read_text())
        for scene in ("reference", "secondary"):
            del body["facts"][scene]["titles"]  # it knew no slices
        path.write_text(json.dumps(body))

    assert not [task for task in house.plan().tasks if task.products]


def test_a_life_shorter_than_a_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cells_days"):
        Config.load(var=tmp_path, environ={"PEPS_DATALAKE_CELLS_DAYS": "0.5"})
    assert Config.load(var=tmp_path, environ={"PEPS_DATALAKE_CELLS_DAYS": "0"}).datalake


def test_cells_that_cannot_be_removed_stop_nobody(
    house: SimulatedStack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stale, other, *_ = pairs_of(house)
    for pair in (stale, other):
        used(house.lake, pair, 61.0)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if stale.folder in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)

    assert drop_stale(house.lake, KEEP, NOW) > 0
    assert stale.folder in names(house.lake)
    assert other.folder not in names(house.lake)
    assert f"cells of {stale.folder} could not be removed: " in caplog.text
