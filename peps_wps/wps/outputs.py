"""Files of a job as a client fetches them: report and log from the row, results from the disk."""

import json

from werkzeug import Request, Response

from peps_wps.access import Caller
from peps_wps.file_response import inert, result_response
from peps_wps.jobs import Job
from peps_wps.links import Links, log_name, report_name
from peps_wps.ordering import OrderDesk
from peps_wps.ordering.process import REPORT
from peps_wps.ordering.report import render_report
from peps_wps.ordering.results import FileResult, file_of, result_of


def send(
    request: Request, desk: OrderDesk, job: Job, name: str, links: Links, caller: Caller
) -> Response:
    """Return one file of a job.

    Parameters
    ----------
    name
        Path inside the folder of the job's results, or the output that is a value.
    links
        Where links lead.
    caller
        Who asks: the log is its owner's, and so is where products lie in the pool.

    Raises
    ------
    NoSuchResultError
        When there is no such file, or `name` leads out of the folder.
    ResultsGoneError
        When it was there: results have expired, or were removed from the disk.
    """
    if name == report_name(job.id):
        identifier = desk.process_of(job).identifier
        report = render_report(
            job, identifier, links, desk.folder(job), pool=desk.pool_for(caller, job)
        )
        return _live(report, "application/json")
    if name == log_name(job.id):
        return _live(desk.log(job.id, caller), "text/plain; charset=utf-8")
    if job.state == "succeeded" and "value" in (job.results or {}).get(name, {}):
        return send_output(request, desk, job, name, links)
    return result_response(request, file_of(job, name, desk.folder(job)))


def send_output(request: Request, desk: OrderDesk, job: Job, output: str, links: Links) -> Response:
    """Return one output of a job that has succeeded, as the answer itself."""
    folder = desk.folder(job)
    if output == REPORT:
        identifier = desk.process_of(job).identifier
        return _live(render_report(job, identifier, links, folder), "application/json")
    result = result_of(job, output, folder)
    if isinstance(result, FileResult):
        return result_response(request, result)
    text = result.value if isinstance(result.value, str) else json.dumps(result.value)
    return inert(Response(text, content_type=f"{result.mime_type}; charset=utf-8"))


def _live(content: bytes, content_type: str) -> Response:
    return Response(content, content_type=content_type, headers={"Cache-Control": "no-store"})
