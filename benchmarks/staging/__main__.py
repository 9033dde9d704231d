"""Waiting at the tape library, and what the pool saves: tables of the staging layer's bars.

python -m benchmarks.staging                  # everything, five seeds: about 4 min of CPU
python -m benchmarks.staging burst --seeds 1 --picture burst.svg
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.staging import eviction, library, report
from benchmarks.staging.workloads import (
    Archive,
    Asked,
    burst,
    crowd,
    large_and_small,
    stream,
)
from storage.tape_geometry import LTO8, T10000D, TapeDriveModel, Winding

TAPES = 50
MODELS = {
    "LTO-8, geometric": TapeDriveModel(Winding()),
    "LTO-8, measured locates": LTO8,
    "T10000D, measured locates": T10000D,
}
Workload = Callable[[Archive, np.random.Generator], list[Asked]]
ONE_BURST = partial(burst, count=1000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.staging")
    parser.add_argument("work", nargs="?", choices=[*_WORKS, "all"], default="all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--picture", type=Path, help="where to draw the drives in one burst")
    arguments = parser.parse_args()
    for name, work in _WORKS.items():
        if arguments.work in {name, "all"}:
            work(range(arguments.seeds))
    if arguments.picture:
        (run,) = _runs(library.SERVICE, LTO8, [0], ONE_BURST)
        report.draw_drives(run, arguments.picture)


def bursts(seeds: Sequence[int]) -> None:
    """Print 1000 products of 50 tapes, asked for within a minute, 4 drives, by every policy."""
    for name, model in MODELS.items():
        runs = {policy.name: _runs(policy, model, seeds, ONE_BURST) for policy in library.POLICIES}
        first_come_s = np.array([run.makespan_s for run in runs[library.FIFO.name]])
        for policy, these in runs.items():
            spans_s = np.array([run.makespan_s for run in these])
            waits = np.mean([report.waits_min(run).mean() for run in these])
            is_ordered = all(report.is_oldest_first(run, library.MAX_WAIT_S) for run in these)
            print(
                f"{name:26s} {policy:27s} {spans_s.mean() / 3600:6.2f} h, times better "
                f"{(first_come_s / spans_s).mean():5.2f} (worst "
                f"{(first_come_s / spans_s).min():5.2f}), mean wait {waits:4.0f} min, "
                f"mounts {max(run.mounts for run in these)}, "
                f"oldest first after max_wait: {is_ordered}"
            )


def steady(seeds: Sequence[int]) -> None:
    """Print requests that keep coming for a day: few, many, too many."""
    for rate, policies in (
        (60, (library.FIFO, library.SERVICE)),
        (250, (library.FIFO, library.GROUPED, library.SERVICE)),
        (400, (library.SERVICE,)),
    ):
        workload = partial(stream, rate_per_h=rate, hours=24, users=50)
        for name, model in MODELS.items():
            for policy in policies:
                runs = _runs(policy, model, seeds, workload)
                waits = np.concatenate([report.waits_min(run) for run in runs])
                slack = min(report.slack_min(run) for run in runs)
                print(
                    f"{rate:3d}/h {name:26s} {policy.name:27s} wait: mean {waits.mean():6.1f} "
                    f"p95 {np.percentile(waits, 95):6.1f} longest {waits.max():6.1f} min; "
                    f"below max_wait + longest batch by {slack:6.1f} min"
                )


def fair(seeds: Sequence[int]) -> None:
    """Print 50 users who order 200 of 2,000 products each; 3 files beside an order of 2,000."""
    for name, model in MODELS.items():
        runs = _runs(
            library.SERVICE, model, seeds, partial(crowd, products=2000, users=50, each=200)
        )
        apart = max(report.unfairness(run) for run in runs)
        halfway = max(report.unfairness_halfway(run) for run in runs)
        print(
            f"{name:26s} 50 users alike: mean waits within {apart:.1%}, bytes halfway within "
            f"{halfway:.1%}; {max(run.recalls for run in runs)} recalls"
        )
        for after_s in (600, 5400):
            runs = _runs(
                library.SERVICE, model, seeds, partial(large_and_small, large=2000, after_s=after_s)
            )
            small_s = max(one.wait_s for run in runs for one in run.served if one.user == "small")
            print(
                f"{name:26s} 3 files, {after_s / 60:.0f} min after an order of 2,000: at most "
                f"{small_s / 60:.0f} min; the order {max(r.makespan_s for r in runs) / 3600:.1f} h"
            )


def evictions(seeds: Sequence[int]) -> None:
    """Print what pools of 5, 10 and 20 % of the archive save."""
    names = [policy.name for policy in eviction.POLICIES]
    for share in (0.05, 0.10, 0.20):
        saved = np.array([_saved(seed, share) for seed in seeds]) * 100
        means = ", ".join(
            f"{name} {mean:.1f}" for name, mean in zip(names, saved.mean(axis=0), strict=True)
        )
        gain = (saved[:, names.index("GDSF")] - saved[:, names.index("LRU")]).min()
        print(f"pool {share:.0%}: % of recall time saved: {means}; least gain over LRU {gain:.1f}")


def _saved(seed: int, share: float) -> list[float]:
    trace = eviction.draw_trace(5000, 25_000, np.random.default_rng(seed))
    room = int(share * trace.sizes.sum())
    return [eviction.saved(trace, policy, room) for policy in eviction.POLICIES]


def _runs(
    policy: library.Policy, model: TapeDriveModel, seeds: Sequence[int], workload: Workload
) -> list[library.Run]:
    archive = Archive(TAPES, model.locate.geometry)
    return [
        library.simulate(workload(archive, np.random.default_rng(seed)), policy, model)
        for seed in seeds
    ]


_WORKS: dict[str, Callable[[Sequence[int]], None]] = {
    "burst": bursts,
    "steady": steady,
    "fair": fair,
    "eviction": evictions,
}

if __name__ == "__main__":
    main()
