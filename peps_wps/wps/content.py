"""What a document holds of an output: a literal, a reference, or the content itself."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree
from pywps import LiteralOutput

from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess
from peps_wps.ordering.process import REPORT
from peps_wps.ordering.report import render_report
from peps_wps.ordering.results import LARGEST_INLINE_BYTES
from peps_wps.wps.errors import WpsError
from peps_wps.xml_parsing import NOT_CARRIED, Element, XmlError, read_xml

_JSON = "application/json"


@dataclass(frozen=True)
class Content:
    """One output as a document shows it.

    Parameters
    ----------
    mime_type
        Media type; of a literal, that of the text.
    is_literal
        Whether it is a literal.
    href
        Where it is found; None where the document holds it.
    text
        The literal, or the content where it is text.
    binary
        The content where it is none.
    """

    mime_type: str
    is_literal: bool = False
    href: str | None = None
    text: str = ""
    binary: bytes | None = None

    def put_in(self, element: Element) -> None:
        """Put the content into an element: XML as elements, text as text, the rest as base64."""
        if self.binary is not None:
            element.set("encoding", "base64")
            element.text = base64.b64encode(self.binary).decode("ascii")
        elif self.mime_type.partition(";")[0].endswith("xml"):
            put_document(element, self.text)
        else:
            element.text = self.text


def wanted_outputs(job: Job, process: ChainProcess) -> dict[str, bool | None]:
    """Return the outputs of the answer, and whether each is wanted as a reference; None: either."""
    asked = job.response_options.get("outputs") or []
    if not asked:
        return {one.identifier: None for one in process.outputs}
    references = {one["identifier"]: one.get("as_reference") for one in asked}
    ordered = [one.identifier for one in process.outputs if one.identifier in references]
    return {identifier: references[identifier] for identifier in ordered}


def failure_of(job: Job) -> WpsError:
    """Return the error that a failed or dismissed job ends with."""
    if job.state == "dismissed":
        return WpsError("JobDismissed", job.id, "The job was dismissed")
    code = job.error_code or "NoApplicableCode"
    return WpsError(code, job.error_locator or "", job.message or "Failed")


@dataclass(frozen=True)
class JobContents:
    """What a document shows of the outputs of a job.

    Parameters
    ----------
    job
        The job as its row says it; its response options say what the client asked for.
    process
        The process as the client named it.
    links, folder
        Where links lead, and where the results lie.
    """

    job: Job
    process: ChainProcess
    links: Links
    folder: Path

    def present(self) -> list[tuple[Any, Content]]:
        """Return the outputs that are wanted and there, each with its description.

        The report is there from the moment the job is accepted, the others once it has succeeded.
        """
        wanted = wanted_outputs(self.job, self.process)
        contents = [
            (described, self._content(described, wanted[described.identifier]))
            for described in self.process.outputs
            if described.identifier in wanted
        ]
        return [(described, content) for described, content in contents if content is not None]

    def _content(self, described: Any, as_reference: bool | None) -> Content | None:  # noqa: FBT001
        """Return an output; None for the wish leaves values as values, and files as files."""
        if described.identifier == REPORT:
            return self._report(by_value=as_reference is False)
        has_results = self.job.state == "succeeded" and self.job.results is not None
        result = (self.job.results or {}).get(described.identifier) if has_results else None
        if result is None:
            return None
        if "href" in result:
            return self._file(result, by_value=as_reference is False)
        return self._value(described, result, by_value=not as_reference)

    def _report(self, *, by_value: bool) -> Content:
        if not by_value:
            return Content(_JSON, href=self.links.report(self.job.id))
        report = render_report(self.job, self.process.identifier, self.links, self.folder)
        return _inline(_JSON, report)

    def _file(self, result: Mapping[str, Any], *, by_value: bool) -> Content:
        mime_type = result.get("type", "application/octet-stream")
        path = self.folder / result["href"]
        if by_value and path.is_file() and path.stat().st_size <= LARGEST_INLINE_BYTES:
            return _inline(mime_type, path.read_bytes())
        return Content(mime_type, href=self.links.output(self.job.id, result["href"]))

    def _value(self, described: Any, result: Mapping[str, Any], *, by_value: bool) -> Content:
        name = described.identifier
        mime_type = result.get("type", "text/plain")
        if not by_value and self.process.async_allowed:
            return Content(mime_type, href=self.links.output(self.job.id, name))
        if not by_value:
            # No job keeps it: the address is that of the question.
            href = self.links.raw(self.process.identifier, self.job.inputs, name)
            return Content(mime_type, href=href)
        value = result["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        if isinstance(described, LiteralOutput):
            return Content(mime_type, is_literal=True, text=text)
        return _inline(mime_type, text.encode())


def _inline(mime_type: str, content: bytes) -> Content:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return Content(mime_type, binary=content)
    if NOT_CARRIED.search(text) or "\r" in text:  # XML would not give it back as it was
        return Content(mime_type, binary=content)
    return Content(mime_type, text=text)


def put_document(element: Element, text: str) -> None:
    """Put a document into an element: as elements where it is XML, else as text."""
    try:
        root = read_xml(text.encode())
    except XmlError:
        element.text = text
        return
    # Not indented with the document around it: white space inside is the client's own.
    element.append(etree.fromstring(etree.tostring(root)))
