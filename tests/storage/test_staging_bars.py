"""The bars of the staging layer, by the service's own decisions under a virtual clock.

A seeded sample in the suite, the sizes of the bars with PEPS_DRILLS=1. The figures on record are in
docs/benchmarks.md.
"""

import os
from functools import partial

import numpy as np
import pytest

from benchmarks.staging import eviction, library, report
from benchmarks.staging.workloads import Archive, burst, crowd, large_and_small, stream
from storage.tape_geometry import LTO8, T10000D, TapeDriveModel, Winding

IS_FULL = os.environ.get("PEPS_DRILLS") == "1"
SEEDS = range(5) if IS_FULL else range(1)
HOURS = 24 if IS_FULL else 6
MODELS = {"geometric": TapeDriveModel(Winding()), "measured": LTO8, "t10000d": T10000D}

pytestmark = pytest.mark.drill
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
each_lto = pytest.mark.parametrize("model", [MODELS["geometric"], LTO8], ids=["geometric", "lto8"])
each_seed = pytest.mark.parametrize("seed", SEEDS)


def simulate(workload, policy, model, seed):
    asked = workload(Archive(50, model.locate.geometry), np.random.default_rng(seed))
    run = library.simulate(asked, policy, model)
    assert len(run.served) == len(asked)
    return run


@each_seed
@each_model
def test_a_burst_is_served_four_times_sooner_than_first_come_first_served(model, seed):
    workload = partial(burst, count=1000)
    first_come, grouped, ours = (
        simulate(workload, policy, model, seed)
        for policy in (library.FIFO, library.GROUPED, library.SERVICE)
    )
    assert first_come.makespan_s >= 2.4 * grouped.makespan_s
    assert first_come.makespan_s >= 4.0 * ours.makespan_s
    assert ours.mounts <= 55
    for run in (grouped, ours):
        assert report.is_oldest_first(run, library.MAX_WAIT_S)


@each_seed
@each_model
def test_where_drives_idle_nobody_waits_longer_than_first_come_first_served(model, seed):
    workload = partial(stream, rate_per_h=60, hours=HOURS, users=50)
    ours, first_come = (
        report.waits_min(simulate(workload, policy, model, seed)).mean()
        for policy in (library.SERVICE, library.FIFO)
    )
    assert ours <= 1.05 * first_come


@each_seed
@each_lto
def test_in_a_steady_crowd_nobody_waits_longer_than_max_wait_and_a_batch(model, seed):
    workload = partial(stream, rate_per_h=250, hours=HOURS, users=50)
    assert report.slack_min(simulate(workload, library.SERVICE, model, seed)) >= 0


@each_seed
def test_too_many_requests_are_all_served_and_in_larger_batches(seed):
    few, many = (
        simulate(partial(stream, rate_per_h=rate, hours=2, users=50), library.SERVICE, LTO8, seed)
        for rate in (250, 600)
    )
    assert many.recalls / many.mounts > 1.5 * few.recalls / few.mounts


@each_seed
def test_fifty_users_who_ask_alike_are_served_alike_and_each_file_is_read_once(seed):
    run = simulate(partial(crowd, users=50, products=2000, each=200), library.SERVICE, LTO8, seed)
    assert report.unfairness(run) < 0.10
    assert run.recalls <= 2000
    assert run.mounts <= 55


@each_seed
@pytest.mark.parametrize("after_s", [600.0, 5400.0])
def test_three_files_do_not_wait_for_an_order_of_a_thousand(after_s, seed):
    workload = partial(large_and_small, large=1000, after_s=after_s)
    run = simulate(workload, library.SERVICE, LTO8, seed)
    small_s = max(one.wait_s for one in run.served if one.user == "small")
    # A drive must end its batch first; three files may lie on three tapes of as many drives.
    assert small_s <= 3 * run.longest_session_s
    assert small_s < run.makespan_s / 4


@each_seed
@pytest.mark.parametrize("share", [0.05, 0.10, 0.20] if IS_FULL else [0.05])
def test_eviction_saves_five_points_of_recall_time_more_than_lru(share, seed):
    size = (5000, 25_000) if IS_FULL else (1500, 5000)
    trace = eviction.draw_trace(*size, np.random.default_rng(seed))
    room = int(share * trace.sizes.sum())
    saved = {one.name: eviction.saved(trace, one, room) for one in eviction.POLICIES}
    assert saved["GDSF"] >= saved["LRU"] + 0.05
    assert saved["GDSF"] == pytest.approx(saved["GDSF, cost in seconds"], abs=0.005)
    assert saved["FIFO"] < saved["LRU"] < saved["LFU with ageing"] < saved["GDSF"]
