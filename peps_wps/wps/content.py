"""What a document holds of an output: a literal, a reference, or the content itself."""

import base64
import json
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
from peps_wps.wps.errors import WpsError
from peps_wps.wps.vocabulary import NOT_CARRIED
from peps_wps.xml_parsing import Element, XmlError, read_xml

# An output is written into the document up to this size; a larger one is referred to.
_LARGEST_INLINE_BYTES = 1_000_000


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


def content_of(
    job: Job,
    described: Any,
    links: Links,
    folder: Path,
    *,
    process: ChainProcess,
    as_reference: bool | None,
) -> Content | None:
    """Return an output as a document shows it, None where there is none yet, or no more.

    Parameters
    ----------
    job
        The job as its row says it.
    described
        The output as the process describes it.
    links, folder
        Where links lead, and where the results lie.
    process
        The process as the client named it.
    as_reference
        Whether the client wants a reference; None leaves values as values, and files as files.
    """
    identifier = described.identifier
    if identifier == REPORT:
        return _report(job, process, links, folder, as_reference=as_reference)
    result = (job.results or {}).get(identifier) if job.state == "succeeded" else None
    if result is None:
        return None
    mime_type = result.get("type", "application/octet-stream")
    is_literal = isinstance(described, LiteralOutput)
    if "href" not in result:
        if as_reference and process.async_allowed:
            return Content(mime_type, href=links.output(job.id, identifier))
        value = result["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        return (
            Content(mime_type, is_literal=True, text=text)
            if is_literal
            else _inline(mime_type, text.encode())
        )
    path = folder / result["href"]
    if as_reference is False and path.is_file() and path.stat().st_size <= _LARGEST_INLINE_BYTES:
        return _inline(mime_type, path.read_bytes())
    return Content(mime_type, href=links.output(job.id, result["href"]))


def _report(
    job: Job, process: ChainProcess, links: Links, folder: Path, *, as_reference: bool | None
) -> Content:
    """Return the report, which there is from the moment the job is accepted."""
    if as_reference is False:
        return _inline("application/json", render_report(job, process.identifier, links, folder))
    return Content("application/json", href=links.report(job.id))


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
