"""The tasks of a job on a dask cluster, several at once; the truth about them stays in the job.

What is submitted is remembered here until it is done. Where the scheduler is lost, everything that
was not done is submitted again as soon as one answers; a worker that dies has its tasks run by
others, by dask itself. A task may so run twice: each run has its own folder, and only what this
process records counts. When it ends, however it does, dask sees a client leave and drops its tasks.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from distributed import Client, Future, KilledWorker
from distributed.comm.core import CommClosedError

from catalog_db.processing.job_queue import Claim
from peps_wps.chains.contract import Progress
from peps_wps.config import Config
from peps_wps.config.archive_sections import Catalog
from peps_wps.jobs.cluster_child import Outcome, unpacked
from peps_wps.jobs.cluster_slurm import SlurmWorkers
from peps_wps.jobs.cluster_worker import SIGN_OF_LIFE_S, TOPIC, run_on_worker
from peps_wps.jobs.task_work import TaskDone, TaskLostError, TaskWork

logger = logging.getLogger(__name__)

CONNECT_S = 5.0
RESULT_S = 5.0
LOOK_S = 0.05
# A task that was not heard of for so long does not run, or not any more.
SILENCE_S = 3 * SIGN_OF_LIFE_S

# distributed.client.Client.status
_CONNECTED = "running"
_RECONNECTING = "connecting"


@dataclass(frozen=True)
class _Given:
    """A task that is to be done, and whom to tell how far it is."""

    work: TaskWork
    progress: Progress


class ClusterTasks:
    """Runs tasks on the workers of a dask scheduler; a `TaskRunner`.

    Parameters
    ----------
    held
        The attempt.
    zygote
        The module that warms up the processes tasks are forked from, on each worker.
    connect
        Opens a client, or raises OSError where no scheduler answers.
    demand
        Is told how many workers could be used.
    """

    def __init__(
        self,
        held: Claim,
        zygote: str,
        connect: Callable[[], Client],
        demand: Callable[[int], None],
    ) -> None:
        self._held = held
        self._zygote = zygote
        self._connect = connect
        self._demand = demand
        self._client: Client | None = None
        self._given: dict[int, _Given] = {}
        self._futures: dict[int, Future[bytes]] = {}
        # What tasks told, by key, and when (monotonic); written by the thread of the client.
        self._news: dict[str, tuple[str, float]] = {}
        self._heard: dict[str, float] = {}

    def submit(self, work: TaskWork, progress: Progress) -> None:
        """Remember a task; `collect` hands it to the cluster."""
        self._given[work.number] = _Given(replace(work, config=_for_a_node(work.config)), progress)

    def collect(self, timeout_s: float) -> list[TaskDone]:
        """Return the tasks that are done since; raise what a task raised.

        Raises
        ------
        TaskLostError
            When the process of a task died, or the cluster gave one up.
        """
        self._demand(len(self._given))
        client = self._connected()
        if client is None:
            time.sleep(timeout_s)
            return []
        for number in self._given.keys() - self._futures.keys():
            self._hand_over(client, number)
        self._wait(timeout_s)
        self._pass_on_progress()
        ended = [number for number, future in self._futures.items() if future.done()]
        outcomes = [outcome for number in ended if (outcome := self._outcome(number)) is not None]
        done = [outcome.done for outcome in outcomes if outcome.done is not None]
        for one in done:
            del self._futures[one.number], self._given[one.number]
        errors = [outcome.error for outcome in outcomes if outcome.error is not None]
        if errors and not done:  # next time, where there is something to record first
            raise errors[0]
        return done

    def idle_reason(self) -> str | None:
        """Return why nothing runs, in words; None when something does."""
        if self._client is None or self._client.status != _CONNECTED:
            return "Waiting for the cluster, which does not answer"
        recently = time.monotonic() - SILENCE_S
        if any(self._heard.get(str(one.key), 0) > recently for one in self._futures.values()):
            return None
        return "Waiting for a worker of the cluster"

    def close(self) -> None:
        """Leave the cluster, which drops what was not done."""
        client, self._client = self._client, None
        self._futures.clear()
        if client is not None:
            with suppress(OSError, TimeoutError):
                client.close(timeout=CONNECT_S)

    def _connected(self) -> Client | None:
        """Return a client that is connected, None where no scheduler answers."""
        status = None if self._client is None else self._client.status
        if status == _CONNECTED:
            return self._client
        if status == _RECONNECTING:
            return None
        self.close()
        try:
            self._client = self._connect()
        except (OSError, TimeoutError) as error:
            logger.warning("job %s: the cluster does not answer: %s", self._held.job, error)
        return self._client

    def _hand_over(self, client: Client, number: int) -> None:
        # Once would do, but for clients that find another scheduler by themselves.
        client.subscribe_topic(TOPIC, self._hear)
        # A key of its own each time: what still runs under an old one is not waited for.
        key = f"peps-{self._held.job}-{self._held.attempt}-{number}-{uuid.uuid4().hex[:8]}"
        self._futures[number] = client.submit(
            run_on_worker, self._given[number].work, self._zygote, key=key, pure=False
        )

    def _wait(self, timeout_s: float) -> None:
        """Wait until a task has ended, but not for long."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if any(future.done() for future in self._futures.values()):
                return
            time.sleep(LOOK_S)

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """Take note of how far a task is; every client hears of the tasks of all."""
        _, told = event
        if told["key"].startswith(f"peps-{self._held.job}-{self._held.attempt}-"):
            self._news[told["key"]] = (told["message"], told["percent"])
            self._heard[told["key"]] = time.monotonic()

    def _pass_on_progress(self) -> None:
        for number, future in self._futures.items():
            if (news := self._news.pop(str(future.key), None)) is not None:
                self._given[number].progress(*news)

    def _outcome(self, number: int) -> Outcome | None:
        """Return how a task ended; None where it has to run again."""
        try:
            return unpacked(self._futures[number].result(timeout=RESULT_S))
        except (CancelledError, CommClosedError):
            del self._futures[number]  # the scheduler forgot it: it is handed over again
        except TimeoutError:
            pass  # the worker that had the result has died: it runs again by itself
        except KilledWorker as error:
            return _lost("the workers of the cluster that ran it died", error)
        except Exception as error:  # noqa: BLE001  of the cluster; what the task raised is a value
            return _lost("the cluster could not run it", error)
        return None


def _lost(reason: str, cause: Exception) -> Outcome:
    error = TaskLostError(reason)
    error.__cause__ = cause
    return Outcome(error=error)


@contextmanager
def open_cluster(config: Config, held: Claim, zygote: str) -> Iterator[ClusterTasks]:
    """Give what runs the tasks of an attempt on the cluster that the configuration names."""
    if config.processing.executor == "slurm":
        with (
            SlurmWorkers(config, held) as workers,
            closing(ClusterTasks(held, zygote, workers.connect, workers.demand)) as tasks,
        ):
            yield tasks
        return

    def connect() -> Client:
        return Client(config.dask.address, timeout=CONNECT_S, set_as_default=False)

    with closing(ClusterTasks(held, zygote, connect, lambda _workers: None)) as tasks:
        yield tasks


def _for_a_node(config: Config) -> Config:
    """Return what a node may know: not how to open the database, which no task does."""
    return replace(config, catalog=Catalog())
