"""The process of one task on a node of a cluster: it runs the task and tells how that goes."""

import pickle
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from tblib import pickling_support

from peps_wps import logs
from peps_wps.chains.contract import Progress
from peps_wps.jobs.lifeline import be_killed_first, die_with_parent
from peps_wps.jobs.task_work import TaskDone, TaskWork, run_task

TELL_INTERVAL_S = 0.5


class Told(NamedTuple):
    """How far a task is."""

    message: str
    percent: float


@dataclass(frozen=True)
class Outcome:
    """How a task ended: what it gave, or what it raised."""

    done: TaskDone | None = None
    error: BaseException | None = None


def main(work: TaskWork, sender: "Connection[Any, Any]") -> None:
    """Run one task, in a process group of its own; the last that is sent is the outcome."""
    die_with_parent()
    be_killed_first()
    logs.configure(replace(work.config.logging, file=None))
    try:
        outcome = Outcome(done=run_task(work, _teller(sender)))
    except BaseException as error:  # noqa: BLE001  judged by the executor of the job
        outcome = Outcome(error=error)
    sender.send(packed(outcome))


def packed(outcome: Outcome) -> bytes:
    """Return an outcome as it travels: an error with its traceback and causes."""
    if outcome.error is None:
        return pickle.dumps(outcome)
    pickling_support.install(outcome.error)
    try:
        travelling = pickle.dumps(outcome)
        pickle.loads(travelling)  # noqa: S301  just made
    except Exception:  # noqa: BLE001  whatever a constructor does with fewer arguments
        travelling = pickle.dumps(Outcome(error=RuntimeError(repr(outcome.error))))
    return travelling


def unpacked(travelling: bytes) -> Outcome:
    """Return the outcome that came from a worker of our own cluster."""
    outcome: Outcome = pickle.loads(travelling)  # noqa: S301
    return outcome


def _teller(sender: "Connection[Any, Any]") -> Progress:
    """Return a progress function that sends now and then."""
    next_at = 0.0

    def progress(message: str, percent: float) -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at:
            next_at = now + TELL_INTERVAL_S
            sender.send(Told(message, percent))

    return progress
