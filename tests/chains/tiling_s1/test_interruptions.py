"""S1_TILING killed anywhere, ordered twice at once, or out of disk: the datalake ends the same."""

import errno
import json
import multiprocessing
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
import rasterio

from peps_wps.chains.contract import Task
from tests.chains.interruptions import assert_same, die_after
from tests.chains.simulated_pass import DRILLS
from tests.chains.tiling_s1.simulated_series import Run, SimulatedSeries, simulate_series

pytestmark = pytest.mark.xdist_group("tiling")

FORK = multiprocessing.get_context("fork")
# Of an item: when it was made, and what depends on that.
TIMES = ("created", "updated", "peps:source_checksum")
STEPS_A_TASK = 60
CPU_S_A_TASK = 0.3


def journal_of(run: Run) -> list[str]:
    path = run.config.var / "ended"
    return path.read_text().splitlines() if path.exists() else []


def work_on(run: Run, tasks: list[Task]) -> None:
    """Do what a job does with its tasks: those that ended before are not done again."""
    for task in tasks:
        if task.name not in journal_of(run):
            run.do(task)
            with (run.config.var / "ended").open("a") as stream:
                stream.write(f"{task.name}\n")


def killed_after(steps: int, run: Run, tasks: list[Task]) -> None:
    """Work until so many steps are done, then die without a word."""
    die_after(steps)
    work_on(run, tasks)
    os._exit(0)


def killed_within(seconds: float, run: Run, tasks: list[Task]) -> None:
    """Work until so much time of the cores is used, then die without a word, even in a kernel."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process as SIGKILL does
    signal.setitimer(signal.ITIMER_PROF, seconds)
    work_on(run, tasks)
    os._exit(0)


def contents(run: Run) -> dict[str, Any]:
    """What is published: pixels, and items without the times at which they were made."""
    found: dict[str, Any] = {}
    for name, content in run.files().items():
        if name.endswith(".tif"):
            with rasterio.open(run.config.datalake.path / name) as dataset:
                found[name] = dataset.read()
        elif name.endswith(".json"):
            found[name] = timeless(json.loads(content))
        else:
            found[name] = content
    return found


def timeless(document: Any) -> Any:
    if isinstance(document, dict):
        return {
            key: timeless(value)
            for key, value in document.items()
            if key not in TIMES and not key.startswith("file:")
        }
    return [timeless(one) for one in document] if isinstance(document, list) else document


def assert_as_uninterrupted(run: Run, expected: Run) -> None:
    assert_same(contents(run), contents(expected))
    assert_whole(run)


def assert_whole(run: Run) -> None:
    for product in run.lake.files.products():
        assert list(run.lake.files.damage(product)) == []


def interrupt_and_resume(series: SimulatedSeries, name: str, rng: random.Random) -> Run:
    """Kill an order up to three times at random steps and in between, then let it end."""
    run = series.service(name)
    tasks = run.plan()
    for attempt in range(3):
        if attempt % 2:
            steps = rng.randrange(1, STEPS_A_TASK * len(tasks))
            process = FORK.Process(target=killed_after, args=(steps, run, tasks))
        else:
            seconds = rng.uniform(0.01, CPU_S_A_TASK * len(tasks))
            process = FORK.Process(target=killed_within, args=(seconds, run, tasks))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode in (-signal.SIGKILL, -signal.SIGPROF)
        assert_whole(run)
    work_on(run, tasks)
    return run


@pytest.fixture(scope="session")
def long_series(series: SimulatedSeries, tmp_path_factory) -> SimulatedSeries:
    """Fifteen dates for drills."""
    return simulate_series(tmp_path_factory.mktemp("long"), dates=15) if DRILLS else series


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(20 if DRILLS else 3))
def test_a_killed_order_ends_as_one_that_was_not(long_series: SimulatedSeries, seed: int) -> None:
    expected = long_series.once("full", lambda run: run.order(archive="true"))
    run = interrupt_and_resume(long_series, f"killed-{seed}", random.Random(seed))

    assert_as_uninterrupted(run, expected)


def computed_by(run: Run, tasks: list[Task], states: Any) -> None:
    for task in tasks:
        states.put((task.name, run.do(task).result.body.get("state")))


def test_of_two_orders_at_once_one_does_the_work(series: SimulatedSeries) -> None:
    first = series.only(0, 1).service("at once")
    second = Run(first.archive, first.config)
    tasks = first.plan()
    states = FORK.SimpleQueue()
    processes = [
        FORK.Process(target=computed_by, args=(run, tasks, states)) for run in (first, second)
    ]
    for process in processes:
        process.start()
    told = [states.get() for _ in range(2 * len(tasks))]
    for process in processes:
        process.join()

    for task in tasks[:-1]:
        assert sorted(state for name, state in told if name == task.name) == ["held", "published"]
    assert len(first.plan()) == 1


def test_a_full_disk_stops_the_order_and_it_goes_on_when_there_is_room(
    series: SimulatedSeries, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = series.only(0, 1).service("full disk")
    tasks = run.plan()
    run.do(tasks[0])

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("storage.datalake._bring", refuse)
        with pytest.raises(OSError, match="No space left"):
            run.do(tasks[1])
    assert [name.rpartition("/")[2][-19:] for name in run.files() if name.endswith(".tif")] == [
        "20210809t173953.tif"
    ]
    for task in tasks[1:]:
        run.do(task)
    assert len([name for name in run.files() if name.endswith("_filtered.tif")]) == 2


def test_nothing_that_is_being_written_is_listed(full: Run) -> None:
    assert list(Path(full.config.datalake.path).rglob(".part-*")) == []
