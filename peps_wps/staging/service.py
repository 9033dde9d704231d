"""The recall service: the engine of `storage.recall` on the catalogue database."""

import logging
import os
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from uuid import uuid4

from catalog_db import times
from catalog_db.engine import Engine
from peps_wps.config import Config
from peps_wps.staging.backends import open_pool, open_tapes, pool_budget_bytes
from peps_wps.staging.ledgers import RecallRows, ReplicaRows
from storage.backend import TapeBackend
from storage.eviction import EvictionPolicy
from storage.recall import RecallEngine, RecallPolicy

logger = logging.getLogger(__name__)


class RecallService:
    """Recalls what requests wait for, from all tape backends; any number may run, in any process.

    Parameters
    ----------
    config
        The settings.
    engine
        The catalogue database.
    policy
        How patient it is; by default as ``[processing]`` says for jobs.
    """

    def __init__(self, config: Config, engine: Engine, policy: RecallPolicy | None = None) -> None:
        self.engines = {
            name: _recall_engine(config, engine, tape, policy)
            for name, tape in open_tapes(config).items()
        }

    def run(self, stop: Event) -> None:
        """Recall until `stop` is set; unfinished recalls are then queued again."""
        with ThreadPoolExecutor(len(self.engines), "recalls") as executor:
            running = [executor.submit(_run, *one, stop) for one in self.engines.items()]
            for engine in running:
                engine.result()

    def run_once(self) -> int:
        """Recall one batch of each tape backend; return how many files became ready."""
        return sum(engine.run_once() for engine in self.engines.values())


def _run(name: str, engine: RecallEngine, stop: Event) -> None:
    """Recall from one backend; if that ends in an error, the others go on."""
    try:
        engine.run(stop)
    except Exception:
        logger.exception("no more recalls from %s", name)
        raise


def _recall_engine(
    config: Config, engine: Engine, tape: TapeBackend, policy: RecallPolicy | None
) -> RecallEngine:
    """Return what recalls from one tape backend."""
    processing = config.processing
    budget_bytes = pool_budget_bytes(config)
    return RecallEngine(
        RecallRows(
            engine,
            backend=tape.name,
            budget_bytes=budget_bytes,
            kept=timedelta(days=processing.job_days),
        ),
        ReplicaRows(engine, budget_bytes=budget_bytes),
        open_pool(config),
        tape,
        service=f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid4().hex[:6]}",
        policy=policy
        or RecallPolicy(
            max_attempts=processing.max_attempts,
            lease_s=processing.lease_s,
            eviction=EvictionPolicy(config.storage.eviction),
        ),
        clock=times.now,
        rng=random.Random(),  # noqa: S311, spreads pauses
    )
