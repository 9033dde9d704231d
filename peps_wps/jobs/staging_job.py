"""Jobs that only stage (AMALTHEE): from admission to their report, without a worker.

One request asks for all products, once there is room for all of them beside what computes. Its
pins are prolonged while some are still on their way, so that in the end all are on disk together.
Products that cannot be had are reported; the others are not kept waiting for them.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from catalog_db import times
from catalog_db.archive.staged import (
    StagedCount,
    StagedProduct,
    count_staged,
    staged_products,
)
from catalog_db.engine import Engine
from catalog_db.processing import job_queue, stage_jobs
from catalog_db.processing.jobs import Job, TaskRow
from peps_wps.config import Config
from peps_wps.errors import QuotaError
from peps_wps.jobs.inputs import request_for
from peps_wps.jobs.submission import PIN_LIFETIME
from peps_wps.staging import Archive
from storage.errors import LostFileError, ProductWithdrawnError

logger = logging.getLogger(__name__)

# Begins the purpose of the requests of these jobs.
STAGE_PURPOSE = "staging:"

# How often the expected time is worked out anew while nothing else changes.
_LOOK_S = 5.0
# How long an order that was refused room, or has reached the limit of its user, is left alone.
PAUSE_S = 5.0
# Pins are prolonged when this part of their time is over.
_PROLONG_AT = 0.25


@dataclass(frozen=True)
class _Look:
    """What was told of a job, and when (monotonic) to look again and to ask the archive again."""

    count: StagedCount | None
    next_look: float
    next_request: float


class StagingJobs:
    """Serves the jobs that only stage; what it remembers saves work and decides nothing."""

    def __init__(self, config: Config, engine: Engine, archive: Archive) -> None:
        self._config = config
        self._engine = engine
        self._archive = archive
        self._looks: dict[str, _Look] = {}
        self._next_admission = 0.0

    def serve(self, job: Job, task: TaskRow, *, there_is_room: bool) -> bool:
        """Move a job on; return whether a later one may be admitted to the pool."""
        if task.state == "waiting":
            if not there_is_room or time.monotonic() < self._next_admission:
                return there_is_room
            room = self._admit(job, task)
            if not room.admitted:
                return not room.is_for_jobs
        request = self._request(job, task)
        if request is None:
            return there_is_room
        with self._engine.connect() as connection:
            count = count_staged(connection, request)
        if count.waiting:
            self._tell(job, request, count)
        else:
            self._finish(job, task, request)
        return there_is_room

    def _admit(self, job: Job, task: TaskRow) -> stage_jobs.StageRoom:
        budget = int(self._config.storage.budget_gb * 1e9)
        share = int(budget * self._config.staging.pool_share)
        with self._engine.begin() as connection:
            room = stage_jobs.admit_stage(connection, task, budget_bytes=budget, share_bytes=share)
        if room.admitted:
            return room
        message = "Waiting for room on disk, which jobs have now"
        if not room.is_for_jobs:
            # Those behind it wait too: a smaller one would keep it waiting for ever.
            self._next_admission = time.monotonic() + PAUSE_S
            message = (
                f"Waiting for room on disk: of {share / 1e9:.1f} GB for staged products "
                f"{room.staged / 1e9:.1f} GB are taken"
            )
        self._tell_wait(job, message)
        return room

    def _tell_wait(self, job: Job, message: str) -> None:
        """Say why nothing is asked of the archive yet."""
        if message != job.message:
            with self._engine.begin() as connection:
                stage_jobs.tell(connection, job.id, message)

    def _request(self, job: Job, task: TaskRow) -> str | None:
        """Return the request, made or prolonged if it is time; None where there is none yet."""
        look = self._looks.get(job.id)
        if look is not None and time.monotonic() < look.next_request:
            return task.request
        with self._engine.connect() as connection:
            known = staged_products(connection, task.products, task.request)
        uids = [one.uid for one in known if _refusal(one) is None]
        if not uids and task.request is None:
            self._finish(job, task, None)
        if not uids:
            return task.request
        lifetime_s = float(task.body[PIN_LIFETIME])
        try:
            kept = request_for(
                self._archive,
                task,
                uids,
                user=job.owner,
                purpose=f"{STAGE_PURPOSE}{job.id}",
                pin_lifetime_s=lifetime_s,
            )
        except (ProductWithdrawnError, LostFileError):  # just now: the next round leaves it out
            return task.request
        except QuotaError as error:
            self._looks[job.id] = _Look(None, 0.0, time.monotonic() + PAUSE_S)
            self._tell_wait(job, str(error))
            return task.request
        self._looks[job.id] = _Look(None, 0.0, time.monotonic() + _PROLONG_AT * lifetime_s)
        return kept

    def _tell(self, job: Job, request: str, count: StagedCount) -> None:
        """Say how far the recalls are, when that has changed or is old."""
        look = self._looks.get(job.id) or _Look(None, 0.0, 0.0)
        if count == look.count and time.monotonic() < look.next_look:
            return
        self._looks[job.id] = _Look(count, time.monotonic() + _LOOK_S, look.next_request)
        expected_s = self._archive.status(request).expected_s
        expected = None if expected_s is None else times.now() + timedelta(seconds=expected_s)
        with self._engine.begin() as connection:
            stage_jobs.tell(
                connection,
                job.id,
                progress_message(count),
                percent=min(99, 100 * count.bytes_done // max(count.size_bytes, 1)),
                expected=expected,
                begun=True,
            )

    def _finish(self, job: Job, task: TaskRow, request: str | None) -> None:
        """Write the report: what is on disk, how long it stays, and why the rest is not."""
        with self._engine.connect() as connection:
            found = staged_products(connection, task.products, request)
        self._looks.pop(job.id, None)
        ready = [one for one in found if failure_of(one) is None]
        if not ready:
            reason = failure_of(found[0]) if found else "the products are gone from the catalogue"
            with self._engine.begin() as connection:
                job_queue.fail(connection, job.id, f"No product is on disk: {reason}")
            return
        lasts_s = max(self._config.processing.result_days * 86400, float(task.body[PIN_LIFETIME]))
        with self._engine.begin() as connection:
            is_over = stage_jobs.succeed(
                connection,
                job.id,
                final_message(len(ready), len(found), _until(ready)),
                _results(found),
                expires=times.now() + timedelta(seconds=lasts_s),
            )
        if is_over:
            logger.info("job %s: %d of %d products staged", job.id, len(ready), len(found))


def failure_of(product: StagedProduct) -> str | None:
    """Return why a product is not on disk for its request, one sentence; None where it is."""
    if product.state == "ready" and not product.withdrawn:
        return None
    return _refusal(product) or product.error or f"the recall of {product.title} was cancelled"


def _refusal(product: StagedProduct) -> str | None:
    """Return why a product can never be on disk; None where it can."""
    if product.withdrawn:
        return str(ProductWithdrawnError(product.title))
    if product.path is None:
        return f"the archive has no file of {product.title}"
    if product.is_lost:
        return str(LostFileError(product.title))
    return None


def _until(ready: Sequence[StagedProduct]) -> datetime | None:
    """Return until when all of these stay on disk."""
    return min((one.pinned_until for one in ready if one.pinned_until), default=None)


def progress_message(count: StagedCount) -> str:
    """Return how far the recalls are, in words a client reads."""
    number = count.waiting + count.ready + count.others
    text = (
        f"{count.ready} of {number} products are on disk, "
        f"{count.bytes_done / 1e9:.2f} of {count.size_bytes / 1e9:.2f} GB"
    )
    return f"{text}, {count.others} failed" if count.others else text


def final_message(ready: int, number: int, until: datetime | None) -> str:
    """Return what became of the order, in words a client reads."""
    text = f"{ready} of {number} products are on disk"
    return text if until is None else f"{text} until {until:%Y-%m-%d %H:%M} UTC"


def _results(found: Sequence[StagedProduct]) -> dict[str, Any]:
    """Return the results of a job: its report, made of what was found."""
    return {"report": {"type": "application/json", "staged": [_listed(one) for one in found]}}


def _listed(product: StagedProduct) -> dict[str, Any]:
    failure = failure_of(product)
    until = product.pinned_until
    listed = {
        "title": product.title,
        "uid": product.uid,
        "collection": product.collection,
        "size": product.size_bytes,
        "path": product.path,
        "until": None if until is None else until.isoformat(),
        "error": failure,
    }
    kept = ("path", "until") if failure else ("error",)
    return {name: value for name, value in listed.items() if name not in kept}
