"""CPU and wall time of searches, at client and database."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.catalogue.queries import Answer, Asked

# What a peer or the catalogue found: titles of the page, total, and whether that is exact.
Found = tuple[tuple[str, ...], int | None, bool]
Search = Callable[[Asked], Found]
_START = re.compile(r"\d{8}T\d{6}")


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each search, the least of all passes but the first; and what it found."""

    cpu: np.ndarray
    wall: np.ndarray
    found: list[Found]


def measure(search: Search, mix: Sequence[Asked], *, passes: int, backend: int | None) -> Measured:
    """Search all of a mix several times; CPU is the client's and that of a backend process."""
    cpu, wall = np.empty((passes, len(mix))), np.empty((passes, len(mix)))
    found: list[Found] = []
    for number in range(passes):
        found = []
        for place, asked in enumerate(mix):
            start = time.perf_counter(), time.thread_time() + _used_s(backend)
            found.append(search(asked))
            wall[number, place] = time.perf_counter() - start[0]
            cpu[number, place] = time.thread_time() + _used_s(backend) - start[1]
    return Measured(1e3 * cpu[1:].min(axis=0), 1e3 * wall[1:].min(axis=0), found)


def _used_s(backend: int | None) -> float:
    """Return the CPU seconds that a process has used."""
    if backend is None:
        return 0.0
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def report(
    name: str,
    measured: Measured,
    mix: Sequence[Asked],
    answers: Sequence[Answer],
    *,
    is_peer: bool = False,
) -> None:
    """Print what was measured: all, then group by group.

    A peer may have products that start together in an order of its own.
    """
    page_of = _starts if is_peer else list
    wrong = [
        asked
        for asked, answer, (titles, total, is_exact) in zip(
            mix, answers, measured.found, strict=True
        )
        if page_of(titles) != page_of(answer.titles) or (is_exact and total != answer.total)
    ]
    print(f"{name}: {_line(measured.cpu)} CPU ms, {_line(measured.wall)} wall ms")
    print(f"  wrong answers: {len(wrong)} of {len(mix)}")
    ratios = np.array(
        [
            total / max(answer.total, 1)
            for answer, (_, total, is_exact) in zip(answers, measured.found, strict=True)
            if total is not None and not is_exact
        ]
    )
    if len(ratios):
        good = (np.abs(ratios - 1) <= 0.3).mean()
        print(
            f"  estimated totals: {len(ratios)}, {good:.0%} within 30 %, "
            f"least {ratios.min():.2f}, median {np.median(ratios):.2f}, most {ratios.max():.2f}"
        )
    groups = np.array([asked.group for asked in mix])
    for group in np.unique(groups):
        print(f"  {group}: {_line(measured.cpu[groups == group])} CPU ms")


def _starts(titles: Sequence[str]) -> list[str]:
    """Return the starts of sensing that titles tell."""
    return [_START.findall(title)[0] for title in titles]


def compare(name: str, peer: Measured, ours: Mapping[str, Measured]) -> None:
    """Print how many times the CPU of ours a peer needs."""
    for dialect, measured in ours.items():
        p50, p95 = (np.percentile(peer.cpu, q) / np.percentile(measured.cpu, q) for q in (50, 95))
        print(f"  CPU of {name} over PEPS on {dialect}: p50 {p50:.1f}, p95 {p95:.1f}")


def _line(times: np.ndarray) -> str:
    p50, p95 = np.percentile(times, [50, 95])
    return f"p50 {p50:.2f} p95 {p95:.2f} max {times.max():.2f}"
