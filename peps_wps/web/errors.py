"""The one table that turns errors into HTTP answers outside the WPS, in the shape PEPS gives them.

Clients look for the key ``ErrorCode`` in whatever JSON they get.
"""

import json
from http import HTTPStatus

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from catalog_db.errors import FootprintError, QueryError, UnknownProductError
from peps_wps import incidents
from peps_wps.errors import AccessError, InvalidInputError, QuotaError
from peps_wps.web.problem import ProblemError, problem_response
from storage.errors import (
    LostFileError,
    PoolTooSmallError,
    ProductWithdrawnError,
    UnknownRequestError,
)

STATUS_OF: dict[type[Exception], int] = {
    InvalidInputError: 400,
    QueryError: 400,
    FootprintError: 400,
    UnknownProductError: 404,
    UnknownRequestError: 404,
    ProductWithdrawnError: 410,
    LostFileError: 410,
    PoolTooSmallError: 507,
}


# Below these, clients expect RFC 7807.
PROBLEM_PATHS = ("/ogcapi", "/stac", "/tape", "/archive", "/tiles")


# What PEPS says in the body where a quota is spent, whatever the status.
QUOTA_CODE = 420


def error_response(status: int, message: str, code: int | None = None) -> Response:
    """Return an error as JSON, as PEPS does: ``{"ErrorMessage": ..., "ErrorCode": ...}``.

    The code in the body is the status, unless PEPS has another one.
    """
    body = json.dumps({"ErrorMessage": message, "ErrorCode": code or status})
    return Response(body, status, content_type="application/json")


def _said(request: Request, status: int, message: str, code: int | None = None) -> Response:
    """Return an error in the form that the clients of an address know."""
    if request.path.startswith(PROBLEM_PATHS):
        return problem_response(ProblemError(status, message), request)
    return error_response(status, message, code)


def response_to(error: Exception, request: Request) -> Response:
    """Return what a client is told of an error.

    An error outside the table is logged with its stack, of which nothing leaves the server.
    """
    if isinstance(error, ProblemError):
        return problem_response(error, request)
    if isinstance(error, HTTPException):
        if error.code is None or error.code < 400 or error.response is not None:
            return Response.force_type(error.get_response(request.environ), request.environ)
        answer = _said(request, error.code, error.description or error.name)
        # What a status needs beside its text: Allow of a 405, Content-Range of a 416.
        for name, value in error.get_headers(request.environ):
            if name.lower() != "content-type":
                answer.headers[name] = value
        return answer
    if isinstance(error, AccessError):
        # PEPS says no more than the name of the status, but of quotas.
        is_quota = isinstance(error, QuotaError)
        is_told = is_quota or request.path.startswith(PROBLEM_PATHS)
        message = str(error) if is_told else HTTPStatus(error.status).phrase
        answer = _said(request, error.status, message, QUOTA_CODE if is_quota else None)
        answer.headers.extend(error.headers)
        return answer
    for kind, status in STATUS_OF.items():
        if isinstance(error, kind):
            return _said(request, status, str(error))
    return _said(request, 500, incidents.report(error, request))
