"""Endpoints of OGC API - Processes: one function an operation."""

from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db.errors import QueryError
from peps_wps.services import Services
from peps_wps.web.json_body import read_json
from peps_wps.web.ogcapi import catalogue, job_list, parameters
from peps_wps.web.ogcapi.addresses import HTML, OPENAPI_JSON, ROOT, Addresses, Json
from peps_wps.web.ogcapi.description import description
from peps_wps.web.ogcapi.errors import invalid, problem_of, problem_of_job
from peps_wps.web.ogcapi.execution import parse_execute
from peps_wps.web.ogcapi.openapi import openapi
from peps_wps.web.ogcapi.openapi_page import openapi_page
from peps_wps.web.ogcapi.ordering import answer_order, status_response
from peps_wps.web.ogcapi.results import Results, content_response, json_response

Endpoint = Callable[..., Response]


def rules() -> list[Rule]:
    """Return the addresses of this API."""
    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", "/", landing_page),
        ("GET", "/api", api),
        ("GET", "/api.html", api_page),
        ("GET", "/conformance", conformance),
        ("GET", "/processes", processes),
        ("GET", "/processes/<process_id>", process),
        ("POST", "/processes/<process_id>/execution", execute),
        ("GET", "/jobs", jobs),
        ("GET", "/jobs/<job_id>", status),
        ("DELETE", "/jobs/<job_id>", dismiss),
        ("GET", "/jobs/<job_id>/results", results),
        ("GET", "/jobs/<job_id>/results/<output>", result),
        ("GET", "/jobs/<job_id>/log", log),
    ]
    return [
        Rule(ROOT + path, endpoint=_guarded(endpoint), methods=[method], strict_slashes=False)
        for method, path, endpoint in endpoints
    ]


def landing_page(request: Request, services: Services) -> Response:
    """Return where everything is."""
    addresses = Addresses.of(services.config, request)
    return json_response(catalogue.landing_page(services.config, addresses))


def conformance(_request: Request, _services: Services) -> Response:
    """Return the classes of the standard that are implemented."""
    return json_response(catalogue.conformance())


def api(request: Request, services: Services) -> Response:
    """Return the OpenAPI definition; a browser is given its page."""
    if request.accept_mimetypes.best_match([OPENAPI_JSON, HTML]) == HTML:
        return api_page(request, services)
    answer = json_response(_definition(request, services))
    answer.content_type = OPENAPI_JSON
    answer.headers["Vary"] = "Accept"
    return answer


def api_page(request: Request, services: Services) -> Response:
    """Return the OpenAPI definition for people."""
    page = openapi_page(_definition(request, services))
    return Response(page, content_type="text/html; charset=utf-8", headers={"Vary": "Accept"})


def processes(request: Request, services: Services) -> Response:
    """Return a page of the processes that the caller may see."""
    listed = services.desk.processes_for(services.access.caller(request))
    limit = parameters.limit(request)
    offset = parameters.number(request, "offset", 0, least=0, most=10**6)
    addresses = Addresses.of(services.config, request)
    return json_response(catalogue.process_list(listed, addresses, limit=limit, offset=offset))


def process(request: Request, services: Services, process_id: str) -> Response:
    """Return the description of a process."""
    caller = services.access.caller(request)
    described = services.desk.process(process_id, caller)
    return json_response(description(described, Addresses.of(services.config, request)))


def execute(request: Request, services: Services, process_id: str) -> Response:
    """Make an order."""
    caller = services.access.caller(request)
    desk = services.desk
    process = desk.process_to_order(process_id, caller)  # before anything is read or fetched
    asked = parse_execute(read_json(request), process, desk.reference_reader().text)
    return answer_order(desk, process, asked, caller, request)


def jobs(request: Request, services: Services) -> Response:
    """Return a page of the caller's jobs."""
    asked = job_list.parse_query(request, services.desk)
    caller = services.access.caller(request)
    try:
        page = services.desk.jobs(caller, asked.wanted, limit=asked.limit, cursor=asked.cursor)
    except QueryError as error:
        raise invalid("cursor", str(error)) from error
    addresses = Addresses.of(services.config, request)
    return json_response(job_list.document(page, asked, services.desk, addresses))


def status(request: Request, services: Services, job_id: str) -> Response:
    """Return the status of a job."""
    job = services.desk.job(job_id, services.access.caller(request))
    return status_response(services.desk, job, Addresses.of(services.config, request))


def dismiss(request: Request, services: Services, job_id: str) -> Response:
    """Dismiss a job; a finished one loses its results."""
    job = services.desk.dismiss(job_id, services.access.caller(request))
    return status_response(services.desk, job, Addresses.of(services.config, request))


def results(request: Request, services: Services, job_id: str) -> Response:
    """Return the results of a job in the form that its order asked for."""
    return _results(request, services, job_id).response(request)


def result(request: Request, services: Services, job_id: str, output: str) -> Response:
    """Return one result of a job, as it is."""
    return content_response(request, _results(request, services, job_id).one(output))


def log(request: Request, services: Services, job_id: str) -> Response:
    """Return the log of a job, one line an event."""
    caller = services.access.caller(request)
    return Response(
        services.desk.log(job_id, caller),
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def _results(request: Request, services: Services, job_id: str) -> Results:
    """Return the results of a job that has some; raises why it has none."""
    job = services.desk.job(job_id, services.access.caller(request))
    if problem := problem_of_job(job):
        raise problem
    return Results(services.desk, job, Addresses.of(services.config, request))


def _definition(request: Request, services: Services) -> Json:
    return openapi(services.config, Addresses.of(services.config, request))


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose errors of ordering are problems with the types of this API."""

    def answer(request: Request, services: Services, **arguments: Any) -> Response:
        try:
            return endpoint(request, services, **arguments)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            raise problem from error

    return answer
