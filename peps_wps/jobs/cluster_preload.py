"""Loaded by the dask workers on Slurm when they start: none of them outlives its closing.

A worker that closes waits for its own tasks of asyncio, and some of them never end (seen with
distributed 2026.8.0 in workers that had lost their scheduler: one in five hung in
``asyncio.Runner.close``). It would keep its place on the node until its time limit.
"""

import os
import threading
import time

from distributed import Status, Worker

POLL_S = 1.0
LEAVE_S = 5.0

_CLOSING = (Status.closing, Status.closed, Status.failed)


def dask_setup(worker: Worker) -> None:
    """Watch over a worker; the name is dask's."""
    threading.Thread(target=_end_with, args=(worker,), name="end", daemon=True).start()


def _end_with(worker: Worker) -> None:
    while worker.status not in _CLOSING:
        time.sleep(POLL_S)
    time.sleep(LEAVE_S)
    os._exit(1)
