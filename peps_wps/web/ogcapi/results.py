"""Results of jobs as documents (``results.yaml``), as they are, or as parts of one message.

Which of them is decided by clause 7.11.4 of OGC 18-062r2, table 11: ``response`` and the
transmission mode of each output, as the Execute request gave them. A client that accepts nothing
but JSON and did not say ``raw`` is given a document.
"""

import base64
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pywps import LiteralOutput
from werkzeug import Request, Response

from peps_wps.file_response import inert, result_response
from peps_wps.jobs import Job
from peps_wps.ordering import OrderDesk
from peps_wps.ordering.boxes import Box, BoxOutput
from peps_wps.ordering.errors import NoSuchResultError
from peps_wps.ordering.process import REPORT
from peps_wps.ordering.report import render_report
from peps_wps.ordering.results import (
    LARGEST_INLINE_BYTES,
    FileResult,
    ValueResult,
    result_of,
)
from peps_wps.web.ogcapi.addresses import JSON, REL, Addresses, Json
from peps_wps.web.ogcapi.description import is_textual
from peps_wps.web.ogcapi.multipart import Part, multipart_response

_LIVE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Given:
    """An output that a job gave.

    Parameters
    ----------
    name
        Its identifier.
    result
        The file or value.
    href
        Where it can be had by itself.
    mode
        ``value`` or ``reference`` as the client asked, None where it left the choice to us.
    """

    name: str
    result: FileResult | ValueResult
    href: str
    mode: str | None


@dataclass(frozen=True)
class Results:
    """The results of a job that has succeeded, as its client wants them.

    Parameters
    ----------
    desk, job, addresses
        Where results come from, the job, and where links lead.
    """

    desk: OrderDesk
    job: Job
    addresses: Addresses

    def response(self, request: Request) -> Response:
        """Return the results in the form that the Execute request asked for."""
        asked = self.job.response_options.get("ogcapi") or {}
        form = asked.get("response")
        if form is None and _accepts_json_only(request):
            form = "document"
        given = self._given(self._wanted(asked))
        if form == "document" or not asked:
            return json_response(self._document(given))
        return self._raw(request, given)

    def one(self, name: str) -> FileResult | ValueResult:
        """Return one output.

        Raises
        ------
        NoSuchResultError
            When the job gave none of this name.
        ResultsGoneError
            When it has expired, or is lost.
        """
        folder = self.desk.folder(self.job)
        if name != REPORT:
            return result_of(self.job, name, folder)
        identifier = self.desk.process_of(self.job).identifier
        content = render_report(self.job, identifier, self.addresses.links, folder)
        return ValueResult(json.loads(content), JSON)

    def _given(self, wanted: Mapping[str, str | None]) -> list[Given]:
        """Return the outputs wanted that the job gave; not every run gives every one."""
        found = []
        for name, mode in wanted.items():
            with contextlib.suppress(NoSuchResultError):
                result = self.one(name)
                found.append(Given(name, result, self._href(name, result), mode))
        return found

    def _href(self, name: str, result: FileResult | ValueResult) -> str:
        links = self.addresses.links
        if name == REPORT:
            return links.report(self.job.id)
        if isinstance(result, FileResult):
            return links.output(self.job.id, result.name)
        return self.addresses.result(self.job.id, name)

    def _wanted(self, asked: Mapping[str, Any]) -> Mapping[str, str | None]:
        process = self.desk.process_of(self.job)
        return asked.get("outputs") or {one.identifier: None for one in process.outputs}

    def _document(self, given: list[Given]) -> Json:
        described = {one.identifier: one for one in self.desk.process_of(self.job).outputs}
        return {one.name: _member(one, described.get(one.name)) for one in given}

    def _raw(self, request: Request, given: list[Given]) -> Response:
        """Return results as they are: one alone, references as links, several as parts."""
        # None at all is an answer without content: a message of parts has one at least.
        if all(one.mode == "reference" for one in given):
            return _references(given)
        if len(given) == 1:
            return content_response(request, given[0].result)
        return multipart_response([_part(one) for one in given])


def content_response(request: Request, result: FileResult | ValueResult) -> Response:
    """Return one result as the answer itself."""
    if isinstance(result, FileResult):
        return result_response(request, result)
    return inert(Response(_text(result), content_type=_content_type(result), headers=_LIVE))


def json_response(document: Any, status: int = 200, **headers: str) -> Response:
    """Return a JSON document that may be another one a second later."""
    body = json.dumps(document, ensure_ascii=False) + "\n"
    return Response(body, status, content_type=JSON, headers={**_LIVE, **headers})


def _accepts_json_only(request: Request) -> bool:
    accepted = request.accept_mimetypes
    return bool(accepted) and accepted[JSON] > 0 and accepted["multipart/related"] == 0


def _references(given: list[Given]) -> Response:
    """Return links, if any, and nothing else (requirement ``job-creation-sync-raw-ref``)."""
    response = Response(status=204, headers=_LIVE)
    for one in given:
        response.headers.add("Link", f'<{one.href}>; rel="{REL}results"; title="{one.name}"')
    return response


def _part(one: Given) -> Part:
    """Return one output as a part of a message; by reference it has no body."""
    if one.mode == "reference":
        return Part(one.name, one.result.mime_type, location=one.href)
    if isinstance(one.result, FileResult):
        return Part(one.name, one.result.mime_type, content=one.result.path)
    return Part(one.name, _content_type(one.result), content=_text(one.result).encode())


def _member(one: Given, described: Any) -> Any:
    """Return one output as a member of a document."""
    result = one.result
    if one.mode == "reference" or (one.mode is None and _goes_by_reference(one)):
        return {"href": one.href, "type": result.mime_type, "rel": REL + "results"}
    if isinstance(result, FileResult):
        return _file_member(one, result)
    if isinstance(described, BoxOutput):
        return box_document(result.value)
    if isinstance(described, LiteralOutput):
        return _typed(result.value, described.data_type)
    text = result.value
    read = _readable(text.encode(), result.mime_type) if isinstance(text, str) else None
    return {"value": text if read is None else read, "mediaType": result.mime_type}


def box_document(text: str) -> Json:
    """Return a bounding box as ``bbox.yaml`` has it."""
    box = Box.of_text(text)
    return {"bbox": [*box.lower, *box.upper], "crs": box.crs}


def _goes_by_reference(one: Given) -> bool:
    """Tell what becomes of an output whose client leaves the choice to us."""
    return isinstance(one.result, FileResult) or one.name == REPORT


def _file_member(one: Given, file: FileResult) -> Json:
    """Return the content of a file as a qualified value, a reference where it is too large."""
    if file.size_bytes > LARGEST_INLINE_BYTES:
        return {"href": one.href, "type": file.mime_type, "rel": REL + "results"}
    content = file.path.read_bytes()
    value = _readable(content, file.mime_type)
    if value is not None:
        return {"value": value, "mediaType": file.mime_type}
    encoded = base64.b64encode(content).decode("ascii")
    return {"value": encoded, "encoding": "base64", "mediaType": file.mime_type}


def _readable(content: bytes, media_type: str) -> Any:
    """Return content as JSON can carry it, None where it is not what its type says."""
    if not is_textual(media_type):
        return None
    try:
        text = content.decode("utf-8")
        if media_type.endswith("json"):
            return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _typed(value: Any, data_type: str) -> Any:
    """Return the value of a literal as JSON says its type; the table keeps texts."""
    if not isinstance(value, str):
        return value
    if data_type == "boolean":
        return value.lower() in ("true", "1")
    if data_type in ("integer", "nonNegativeInteger", "positiveInteger"):
        return int(value)
    return float(value) if data_type == "float" else value


def _text(result: ValueResult) -> str:
    value = result.value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _content_type(result: ValueResult) -> str:
    is_text = result.mime_type.startswith("text/")
    return f"{result.mime_type}; charset=utf-8" if is_text else result.mime_type
