"""Errors as RFC 7807 problem documents: what OGC API and STAC clients are told.

The body is the same whatever it is called: ``application/json`` for a client that accepts nothing
else, as the OGC schemas have it, ``application/problem+json`` for every other one.
"""

import json
from http import HTTPStatus

from werkzeug import Request, Response

from peps_wps.errors import PepsError

PROBLEM_JSON = "application/problem+json"
_JSON = "application/json"
# The type of a problem whose status says it all (RFC 7807, section 4.2).
BLANK = "about:blank"


class ProblemError(PepsError):
    """A request that ends in a problem document.

    Parameters
    ----------
    status
        HTTP status.
    detail
        One sentence for a person.
    kind
        URI of the kind of problem, its ``type``.
    locator
        The input, output or parameter it is about; empty when there is none.
    """

    def __init__(self, status: int, detail: str, *, kind: str = BLANK, locator: str = "") -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.locator = locator

    def __str__(self) -> str:
        return self.detail

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.status, self.detail, self.kind, self.locator)


def _rebuilt(status: int, detail: str, kind: str, locator: str) -> ProblemError:
    """Return a problem that was pickled."""
    return ProblemError(status, detail, kind=kind, locator=locator)


def problem_response(problem: ProblemError, request: Request) -> Response:
    """Return a problem as the answer to a request."""
    body = {
        "type": problem.kind,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.locator:
        body["locator"] = problem.locator
    is_plain = request.accept_mimetypes.best_match([PROBLEM_JSON, _JSON]) == _JSON
    return Response(
        json.dumps(body, indent=1) + "\n",
        problem.status,
        content_type=_JSON if is_plain else PROBLEM_JSON,
        headers={"Cache-Control": "no-store"},
    )
