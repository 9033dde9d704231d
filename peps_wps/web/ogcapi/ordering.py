"""From an Execute request to its answer: synchronous, asynchronous, or as long as one waits."""

from werkzeug import Request, Response

from peps_wps.access import Caller
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import OrderDesk
from peps_wps.ordering.process import ChainProcess
from peps_wps.web.ogcapi.addresses import Addresses
from peps_wps.web.ogcapi.errors import problem_of_job
from peps_wps.web.ogcapi.execution import ExecuteRequest
from peps_wps.web.ogcapi.results import Results, json_response
from peps_wps.web.ogcapi.status import status_info
from peps_wps.web.prefer import Preferences
from peps_wps.web.problem import problem_response


def order(
    desk: OrderDesk, process: ChainProcess, asked: ExecuteRequest, caller: Caller, request: Request
) -> Response:
    """Make an order and answer as the process and the client's preferences have it.

    A process that takes minutes is always asynchronous. Another one is synchronous unless
    ``respond-async`` is preferred; with ``wait`` the client is answered when the job has ended or
    the time is over, whichever comes first (RFC 7240, sections 4.1 and 4.3).

    Raises
    ------
    InvalidInputError, ServerBusyError, SyncTimeoutError, UnauthorizedError, ForbiddenError
        As of `OrderDesk`.
    """
    preferences = Preferences.of(request)
    options, wait_s = asked.options(), preferences.wait_s
    links = Links.of(desk.config, request)
    may_be_sync = process.sync_allowed
    must_be_sync = may_be_sync and not process.async_allowed
    applied = ""
    if may_be_sync and wait_s is not None:
        applied = f"wait={wait_s}"
        job = desk.run_within(
            process, asked.inputs, caller, links=links, options=options, wait_s=wait_s
        )
        is_ended = job.is_finished
    elif must_be_sync or (may_be_sync and not preferences.respond_async):
        job = desk.run_sync(process, asked.inputs, caller, links=links, options=options)
        is_ended = True
    else:
        applied = "respond-async" if preferences.respond_async else ""
        job = desk.submit(process, asked.inputs, caller, options=options)
        is_ended = False
    answer = _ended(desk, job, request) if is_ended else _created(desk, job, request)
    if process.async_allowed and is_ended:
        monitor = Addresses(links).job(job.id)
        answer.headers.add("Link", f"<{monitor}>; rel=monitor")
    if applied:
        answer.headers["Preference-Applied"] = applied
    return answer


def status_response(desk: OrderDesk, job: Job, addresses: Addresses, status: int = 200) -> Response:
    """Return the status document of a job."""
    info = status_info(job, desk.process_of(job).own_identifier, addresses)
    return json_response(info, status)


def _created(desk: OrderDesk, job: Job, request: Request) -> Response:
    """Return 201 with the status of the job and where it is."""
    addresses = Addresses.of(desk.config, request)
    answer = status_response(desk, job, addresses, 201)
    answer.headers["Location"] = addresses.job(job.id)
    return answer


def _ended(desk: OrderDesk, job: Job, request: Request) -> Response:
    """Return the results of a job, or why there are none."""
    addresses = Addresses.of(desk.config, request)
    problem = problem_of_job(job)
    if problem is not None:
        return problem_response(problem, request)
    return Results(desk, job, addresses).response(request)
