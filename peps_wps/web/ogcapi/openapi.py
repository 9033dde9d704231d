"""The OpenAPI 3.0 definition of this API: every path, parameter, schema and error."""

from collections.abc import Iterable
from http import HTTPStatus

from peps_wps.config import Config
from peps_wps.web.ogcapi import parameters
from peps_wps.web.ogcapi.addresses import HTML, JSON, OPENAPI_JSON, Addresses, Json
from peps_wps.web.ogcapi.job_list import TYPES
from peps_wps.web.ogcapi.openapi_schemas import SCHEMAS, reference
from peps_wps.web.ogcapi.status import STATUSES
from peps_wps.web.problem import PROBLEM_JSON

# What any operation can end with: rights, too many attempts, a defect.
_ALWAYS = (401, 403, 429, 500)
_JOB_ID: Json = {
    "name": "jobID",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_PROCESS_ID: Json = {**_JOB_ID, "name": "processID"}
_OUTPUT_ID: Json = {**_JOB_ID, "name": "outputID"}


def openapi(config: Config, addresses: Addresses) -> Json:
    """Return the definition, for the address that the client came to."""
    metadata = config.metadata
    return {
        "openapi": "3.0.3",
        "info": {
            "title": metadata.identification_title,
            "description": metadata.identification_abstract,
            "version": "1.0.0",
        },
        "servers": [{"url": addresses.root}],
        "security": [{}, {"basic": []}, {"token": []}, {"key": []}],
        "paths": _PATHS,
        "components": {
            "schemas": SCHEMAS,
            "responses": {_error_name(status): _error(status) for status in _ERRORS},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _query(name: str, schema: Json, description: str, *, default: object = None) -> Json:
    """Return a parameter of a query; a list goes between commas, an empty value is none."""
    if default is not None:
        schema = {**schema, "default": default}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
        "style": "form",
        "explode": False,
        "allowEmptyValue": True,
    }


def _words(words: Iterable[str]) -> Json:
    return {"type": "array", "items": {"type": "string", "enum": list(words)}}


def _content(schema: str, media_type: str = JSON) -> Json:
    return {media_type: {"schema": reference(schema)}}


def _error_name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _error(status: int) -> Json:
    """Return the response of an error."""
    response: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {**_content("exception", PROBLEM_JSON), **_content("exception")},
    }
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return response


def _operation(
    name: str,
    summary: str,
    responses: Json,
    *,
    errors: Iterable[int] = (),
    parameters: Iterable[Json] = (),
    tag: str = "Capabilities",
) -> Json:
    """Return an operation with the errors that it, and any other, can end with."""
    failures = {
        str(status): {"$ref": f"#/components/responses/{_error_name(status)}"}
        for status in sorted({*errors, *_ALWAYS})
    }
    operation = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "responses": {**responses, **failures},
    }
    given = list(parameters)
    return {**operation, "parameters": given} if given else operation


def _ok(description: str, content: Json) -> Json:
    return {"200": {"description": description, "content": content}}


_ERRORS = (400, 401, 403, 404, 410, 413, 415, 429, 500, 503, 504)
_LIMIT = _query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": parameters.LARGEST_LIMIT},
    "Entries on a page at most.",
    default=parameters.DEFAULT_LIMIT,
)
_SECONDS: Json = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 10**9 - 1}}
_ANYTHING: Json = {"*/*": {"schema": {}}}
_LINK_HEADER: Json = {"Link": {"schema": {"type": "string"}}}
_RESULTS: Json = {
    "200": {
        "description": "A document, one result as it is, or several as multipart/related.",
        "content": {**_content("results"), **_ANYTHING},
        "headers": _LINK_HEADER,
    },
    "204": {"description": "Results by reference, in Link headers.", "headers": _LINK_HEADER},
}
_EXECUTE: Json = {
    **_operation(
        "execute",
        "Order: answered with the results, or with the status of the new job.",
        {
            **_RESULTS,
            "201": {
                "description": "The job is accepted.",
                "content": _content("statusInfo"),
                "headers": {
                    "Location": {"schema": {"type": "string", "format": "uri"}},
                    "Preference-Applied": {"schema": {"type": "string"}},
                },
            },
        },
        errors=(400, 404, 410, 413, 415, 503, 504),
        parameters=[
            _PROCESS_ID,
            {
                "name": "Prefer",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "respond-async, and wait=<seconds> (RFC 7240).",
            },
        ],
        tag="Execute",
    ),
    "requestBody": {"required": True, "content": _content("execute")},
}
_JOBS = _operation(
    "getJobs",
    "The caller's jobs, the newest first.",
    _ok("A page of jobs.", _content("jobList")),
    errors=(400,),
    parameters=[
        _query("type", _words(TYPES), "What created the job."),
        _query("processID", {"type": "array", "items": {"type": "string"}}, "Its process."),
        _query("status", _words(STATUSES), "Its status."),
        _query("datetime", {"type": "string"}, "Instant or interval of its creation (RFC 3339)."),
        _query("minDuration", _SECONDS, "Seconds that it took, or has taken, at least."),
        _query("maxDuration", _SECONDS, "Seconds that it took, or has taken, at most."),
        _LIMIT,
        _query("cursor", {"type": "string"}, "Where the page begins, from a next link."),
    ],
    tag="Jobs",
)
_PATHS: dict[str, Json] = {
    "/": {
        "get": _operation(
            "getLandingPage", "Where everything is.", _ok("Links.", _content("landingPage"))
        )
    },
    "/api": {
        "get": _operation(
            "getDefinition",
            "This document.",
            _ok("The definition.", {OPENAPI_JSON: {"schema": {"type": "object"}}, HTML: {}}),
        )
    },
    "/api.html": {
        "get": _operation(
            "getDefinitionPage", "This document for people.", _ok("A page.", {HTML: {}})
        )
    },
    "/conformance": {
        "get": _operation(
            "getConformanceClasses",
            "The classes of OGC 18-062r2 that are implemented.",
            _ok("Their URIs.", _content("confClasses")),
        )
    },
    "/processes": {
        "get": _operation(
            "getProcesses",
            "The processes that the caller may order.",
            _ok("A page of processes.", _content("processList")),
            errors=(400,),
            parameters=[
                _LIMIT,
                _query(
                    "offset",
                    {"type": "integer", "minimum": 0, "maximum": 10**6},
                    "Processes before the page.",
                    default=0,
                ),
            ],
            tag="Processes",
        )
    },
    "/processes/{processID}": {
        "get": _operation(
            "getProcessDescription",
            "What a process takes and gives.",
            _ok("Its description.", _content("process")),
            errors=(404,),
            parameters=[_PROCESS_ID],
            tag="Processes",
        )
    },
    "/processes/{processID}/execution": {"post": _EXECUTE},
    "/jobs": {"get": _JOBS},
    "/jobs/{jobID}": {
        "get": _operation(
            "getStatus",
            "How a job stands.",
            _ok("Its status.", _content("statusInfo")),
            errors=(404,),
            parameters=[_JOB_ID],
            tag="Jobs",
        ),
        "delete": _operation(
            "dismiss",
            "Stop a job; a finished one loses its results.",
            _ok("Its status, dismissed.", _content("statusInfo")),
            errors=(404,),
            parameters=[_JOB_ID],
            tag="Jobs",
        ),
    },
    "/jobs/{jobID}/results": {
        "get": _operation(
            "getResult",
            "The results, in the form that the order asked for.",
            _RESULTS,
            errors=(400, 404, 410),
            parameters=[_JOB_ID],
            tag="Jobs",
        )
    },
    "/jobs/{jobID}/results/{outputID}": {
        "get": _operation(
            "getOutput",
            "One result as it is.",
            _ok("Its content.", _ANYTHING),
            errors=(400, 404, 410),
            parameters=[_JOB_ID, _OUTPUT_ID],
            tag="Jobs",
        )
    },
    "/jobs/{jobID}/log": {
        "get": _operation(
            "getLog",
            "What happened to a job, one line an event.",
            _ok("The log.", {"text/plain": {"schema": {"type": "string"}}}),
            errors=(404,),
            parameters=[_JOB_ID],
            tag="Jobs",
        )
    },
}
