"""The recall service: the engine of `storage.recall` on the catalogue database."""

import os
import random
import socket
from threading import Event
from uuid import uuid4

from catalog_db import times
from catalog_db.engine import Engine
from peps_wps.config import Config
from peps_wps.staging.backends import open_pool, open_tape, pool_budget_bytes
from peps_wps.staging.ledgers import RecallRows, ReplicaRows
from storage.recall import RecallEngine, RecallPolicy


class RecallService:
    """Recalls what requests wait for; any number of them may run, in any process.

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
        tape = open_tape(config)
        processing = config.processing
        budget_bytes = pool_budget_bytes(config)
        self._recalls = RecallEngine(
            RecallRows(engine, backend=tape.name, budget_bytes=budget_bytes),
            ReplicaRows(engine, budget_bytes=budget_bytes),
            open_pool(config),
            tape,
            service=f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid4().hex[:6]}",
            policy=policy
            or RecallPolicy(max_attempts=processing.max_attempts, lease_s=processing.lease_s),
            clock=times.now,
            rng=random.Random(),  # noqa: S311, spreads pauses
        )

    def run(self, stop: Event) -> None:
        """Recall until `stop` is set; unfinished recalls are then queued again."""
        self._recalls.run(stop)

    def run_once(self) -> int:
        """Recall one batch in this thread; return how many files became ready."""
        return self._recalls.run_once()
