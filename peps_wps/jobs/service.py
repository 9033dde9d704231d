"""The process that works: recalls, the dispatcher and the supervisor of jobs under one roof."""

import logging
import signal
import threading
from collections.abc import Callable

from catalog_db.engine import create_engine
from peps_wps import logs
from peps_wps.config import Config
from peps_wps.jobs.dispatcher import Dispatcher
from peps_wps.jobs.lifeline import follow_parent
from peps_wps.jobs.supervisor import ZYGOTE, Supervisor
from peps_wps.signals import heard
from peps_wps.staging import Archive, RecallService

logger = logging.getLogger(__name__)


def run_workers(config: Config, *, zygote: str = ZYGOTE) -> None:
    """Work until SIGTERM, or until the process that started this one has gone.

    SIGINT is left to the one who started it: a key pressed in a terminal reaches them both.

    Parameters
    ----------
    config
        The configuration.
    zygote
        The module that warms up the process jobs are forked from.

    Raises
    ------
    SystemExit
        When a part has failed for a reason it does not know; jobs are handed back before.
    """
    logs.configure(config.logging)
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent(stop.set)
    engine = create_engine(config.catalog.url)
    failed = threading.Event()

    def part(name: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                run(stop)
            except Exception:
                logger.exception("the %s failed", name)
                failed.set()
                stop.set()

        thread = threading.Thread(target=guarded, name=name)
        thread.start()
        return thread

    with heard((signal.SIGTERM,), lambda _number: stop.set()):
        parts = [
            part("recall service", RecallService(config, engine).run),
            part("dispatcher", Dispatcher(config, engine, Archive(config, engine)).run),
        ]
        try:
            Supervisor(config, engine, zygote=zygote).run(stop)
        finally:
            stop.set()
            for thread in parts:
                thread.join()
    if failed.is_set():
        raise SystemExit(1)
