"""Supervisors in processes of their own, with the recalls and the dispatcher that belong to them.

They are forked from a server that has imported everything: a test that starts one need not wait
for imports. They share nothing with the process of the tests but its environment.
"""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from peps_wps.config import Config
from peps_wps.jobs.service import run_workers
from tests.patience import stretched

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["peps_wps.jobs.service", "sqlalchemy.dialects.postgresql.psycopg"])


def start_workers(config: Config) -> BaseProcess:
    """Start a supervisor, without the kernels of chains that compute."""
    process = _CONTEXT.Process(target=_work, args=(config, dict(os.environ)))
    process.start()
    return process


def _work(config: Config, environment: dict[str, str]) -> None:
    """Work in an environment: the server that forks keeps that of its own beginning."""
    os.environ.clear()
    os.environ.update(environment)
    run_workers(config, zygote="peps_wps.jobs.child")


def end(process: BaseProcess, limit_s: float = 20.0) -> None:
    """Have a supervisor end in order, or kill it when that takes too long."""
    process.terminate()
    process.join(stretched(limit_s))
    if process.is_alive():
        process.kill()
        process.join()


@contextmanager
def working(config: Config) -> Iterator[None]:
    """Have a supervisor at work."""
    process = start_workers(config)
    try:
        yield
    finally:
        end(process)
