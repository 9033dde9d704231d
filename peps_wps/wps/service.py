"""The WPS itself: PyWPS's `Service` up to the seam, jobs of our own beyond it.

PyWPS describes processes, converts literals and writes capabilities. It neither parses requests nor
runs, queues or logs anything: Execute becomes a row of the job table, and every status document is
written from that row.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pywps.configuration
from pywps import Service
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from catalog_db import times
from catalog_db.engine import Engine
from peps_wps import jobs
from peps_wps.config import Config
from peps_wps.errors import InvalidInputError
from peps_wps.jobs import Job
from peps_wps.links import OUTPUTS_PATH, SERVICE_PATH, Links
from peps_wps.services import Services
from peps_wps.wps import outputs
from peps_wps.wps.documents import Documents, serialise
from peps_wps.wps.errors import WpsError, invalid, missing
from peps_wps.wps.exception_report import exception_report
from peps_wps.wps.inputs import chain_inputs, check_outputs
from peps_wps.wps.kvp import parse_query
from peps_wps.wps.process import ChainProcess
from peps_wps.wps.requests import (
    DescribeProcess,
    Execute,
    GetCapabilities,
    JobRequest,
)
from peps_wps.wps.status import render_status
from peps_wps.wps.xml_request import parse_xml

logger = logging.getLogger(__name__)

# Until there are users.
ANYONE = "anonymous"
_POLL_S = (0.02, 0.5)


class WpsService(Service):  # type: ignore[misc]  # PyWPS carries no types
    """WPS 1.0.0 over the job table.

    Parameters
    ----------
    config, engine
        Settings and database.
    processes
        What is offered; aliases are added here.
    """

    def __init__(
        self, config: Config, engine: Engine, processes: Sequence[type[ChainProcess]]
    ) -> None:
        # PyWPS reads its settings from this one place.
        pywps.configuration.CONFIG = config.pywps_settings()
        # It logs each refused literal as an error, with a stack; we answer and log these ourselves.
        logging.getLogger("PYWPS").propagate = False
        offered = [process() for process in processes]
        offered += [one.renamed(alias) for one in offered for alias in one.aliases]
        super().__init__(offered)
        self.config = config
        self.engine = engine
        self.documents = Documents(config, offered)
        # Waiting clients hold a thread each: half of them stay free for everyone else.
        self._waiting = threading.BoundedSemaphore(max(1, config.server.threads // 2))

    def rules(self) -> list[Rule]:
        """Return the addresses of the service."""
        answer = guarded(self.answer)
        return [
            Rule(f"{SERVICE_PATH}/", endpoint=answer, strict_slashes=False),
            Rule("/wps/", endpoint=answer, strict_slashes=False),
            Rule(
                f"{OUTPUTS_PATH}/pywps-<uuid:job_id>.xml",
                endpoint=guarded(self.status_document, refused=404),
                methods=["GET"],
            ),
            Rule(
                f"{OUTPUTS_PATH}/<uuid:job_id>/<path:name>",
                endpoint=guarded(self.output, refused=404),
                methods=["GET"],
            ),
        ]

    def call(self, http_request: Request) -> Response:
        """Answer a request as PyWPS's own WSGI entry does: the service can be mounted alone."""
        return guarded(self.answer)(http_request, None)

    def answer(self, request: Request, _services: Services) -> Response:
        """Answer a request of any operation, in either encoding."""
        if request.method in ("GET", "HEAD"):
            asked = parse_query(request.environ.get("QUERY_STRING", ""))
        elif request.method == "POST":
            asked = parse_xml(_body(request))
        else:
            raise WpsError("OperationNotSupported", "", f"{request.method} is not served")
        links = Links.of(self.config, request)
        if request.method == "HEAD" and isinstance(asked, Execute | JobRequest):
            # A link checker must neither start nor end anything.
            raise WpsError("OperationNotSupported", "", "HEAD is served for descriptions only")
        match asked:
            case Execute():
                return self.execute_process(asked, request, links)
            case JobRequest():
                return self._vendor_operation(asked, links)
            case GetCapabilities():
                self._check_language(asked.language)
                return xml(self.documents.capabilities(links))
            case DescribeProcess():
                return self._describe(asked)

    def status_document(self, request: Request, _services: Services, job_id: object) -> Response:
        """Return the status document of a job, as its row stands."""
        return self._document(self._job(str(job_id)), Links.of(self.config, request))

    def output(self, request: Request, _services: Services, job_id: object, name: str) -> Response:
        """Return a file of a job: its report and log from the row, results from their folder."""
        job = self._job(str(job_id))
        return outputs.send(
            request,
            job,
            name,
            identifier=self._process_of(job).identifier,
            links=Links.of(self.config, request),
            folder=self._folder(job),
            engine=self.engine,
        )

    def execute_process(self, execute: Execute, request: Request, links: Links) -> Response:
        """Turn a request into a job; answer at once, or when it has ended if that is allowed."""
        self._check_language(execute.language)
        process = self._process(execute.identifier)
        check_outputs(process, execute)
        is_async = execute.status and not execute.raw
        if is_async and not execute.store:
            raise invalid("status", "status=true needs storeExecuteResponse=true")
        if not is_async and not process.sync_allowed:
            raise invalid(
                "status",
                f"{process.identifier} can take minutes: "
                "ask for it with status=true and storeExecuteResponse=true",
            )
        inputs = chain_inputs(process, execute, largest=self.config.server.max_input_bytes)
        if is_async:
            return self._document(self._submit(process, execute, inputs), links)
        if not self._waiting.acquire(blocking=False):
            raise WpsError("ServerBusy", "", "too many clients wait for an answer, try again later")
        try:
            job = self._wait(self._submit(process, execute, inputs))
        finally:
            self._waiting.release()
        if execute.raw and job.state == "succeeded":
            return outputs.send_raw(
                request,
                job,
                execute.outputs[0].identifier,
                identifier=process.identifier,
                links=links,
                folder=self._folder(job),
            )
        return self._document(job, links)

    def _submit(self, process: ChainProcess, execute: Execute, inputs: dict[str, list[str]]) -> Job:
        """Insert the job; the seam where PyWPS would run or queue the process itself."""
        options = {
            "protocol": "wps-1.0.0",
            "identifier": process.identifier,
            "outputs": [asdict(output) for output in execute.outputs],
            "lineage": execute.lineage,
            "store": execute.store,
            "raw": execute.raw,
        }
        try:
            job = jobs.submit(
                self.engine,
                self.config,
                process=process.chain,
                inputs=inputs,
                owner=ANYONE,
                title=execute.title,
                response_options=options,
            )
        except InvalidInputError as error:
            raise invalid(process.name_of(error.locator), error.message) from error
        logger.info("job %s: accepted, process %s", job.id, process.identifier)
        return self._job(job.id)  # its place in the queue is known only now

    def _wait(self, job: Job) -> Job:
        """Return the job when it has ended; dismiss it when that takes too long."""
        limit_s = self.config.processing.sync_limit_s
        deadline = time.monotonic() + limit_s
        pause_s, longest_s = _POLL_S
        while not job.is_finished:
            if time.monotonic() > deadline:
                jobs.dismiss(self.engine, self.config, job.id)
                raise WpsError(
                    "NoApplicableCode",
                    job.id,
                    f"the answer took more than {limit_s:.0f} s and the job was dismissed: "
                    "ask for it with status=true and storeExecuteResponse=true",
                )
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, longest_s)
            job = self._job(job.id)
        return job

    def _vendor_operation(self, asked: JobRequest, links: Links) -> Response:
        """Answer GetStatus, GetResult or Dismiss."""
        if not asked.job_id:
            raise missing("jobid")
        job = self._job(asked.job_id)
        if asked.operation == "dismiss":
            jobs.dismiss(self.engine, self.config, job.id)
            job = self._job(job.id)
        if asked.operation == "getresult" and not job.is_finished:
            raise WpsError("ResultNotReady", job.id, f"the job is {job.shown_state}")
        return self._document(job, links)

    def _describe(self, asked: DescribeProcess) -> Response:
        self._check_language(asked.language)
        if not asked.identifiers:
            raise missing("identifier")
        for identifier in asked.identifiers:
            if identifier.lower() != "all":
                self._process(identifier)
        return xml(self.documents.descriptions(asked.identifiers))

    def _document(self, job: Job, links: Links) -> Response:
        """Return the status document of a job; what it says may be old in a second."""
        document = render_status(
            job, self._process_of(job), links, folder=self._folder(job), now=times.now()
        )
        return xml(document, is_live=True)

    def _job(self, job_id: str) -> Job:
        job = jobs.get(self.engine, job_id)
        if job is None:
            raise WpsError("NoSuchJob", job_id, f"there is no job {job_id}")
        return job

    def _folder(self, job: Job) -> Path:
        return self.config.results.path / job.id

    def _process(self, identifier: str) -> ChainProcess:
        """Return a process as the client named it."""
        process: ChainProcess | None = self.processes.get(identifier)
        if process is None:
            raise invalid("identifier", f"there is no process {identifier}")
        return process

    def _process_of(self, job: Job) -> ChainProcess:
        """Return the process of a job as its client named it, a bare one if it has gone."""
        named = job.response_options.get("identifier", job.process)
        process: ChainProcess | None = self.processes.get(named)
        if process is None:
            process = ChainProcess()
            process.identifier = process.title = named
        return process

    def _check_language(self, language: str) -> None:
        """Refuse a language that the service does not speak; ``en`` is as good as ``en-US``."""
        spoken = self.config.server.language
        accepted = ("", "*", spoken.lower(), spoken.lower().partition("-")[0])
        if language.lower() not in accepted:
            raise invalid("language", f"language {language} is not spoken, {spoken} is")


def _body(request: Request) -> bytes:
    """Return the body; one that is too large is refused, never cut, whether its length is told."""
    body = request.get_data()
    request.stream.read(1)  # raises where the limit was reached without a length
    return body


def guarded(endpoint: Callable[..., Response], *, refused: int = 400) -> Callable[..., Response]:
    """Return an endpoint whose errors leave as exception reports, and nothing else of them.

    `refused` is the HTTP status of what a client did wrong; OWSLib reads reports at 400 only.
    """

    def answer(request: Request, services: Services | None, **arguments: Any) -> Response:
        try:
            return endpoint(request, services, **arguments)
        except WpsError as error:
            return failure(error, status=refused)
        except HTTPException as error:
            return failure(
                WpsError("NoApplicableCode", "", error.description or error.name),
                status=error.code or 400,
            )
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return failure(
                WpsError("NoApplicableCode", "", "internal error, reported to the operators"),
                status=500,
            )

    return answer


def xml(document: bytes, *, status: int = 200, is_live: bool = False) -> Response:
    """Return a document as a response; a live one must not be kept by a cache."""
    response = Response(document, status, content_type="text/xml; charset=utf-8")
    if is_live:
        response.headers["Cache-Control"] = "no-store"
    return response


def failure(error: WpsError, *, status: int) -> Response:
    """Return an exception report."""
    return xml(serialise(exception_report(error)), status=status, is_live=True)
