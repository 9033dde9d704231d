"""Services that kill themselves at a named step of a recall or of an eviction.

A child is forked from the warm process of the tests; in it, one method of the product is wrapped so
that the n-th call of it is the last thing that the process does.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peps_wps.staging.ledgers import RecallRows, ReplicaRows
from storage.backends.simtape import SimulatedTape
from storage.part_file import PartFile
from storage.pool import Pool
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld

# step -> (class, method, killed after it and not before)
STEPS: dict[str, tuple[type, str, bool]] = {
    "after the claim": (RecallRows, "claim", True),
    "before the tape is asked": (SimulatedTape, "submit", False),
    "after the tape was asked": (SimulatedTape, "submit", True),
    "while bytes arrive": (PartFile, "write", True),
    "before the verification": (PartFile, "verify", False),
    "before the rename": (PartFile, "publish", False),
    "between the rename and the commit": (PartFile, "publish", True),
    "before the commit": (RecallRows, "complete", False),
    "after the commit": (RecallRows, "complete", True),
    "before the drive is free": (SimulatedTape, "release", False),
    "before an eviction": (ReplicaRows, "condemn", False),
    "in an eviction, before a file goes": (ReplicaRows, "condemn", True),
    "in an eviction, before the commit": (Pool, "remove", True),
    "after an eviction": (ReplicaRows, "discard", True),
}
_FORK = multiprocessing.get_context("fork")


def work_until_killed(world: ArchiveWorld, policy: RecallPolicy, step: str, countdown: int) -> bool:
    """Let a service work in a child until its n-th arrival at a step; False if it never came."""
    child = _FORK.Process(target=_work, args=(world, policy, step, countdown), daemon=True)
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def _work(world: ArchiveWorld, policy: RecallPolicy, step: str, countdown: int) -> None:
    world.engine.dispose(close=False)  # its connections are the parent's
    _watch(world)
    kind, method, after = STEPS[step]
    _wrap(kind, method, _killed_at(countdown, after=after))
    service = world.service(policy)
    for engine in service.engines.values():
        engine.start()
    while service.run_once():
        pass


def _watch(world: ArchiveWorld) -> None:
    """Note what becomes visible, and that the budget holds whenever bytes are added."""
    pool = world.config.storage.path
    budget = int(world.config.storage.budget_gb * 1e9)

    def noting(part: PartFile, original: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        result = original(part, *arguments)
        _note(world, f"published {part.path.name.split('-')[1]}")
        return result

    def weighing(part: PartFile, original: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        result = original(part, *arguments)
        part.stream.flush()
        if bytes_in(pool) > budget:
            _note(world, "over-budget 0")
        return result

    _wrap(PartFile, "publish", noting)
    _wrap(PartFile, "write", weighing)


def _killed_at(countdown: int, *, after: bool) -> Callable[..., Any]:
    calls = iter(range(1, 10**9))

    def fatal(this: Any, original: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        is_last = next(calls) == countdown
        if is_last and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(this, *arguments)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return fatal


def _wrap(kind: type, method: str, wrapper: Callable[..., Any]) -> None:
    original = getattr(kind, method)

    def wrapped(this: Any, *arguments: Any) -> Any:
        return wrapper(this, original, arguments)

    setattr(kind, method, wrapped)


def bytes_in(folder: Path) -> int:
    """Return the bytes of all files under a folder, those being written included."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _note(world: ArchiveWorld, line: str) -> None:
    with (world.root / "journal").open("a") as journal:
        journal.write(f"{line}\n")


def noted(world: ArchiveWorld, word: str) -> list[int]:
    """Return what the children noted under a word."""
    journal = world.root / "journal"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith(f"{word} ")]
