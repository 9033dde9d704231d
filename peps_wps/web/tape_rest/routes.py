"""Endpoints of the tape service: one function an operation."""

from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug import Request, Response
from werkzeug.routing import Rule

from peps_wps.links import Links
from peps_wps.services import Services
from peps_wps.staging.stage_requests import StageRequests
from peps_wps.web.json_answer import json_answer
from peps_wps.web.json_body import read_json
from peps_wps.web.problem import ProblemError
from peps_wps.web.tape_rest import documents
from peps_wps.web.tape_rest.bodies import distinct, read_paths, read_stage
from peps_wps.web.tape_rest.documents import API
from storage.errors import NotRequestedError, PinTooLongError

Endpoint = Callable[..., Response]

_MOST_LISTED = 100
# What gfal2 sends as the request where its caller names none: `gfal-evict` without a token, and a
# copy that is to evict its source (gfal2 2.21, plugins/http/gfal_http_plugin_tape.cpp).
_ANY_REQUEST = "gfal2-placeholder-id"


def rules() -> list[Rule]:
    """Return the addresses of the service."""
    endpoints: list[tuple[str, str, Endpoint]] = [
        ("GET", "/stage", list_requests),
        ("POST", "/stage", stage),
        ("GET", "/stage/<request_id>", progress),
        ("DELETE", "/stage/<request_id>", delete),
        ("POST", "/stage/<request_id>/cancel", cancel),
        ("POST", "/release/<request_id>", release),
        ("POST", "/archiveinfo", archive_info),
    ]
    known = Rule("/.well-known/wlcg-tape-rest-api", endpoint=discover, methods=["GET"])
    return [known] + [
        Rule(API + path, endpoint=endpoint, methods=[method], strict_slashes=False)
        for method, path, endpoint in endpoints
    ]


def discover(request: Request, services: Services) -> Response:
    """Return where the service is; everybody may know."""
    base = Links.of(services.config, request).base
    return _document(documents.discovery(base, services.config.portal.title))


def stage(request: Request, services: Services) -> Response:
    """Take a request."""
    user = _user(request, services)
    order = read_stage(read_json(request))
    try:
        request_id = _requests(services).open(
            order.paths, user, pin_lifetime_s=order.disk_lifetime_s, deadline=order.deadline
        )
    except PinTooLongError as error:
        raise ProblemError(400, str(error), locator="diskLifetime") from error
    answer = _document({"requestId": request_id}, status=201)
    base = Links.of(services.config, request).base
    answer.headers["Location"] = f"{base}{API}/stage/{request_id}"
    return answer


def list_requests(request: Request, services: Services) -> Response:
    """Return the caller's requests: an extension."""
    user = _user(request, services)
    return _document(documents.listing(_requests(services).list(user, _MOST_LISTED)))


def progress(request: Request, services: Services, request_id: str) -> Response:
    """Return how far a request is."""
    status = _requests(services).status(request_id, _user(request, services))
    return _document(documents.progress(status))


def cancel(request: Request, services: Services, request_id: str) -> Response:
    """Wait no more for some files of a request."""
    return _changed(partial(_requests(services).cancel, request_id), request, services)


def release(request: Request, services: Services, request_id: str) -> Response:
    """Let go of some files of a request; where gfal2 knows none, of all that the caller has."""
    requests = _requests(services)
    if request_id == _ANY_REQUEST:
        return _changed(requests.release_all, request, services)
    return _changed(partial(requests.release, request_id), request, services)


def delete(request: Request, services: Services, request_id: str) -> Response:
    """End a request and forget it."""
    _requests(services).forget(request_id, _user(request, services))
    return _nothing()


def archive_info(request: Request, services: Services) -> Response:
    """Return where files are; of too many, of the first ones."""
    _user(request, services)
    paths = distinct(read_paths(read_json(request), are_cut=True))
    found = _requests(services).find(paths)
    return _document(documents.archive_info(paths, found, services.config.tape_names))


def _changed(
    change: Callable[[str, list[str]], None], request: Request, services: Services
) -> Response:
    """Change some files of the caller's; one that he did not ask for leaves all as they are."""
    user = _user(request, services)
    paths = distinct(read_paths(read_json(request)))
    try:
        change(user, paths)
    except NotRequestedError as error:
        sentence = f"{error}; nothing has been changed"
        raise ProblemError(400, sentence, locator="paths") from error
    return _nothing()


def _user(request: Request, services: Services) -> str:
    """Return who asks, who must be known."""
    caller = services.access.caller(request)
    services.access.check_staging(caller)
    return caller.name


def _requests(services: Services) -> StageRequests:
    return StageRequests(services.archive, services.engine)


def _document(document: Any, *, status: int = 200) -> Response:
    answer = json_answer(document)
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _nothing() -> Response:
    return Response(status=200, headers={"Cache-Control": "no-store"})
