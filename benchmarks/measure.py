"""Wall time, CPU time and peak memory of a piece of work in a fresh process."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(frozen=True)
class Cost:
    """Seconds of wall clock and of CPU (user and system, all threads), peak memory in GB."""

    wall_s: float
    cpu_s: float
    peak_gb: float

    def __str__(self) -> str:
        return f"{self.wall_s:6.2f} s wall {self.cpu_s:7.2f} s CPU {self.peak_gb:5.2f} GB"


def measure(work: Callable[[], object], *, warm_up: Callable[[], object] | None = None) -> Cost:
    """Run `work` in a forked process, after `warm_up` that does not count."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, warm_up, sender))
    process.start()
    sender.close()
    try:
        cost: Cost = receiver.recv()
    except EOFError as error:
        process.join()
        raise RuntimeError(f"the work ended with code {process.exitcode}") from error
    process.join()
    return cost


def _run(
    work: Callable[[], object], warm_up: Callable[[], object] | None, sender: Connection
) -> None:
    if warm_up is not None:
        warm_up()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sender.send(Cost(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))
