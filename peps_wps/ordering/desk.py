"""Where orders of every protocol arrive: processes offered, jobs made, watched and dismissed.

WPS 1.0, WPS 2.0 and OGC API - Processes are renderings over this; none of them talks to the jobs.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from catalog_db import times
from catalog_db.engine import Engine
from peps_wps import jobs
from peps_wps.access import Access, Caller
from peps_wps.config import Config
from peps_wps.errors import InvalidInputError, UnauthorizedError
from peps_wps.jobs import Job, JobFilter, JobPage
from peps_wps.links import Links
from peps_wps.ordering.errors import (
    AsyncRefusedError,
    NoSuchJobError,
    NoSuchProcessError,
    ServerBusyError,
    SyncRefusedError,
    SyncTimeoutError,
)
from peps_wps.ordering.inputs import chain_inputs
from peps_wps.ordering.order import Order
from peps_wps.ordering.process import ChainProcess, DirectProcess
from peps_wps.ordering.references import ReferenceReader
from peps_wps.ordering.report import user_information
from peps_wps.ordering.results import log_of

logger = logging.getLogger(__name__)

_POLL_S = (0.02, 0.5)


class OrderDesk:
    """Takes orders.

    Parameters
    ----------
    config, engine
        Settings and database.
    processes
        What is offered; aliases are added here.
    access
        Who may do what.
    """

    def __init__(
        self,
        config: Config,
        engine: Engine,
        processes: Iterable[type[ChainProcess]],
        access: Access,
    ) -> None:
        offered = [process() for process in processes]
        offered += [one.renamed(alias) for one in offered for alias in one.aliases]
        self.config = config
        self.engine = engine
        self.access = access
        self.processes = {one.identifier: one for one in offered}
        # Waiting clients hold a thread each: half of them stay free for everyone else.
        self._waiting = threading.BoundedSemaphore(max(1, config.server.threads // 2))
        self._fetching = threading.BoundedSemaphore(max(1, config.server.threads // 4))

    def processes_for(self, caller: Caller) -> list[ChainProcess]:
        """Return the processes that are listed to a caller, without aliases."""
        return [
            one
            for one in self.processes.values()
            if one.is_listed and self.access.may_see_process(caller, one.own_identifier)
        ]

    def process(self, identifier: str, caller: Caller) -> ChainProcess:
        """Return a process under the name that the caller uses for it.

        Raises
        ------
        NoSuchProcessError
            When there is none, or the caller may not see it.
        """
        process = self.processes.get(identifier)
        if process is None or not self.access.may_see_process(caller, process.own_identifier):
            raise self._no_such_process(identifier, caller)
        return process

    def process_to_order(self, identifier: str, caller: Caller) -> ChainProcess:
        """Return a process that a caller may order; who has not said who they are shall be asked.

        Raises
        ------
        NoSuchProcessError
            When there is none.
        UnauthorizedError, ForbiddenError
            When the caller may not order it.
        """
        process = self.processes.get(identifier)
        if process is None:
            raise self._no_such_process(identifier, caller)
        self.access.check_order(caller, process.own_identifier)
        return process

    def _no_such_process(self, identifier: str, caller: Caller) -> NoSuchProcessError:
        offered = [one.own_identifier for one in self.processes_for(caller)]
        return NoSuchProcessError(identifier, offered)

    def reference_reader(self) -> ReferenceReader:
        """Return what fetches the inputs by reference of one order."""
        server = self.config.server
        return ReferenceReader(
            self.config.inputs,
            largest=server.max_input_bytes,
            most=server.max_request_bytes,
            slots=self._fetching,
        )

    def process_of(self, job: Job) -> ChainProcess:
        """Return the process of a job as its client named it, a bare one if it has gone."""
        named = job.response_options.get("identifier", job.process)
        return self.processes.get(named) or ChainProcess.bare(named)

    def submit(self, order: Order) -> Job:
        """Check an order and make it a job.

        Raises
        ------
        InvalidInputError
            When an input is wrong; its locator is the name that the client used.
        UnauthorizedError, ForbiddenError
            When the caller may not order this.
        """
        process, checked = order.process, self._checked(order)
        if isinstance(process, DirectProcess):
            raise AsyncRefusedError(process.identifier)
        try:
            job = jobs.submit(
                self.engine,
                self.config,
                process=process.chain,
                inputs=checked,
                owner=order.caller.name,
                title=order.title,
                response_options=order.response_options,
                quick=process.sync_allowed,
            )
        except InvalidInputError as error:
            locator = process.name_of(error.locator)
            if locator == error.locator:
                raise
            raise InvalidInputError(locator, error.message) from error
        logger.info("job %s: accepted, process %s", job.id, process.identifier)
        return job

    def run_sync(self, order: Order, links: Links) -> Job:
        """Order and wait: return the job when it has ended.

        Parameters
        ----------
        order
            As of `submit`.
        links
            Where the links lead that the answer itself may hold.

        Raises
        ------
        SyncRefusedError
            When the process takes minutes.
        ServerBusyError
            When too many clients wait already; nothing was ordered.
        SyncTimeoutError
            When it takes too long; the job was dismissed.
        InvalidInputError, UnauthorizedError, ForbiddenError
            As of `submit`.
        """
        if isinstance(order.process, DirectProcess):
            return self._answer(order, order.process, links)
        if not order.process.sync_allowed:
            raise SyncRefusedError(order.process.identifier)
        if not self._waiting.acquire(blocking=False):
            raise ServerBusyError
        try:
            return self._wait(self.submit(order))
        finally:
            self._waiting.release()

    def run_within(self, order: Order, links: Links, *, wait_s: float) -> Job:
        """Order and wait a while: return the job as it stands then; it goes on by itself.

        Nobody waits longer than ``[processing] sync_limit_s``, nor where too many wait already.

        Raises
        ------
        InvalidInputError, UnauthorizedError, ForbiddenError
            As of `submit`.
        """
        if isinstance(order.process, DirectProcess):
            return self._answer(order, order.process, links)
        job = self.submit(order)
        if not self._waiting.acquire(blocking=False):
            return job
        try:
            return self._watch(job, min(wait_s, self.config.processing.sync_limit_s))
        finally:
            self._waiting.release()

    def job(self, job_id: str, caller: Caller) -> Job:
        """Return a job as it stands.

        Raises
        ------
        NoSuchJobError
            When there is none.
        UnauthorizedError, ForbiddenError
            When the caller may not see it.
        """
        job = self._job(job_id)
        self.access.check_read(caller, job)
        return job

    def job_in_a_moment(self, job: Job, moment_s: float) -> Job:
        """Return a job as it stands when it has ended, if that is to be soon: within a moment.

        Only a process that takes seconds is waited for, and only where few wait already.
        """
        is_quick = self.process_of(job).sync_allowed
        if not is_quick or not self._waiting.acquire(blocking=False):
            return job
        try:
            return self._watch(job, moment_s)
        finally:
            self._waiting.release()

    def jobs(
        self, caller: Caller, wanted: JobFilter, *, limit: int, cursor: str | None = None
    ) -> JobPage:
        """Return a page of the jobs of a caller, the newest first; an operator sees everybody's.

        Raises
        ------
        UnauthorizedError
            When it is not known who asks.
        QueryError
            When the cursor is none of this list.
        """
        if caller.is_operator:
            return jobs.page_of_jobs(self.engine, wanted, limit=limit, cursor=cursor)
        if caller.is_anonymous:
            raise UnauthorizedError
        mine = replace(wanted, owners=(caller.name,))
        return jobs.page_of_jobs(self.engine, mine, limit=limit, cursor=cursor)

    def log(self, job_id: str, caller: Caller) -> bytes:
        """Return the log of a job, one line an event, as text.

        Raises
        ------
        NoSuchJobError, UnauthorizedError, ForbiddenError
            As of `job`; only the owner may.
        """
        job = self._job(job_id)
        self.access.check_owner(caller, job)
        return log_of(self.engine, job)

    def dismiss(self, job_id: str, caller: Caller) -> Job:
        """Dismiss a job and return it; one dismissed before stays so.

        Raises
        ------
        NoSuchJobError, UnauthorizedError, ForbiddenError
            As of `job`; only the owner may.
        """
        self.access.check_owner(caller, self._job(job_id))
        jobs.dismiss(self.engine, self.config, job_id)
        return self._job(job_id)

    def folder(self, job: Job) -> Path:
        """Return where the results of a job lie once it has succeeded."""
        return self.config.results.path / job.id

    def pool_for(self, caller: Caller, job: Job) -> Path | None:
        """Return the disk pool, if the caller may be told where products of a job lie in it."""
        is_told = self.config.storage.local_paths == "on" and self.access.owns(caller, job)
        return self.config.storage.path if is_told else None

    def _job(self, job_id: str) -> Job:
        job = jobs.get(self.engine, self.config, job_id)
        if job is None:
            raise NoSuchJobError(job_id)
        return job

    def _checked(self, order: Order) -> dict[str, list[str]]:
        """Return the inputs under the names that the chain knows, the right to order checked."""
        self.access.check_order(order.caller, order.process.own_identifier)
        largest = self.config.server.max_input_bytes
        return chain_inputs(order.process, order.inputs, largest=largest)

    def _answer(self, order: Order, process: DirectProcess, links: Links) -> Job:
        """Return a job that has ended and that no table knows, with what the process answers."""
        checked = self._checked(order)
        results = process.answer(checked, _Views(self, order.caller, links))
        now = times.now()
        return Job(
            id=str(uuid.uuid4()),
            process=process.chain,
            owner=order.caller.name,
            state="succeeded",
            inputs=checked,
            order={},
            max_attempts=1,
            created=now,
            updated=now,
            started=now,
            finished=now,
            progress=100,
            response_options=order.response_options,
            results=results,
        )

    def _wait(self, job: Job) -> Job:
        """Return the job when it has ended; dismiss it when that takes too long."""
        limit_s = self.config.processing.sync_limit_s
        job = self._watch(job, limit_s)
        if not job.is_finished:
            jobs.dismiss(self.engine, self.config, job.id)
            raise SyncTimeoutError(job.id, limit_s)
        return job

    def _watch(self, job: Job, limit_s: float) -> Job:
        """Return the job when it has ended, or as it stands when the time is over."""
        deadline = time.monotonic() + limit_s
        pause_s, longest_s = _POLL_S
        while not job.is_finished and time.monotonic() < deadline:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)
            job = self._job(job.id)
        return job


@dataclass(frozen=True)
class _Views:
    """Jobs as a direct process may see them: with the eyes of its caller."""

    desk: OrderDesk
    caller: Caller
    links: Links

    def report(self, locator: str, job_id: str) -> str:
        """Return what is told of a job in the words of PEPS, as JSON."""
        try:
            job = self.desk.job(job_id, self.caller)
        except NoSuchJobError as error:
            raise InvalidInputError(locator, str(error)) from error
        return user_information(job, self.desk.process_of(job).identifier, self.links)
