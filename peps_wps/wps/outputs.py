"""Files of a job as a client fetches them: report and log from the row, results from the disk."""

import json

from werkzeug import Request, Response

from peps_wps.file_response import result_response
from peps_wps.jobs import Job
from peps_wps.links import Links, report_name
from peps_wps.ordering import OrderDesk
from peps_wps.ordering.process import REPORT
from peps_wps.ordering.report import render_report
from peps_wps.ordering.results import FileResult, file_of, result_of


def send(request: Request, desk: OrderDesk, job: Job, name: str, links: Links) -> Response:
    """Return one file of a job.

    Parameters
    ----------
    name
        Path inside the folder of the job's results.
    links
        Where links lead.

    Raises
    ------
    NoSuchResultError
        When there is no such file, or `name` leads out of the folder.
    ResultsGoneError
        When it was there: results have expired, or were removed from the disk.
    """
    if name == report_name(job.id):
        return send_report(desk, job, links)
    return result_response(request, file_of(job, name, desk.folder(job)))


def send_raw(request: Request, desk: OrderDesk, job: Job, output: str, links: Links) -> Response:
    """Return the value of one output of a job that has succeeded, as the answer itself."""
    if output == REPORT:
        return send_report(desk, job, links)
    result = result_of(job, output, desk.folder(job))
    if isinstance(result, FileResult):
        return result_response(request, result)
    text = result.value if isinstance(result.value, str) else json.dumps(result.value)
    return Response(text, content_type=f"{result.mime_type}; charset=utf-8")


def send_log(log: bytes) -> Response:
    """Return the log of a job."""
    return _live(log, "text/plain; charset=utf-8")


def send_report(desk: OrderDesk, job: Job, links: Links) -> Response:
    """Return the report of a job, as its row stands."""
    identifier = desk.process_of(job).identifier
    return _live(render_report(job, identifier, links, desk.folder(job)), "application/json")


def _live(content: bytes, content_type: str) -> Response:
    return Response(content, content_type=content_type, headers={"Cache-Control": "no-store"})
