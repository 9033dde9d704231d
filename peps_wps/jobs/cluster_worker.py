"""On a dask worker: one task in a process of its own, which ends when nobody wants it any more.

A thread of a dask worker cannot be stopped, a process can. The task of dask is a thread that starts
the process and listens to it; the process is killed when the task is cancelled (its job was
dismissed, lost its lease or its executor, which dask sees as a client that has gone), when the
worker closes, and by its lifeline when the worker dies.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing import connection as pipes
from multiprocessing.context import ForkServerProcess
from typing import Any

from distributed import Status, get_worker

from peps_wps.jobs import cluster_child
from peps_wps.jobs.cluster_child import Outcome, Told, packed
from peps_wps.jobs.lifeline import exit_reason, kill_group
from peps_wps.jobs.task_work import TaskLostError, TaskWork

TOPIC = "peps-progress"
POLL_S = 0.2
# How often a task that has nothing to tell is heard of all the same.
SIGN_OF_LIFE_S = 2.0
LEAVE_S = 1.0

_CONTEXT = multiprocessing.get_context("forkserver")
# Lists of children and their exit codes are not made for several threads.
_children = threading.Lock()

# The main module of a worker is imported anew by each of its children: at no cost where the process
# that they are forked from has its modules.
_PRELOADED = ("distributed.cli.utils", cluster_child.__name__)

_AT_WORK = ("executing", "long-running")
_CLOSING = (Status.closing, Status.closed, Status.failed)


def run_on_worker(work: TaskWork, zygote: str) -> bytes:
    """Run one task in a process of its own; called by dask in a thread of a worker.

    Parameters
    ----------
    work
        The task.
    zygote
        The module that warms up the process tasks are forked from, at the first one.

    Returns
    -------
    How it ended, packed: what it raised comes back as a value, so that dask knows only of failures
    of its own.
    """
    worker = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        known = worker.state.tasks.get(key)
        is_open = worker.status not in _CLOSING
        return is_open and known is not None and known.state in _AT_WORK

    def tell(told: Told) -> None:
        worker.log_event(TOPIC, {"key": key, "message": told.message, "percent": told.percent})

    return supervise(work, zygote, is_wanted, tell)


def supervise(
    work: TaskWork, zygote: str, is_wanted: Callable[[], bool], tell: Callable[[Told], None]
) -> bytes:
    """Run a task in a process of its own as long as it is wanted."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    with receiver:
        with sender:
            process = _start(work, sender, zygote)
        try:
            return _listen(process, receiver, is_wanted, tell)
        finally:
            _end(process)


def _start(work: TaskWork, sender: Any, zygote: str) -> ForkServerProcess:
    with _children:
        if multiprocessing.current_process().daemon:
            # As the workers of a nanny are: they could have no children.
            multiprocessing.current_process().daemon = False
        _CONTEXT.set_forkserver_preload([*_PRELOADED, zygote, work.config.processing.chains])
        process = _CONTEXT.Process(
            target=cluster_child.main,
            args=(work, sender),
            name=f"job-{work.job}-{work.number}",
            daemon=True,
        )
        process.start()
    return process


def _listen(
    process: ForkServerProcess,
    receiver: Any,
    is_wanted: Callable[[], bool],
    tell: Callable[[Told], None],
) -> bytes:
    """Pass on what the process tells, until its outcome, its death, or nobody wants either."""
    said = Told("Starting", 0)
    heard_at = 0.0
    while is_wanted():
        if time.monotonic() - heard_at > SIGN_OF_LIFE_S:
            heard_at = time.monotonic()
            tell(said)
        if not pipes.wait([receiver, process.sentinel], POLL_S):
            continue
        try:
            said = receiver.recv()
        except EOFError:
            return _lost(_death_of(process))
        if isinstance(said, bytes):
            return said
        heard_at = 0.0
    return _lost("it was ended")


def _lost(reason: str) -> bytes:
    return packed(Outcome(error=TaskLostError(reason)))


def _death_of(process: ForkServerProcess) -> str:
    with _children:
        process.join(LEAVE_S)
        return exit_reason(process.exitcode)


def _end(process: ForkServerProcess) -> None:
    """Bury a process; one that does not leave by itself is killed with its group."""
    with _children:
        process.join(0)
        if process.exitcode is None and process.pid is not None:
            kill_group(process.pid)
        process.join()
        process.close()
