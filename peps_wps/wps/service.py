"""The WPS itself: PyWPS's `Service` up to the seam, the order desk beyond it.

PyWPS describes processes, converts literals and writes capabilities. It neither parses requests nor
runs, queues or logs anything: Execute becomes a row of the job table, and every status document is
written from that row.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import pywps.configuration
from pywps import Service
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from catalog_db import times
from peps_wps import incidents
from peps_wps.access import Caller
from peps_wps.errors import AccessError, PepsError
from peps_wps.jobs import Job
from peps_wps.links import OUTPUTS_PATH, SERVICE_PATH, Links, log_name
from peps_wps.ordering import OrderDesk
from peps_wps.ordering.errors import ResultsGoneError
from peps_wps.ordering.inputs import check_outputs
from peps_wps.services import Services
from peps_wps.wps import outputs
from peps_wps.wps.documents import Documents, serialise
from peps_wps.wps.errors import WpsError, invalid, missing, told
from peps_wps.wps.exception_report import exception_report
from peps_wps.wps.kvp import parse_query
from peps_wps.wps.requests import DescribeProcess, Execute, GetCapabilities, JobRequest
from peps_wps.wps.status import render_status
from peps_wps.wps.xml_request import parse_xml

# HTTP status of what OWSLib need not read as a report; everything else a client did wrong is 400.
_STATUS_OF: dict[type[Exception], int] = {ResultsGoneError: 410}


class WpsService(Service):  # type: ignore[misc]  # PyWPS carries no types
    """WPS 1.0.0 over the order desk."""

    def __init__(self, desk: OrderDesk) -> None:
        # PyWPS reads its settings from this one place.
        pywps.configuration.CONFIG = desk.config.pywps_settings()
        # It logs each refused literal as an error, with a stack; we answer and log these ourselves.
        logging.getLogger("PYWPS").propagate = False
        super().__init__(list(desk.processes.values()))
        self.desk = desk
        self.config = desk.config
        self.documents = Documents(desk.config, desk.processes.values())

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
        caller = self.desk.access.caller(request)
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
                return self.execute_process(asked, request, caller)
            case JobRequest():
                return self._vendor_operation(asked, links, caller)
            case GetCapabilities():
                self._check_language(asked.language)
                return xml(self.documents.capabilities(links, self.desk.processes_for(caller)))
            case DescribeProcess():
                return self._describe(asked, caller)

    def status_document(self, request: Request, _services: Services, job_id: object) -> Response:
        """Return the status document of a job, as its row stands."""
        job = self.desk.job(str(job_id), self.desk.access.caller(request))
        return self._document(job, Links.of(self.config, request))

    def output(self, request: Request, _services: Services, job_id: object, name: str) -> Response:
        """Return a file of a job: its report and log from the row, results from their folder."""
        caller = self.desk.access.caller(request)
        if name == log_name(str(job_id)):
            return outputs.send_log(self.desk.log(str(job_id), caller))
        job = self.desk.job(str(job_id), caller)
        return outputs.send(request, self.desk, job, name, Links.of(self.config, request))

    def execute_process(self, execute: Execute, request: Request, caller: Caller) -> Response:
        """Turn a request into a job; answer at once, or when it has ended if that is allowed."""
        self._check_language(execute.language)
        process = self.desk.process_to_order(execute.identifier, caller)
        check_outputs(process, [one.identifier for one in execute.outputs])
        if execute.raw and len(execute.outputs) != 1:
            raise invalid("RawDataOutput", "one raw output can be asked for at a time")
        is_async = execute.status and not execute.raw
        if is_async and not execute.store:
            raise invalid("status", "status=true needs storeExecuteResponse=true")
        links = Links.of(self.config, request)
        order = self.desk.submit if is_async else partial(self.desk.run_sync, links=links)
        job = order(
            process,
            execute.inputs,
            caller,
            title=execute.title,
            options={
                "protocol": "wps-1.0.0",
                "outputs": [asdict(output) for output in execute.outputs],
                "lineage": execute.lineage,
                "store": execute.store,
                "raw": execute.raw,
            },
        )
        if execute.raw and job.state == "succeeded":
            return outputs.send_raw(request, self.desk, job, execute.outputs[0].identifier, links)
        return self._document(job, links)

    def _vendor_operation(self, asked: JobRequest, links: Links, caller: Caller) -> Response:
        """Answer GetStatus, GetResult or Dismiss."""
        if not asked.job_id:
            raise missing("jobid")
        if asked.operation == "dismiss":
            return self._document(self.desk.dismiss(asked.job_id, caller), links)
        job = self.desk.job(asked.job_id, caller)
        if asked.operation == "getresult" and not job.is_finished:
            raise WpsError("ResultNotReady", job.id, f"the job is {job.shown_state}")
        return self._document(job, links)

    def _describe(self, asked: DescribeProcess, caller: Caller) -> Response:
        self._check_language(asked.language)
        if not asked.identifiers:
            raise missing("identifier")
        if any(one.lower() == "all" for one in asked.identifiers):
            described = self.desk.processes_for(caller)
        else:
            described = [self.desk.process(one, caller) for one in asked.identifiers]
        return xml(self.documents.descriptions(described))

    def _document(self, job: Job, links: Links) -> Response:
        """Return the status document of a job; what it says may be old in a second."""
        document = render_status(
            job,
            self.desk.process_of(job),
            links,
            folder=self.desk.folder(job),
            now=times.now(),
        )
        return xml(document, is_live=True)

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
        except HTTPException as error:
            report = WpsError("NoApplicableCode", "", error.description or error.name)
            return failure(report, status=error.code or 400)
        except Exception as error:  # noqa: BLE001 - the outermost edge: answered and logged there
            return _answer_to(error, request, refused)

    return answer


def _answer_to(error: Exception, request: Request, refused: int) -> Response:
    """Return the report of an error; one that is a defect is logged whole and told in brief."""
    report = told(error) if isinstance(error, PepsError) else None
    if report is not None:
        if isinstance(error, AccessError):
            answer = failure(report, status=error.status)
            answer.headers.extend(error.headers)
            return answer
        return failure(report, status=_STATUS_OF.get(type(error), refused))
    told_client = incidents.report(error, request)
    return failure(WpsError("NoApplicableCode", "", told_client), status=500)


def xml(document: bytes, *, status: int = 200, is_live: bool = False) -> Response:
    """Return a document as a response; a live one must not be kept by a cache."""
    response = Response(document, status, content_type="text/xml; charset=utf-8")
    if is_live:
        response.headers["Cache-Control"] = "no-store"
    return response


def failure(error: WpsError, *, status: int) -> Response:
    """Return an exception report."""
    return xml(serialise(exception_report(error)), status=status, is_live=True)
