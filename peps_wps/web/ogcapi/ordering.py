"""From an Execute request to its answer: synchronous, asynchronous, or as long as one waits."""

from typing import Literal

from werkzeug import Request, Response

from peps_wps.access import Caller
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import Order, OrderDesk
from peps_wps.ordering.process import ChainProcess
from peps_wps.web.ogcapi.addresses import Addresses
from peps_wps.web.ogcapi.errors import problem_of_job
from peps_wps.web.ogcapi.execution import ExecuteRequest
from peps_wps.web.ogcapi.results import Results, json_response
from peps_wps.web.ogcapi.status import status_info
from peps_wps.web.prefer import Preferences
from peps_wps.web.problem import problem_response

Mode = Literal["sync", "wait", "async"]


def answer_order(
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
    links = Links.of(desk.config, request)
    order = Order(process, asked.inputs, caller, asked.options(), base=links.base)
    match _mode(process, preferences):
        case "sync":
            job = desk.run_sync(order, links)
            answer, applied = _ended(desk, job, request), ""
        case "wait":
            wait_s = preferences.wait_s or 0
            job = desk.run_within(order, links, wait_s=wait_s)
            ended = job.is_finished
            answer = _ended(desk, job, request) if ended else _created(desk, job, request)
            applied = f"wait={wait_s}"
        case _:
            job = desk.submit(order)
            answer = _created(desk, job, request)
            applied = "respond-async" if preferences.respond_async else ""
    if applied:
        answer.headers["Preference-Applied"] = applied
    return answer


def _mode(process: ChainProcess, preferences: Preferences) -> Mode:
    """Return how an order is answered (clause 7.11.2.3, which leaves the choice of both to us)."""
    if not process.sync_allowed:
        return "async"
    if not process.async_allowed:
        return "sync"
    if preferences.wait_s is not None:
        return "wait"
    return "async" if preferences.respond_async else "sync"


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
    """Return the results of a job, or why there are none, and where the job is if it is kept."""
    addresses = Addresses.of(desk.config, request)
    problem = problem_of_job(job)
    if problem is not None:
        answer = problem_response(problem, request)
    else:
        answer = Results(desk, job, addresses).response(request)
    if desk.process_of(job).async_allowed:
        answer.headers.add("Link", f"<{addresses.job(job.id)}>; rel=monitor")
    return answer
