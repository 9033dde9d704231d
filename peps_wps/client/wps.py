"""WPS 1.0.0 as a client speaks it: Execute by POST, status documents, results by reference."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import requests

from peps_wps.client.credentials import Credentials
from peps_wps.client.errors import ClientError, RefusedError, UnreachableError
from peps_wps.client.server import NAMES, OWS, WPS, Server, raise_report
from peps_wps.xml_parsing import Element, XmlError, read_xml

XLINK_HREF = "{http://www.w3.org/1999/xlink}href"

PATIENCE_S = 60.0  # with a server that is away while a job is followed
CHUNK_BYTES = 1 << 20

# (bytes so far, bytes in all or None)
Received = Callable[[int, int | None], None]

_STATES = {
    "ProcessAccepted": "accepted",
    "ProcessStarted": "running",
    "ProcessPaused": "running",
    "ProcessSucceeded": "succeeded",
    "ProcessFailed": "failed",
}
ENDED = ("succeeded", "failed")


@dataclass(frozen=True)
class JobOutput:
    """An output of a job: where it is, or its value."""

    identifier: str
    mime_type: str
    href: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class JobStatus:
    """What the status document of a job says.

    Parameters
    ----------
    url
        The address of the document; empty where the server answers at once and keeps nothing.
    state
        ``accepted``, ``running``, ``succeeded`` or ``failed``.
    percent, message
        How far it is, and the step in words or the reason of the failure.
    """

    id: str
    url: str
    state: str
    percent: int
    message: str
    outputs: tuple[JobOutput, ...]

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.state in ENDED


class WpsClient:
    """Talks to one server.

    Parameters
    ----------
    url
        The server, ``http://127.0.0.1:5000``, or its WPS end point itself. ``user:password@``
        before the host are credentials, and win.
    credentials
        Who asks; none: whoever ``~/.netrc`` says, else nobody.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self.server = Server(url, credentials)
        base = self.server.url
        self.endpoint = base if base.endswith("/wps") else f"{base}/resto/wps"

    def execute(self, process: str, inputs: Iterable[tuple[str, str]]) -> JobStatus:
        """Order a processing; return the status of its job.

        A process that keeps no answers, by its description, gives its outputs at once.

        Parameters
        ----------
        process
            Identifier of the process.
        inputs
            Identifier and literal value of each input, repeated for several values.

        Raises
        ------
        RefusedError
            When the server refuses the order.
        """
        body = execute_document(process, inputs, is_stored=self._is_stored(process))
        answer = self._ask("POST", self.endpoint, data=body, headers={"Content-Type": "text/xml"})
        return read_status(answer)

    def status(self, job: str) -> JobStatus:
        """Return how far a job is, given its identifier or the address of its status document.

        Raises
        ------
        RefusedError
            When the server knows no such job.
        """
        try:
            return read_status(self._ask("GET", self._status_url(job)))
        except RefusedError as error:
            if error.code not in ("404", "NoSuchJob"):
                raise
            raise RefusedError("NoSuchJob", "", f"there is no job {job}") from error

    def follow(
        self, job: str, watch: Callable[[JobStatus], None], *, interval_s: float = 1.0
    ) -> JobStatus:
        """Ask until a job ends; a server that goes away for a while is waited for."""
        last_answer = -PATIENCE_S
        while True:
            try:
                status = self.status(job)
            except UnreachableError:
                if time.monotonic() - last_answer > PATIENCE_S:
                    raise
            else:
                last_answer = time.monotonic()
                watch(status)
                if status.is_finished:
                    return status
            time.sleep(interval_s)

    def dismiss(self, job: str) -> None:
        """Dismiss a job."""
        query = {
            "service": "WPS",
            "version": "1.0.0",
            "request": "Dismiss",
            "jobid": job_identifier(job),
        }
        self._ask("GET", self.endpoint, params=query)

    def download(self, href: str, folder: Path, received: Received = lambda *_: None) -> Path:
        """Fetch a result into a folder; it appears whole or not at all.

        Raises
        ------
        GoneError
            When the server keeps the result no more.
        ClientError
            When the transfer ends before the last byte.
        """
        name = PurePosixPath(unquote(urlsplit(href).path)).name
        if name in ("", ".", ".."):
            raise ClientError(f"{href} names no file")
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}.partial"
        try:
            with self.server.send("GET", href, stream=True) as answer, partial.open("wb") as stream:
                _receive(answer, stream.write, received)
            return partial.replace(folder / name)
        finally:
            partial.unlink(missing_ok=True)

    def _is_stored(self, process: str) -> bool:
        """Tell whether the server says of a process that it keeps answers, or says nothing."""
        query = {
            "service": "WPS",
            "version": "1.0.0",
            "request": "DescribeProcess",
            "identifier": process,
        }
        answer = self._ask("GET", self.endpoint, params=query)
        raise_report(answer)
        described = answer.find("ProcessDescription")  # in no namespace
        # Absent means false (OGC 05-007r7, table 23).
        return described is None or described.get("storeSupported") in ("true", "1")

    def _status_url(self, job: str) -> str:
        if "://" in job:
            return job
        return f"{self.endpoint}/outputs/pywps-{job_identifier(job)}.xml"

    def _ask(self, method: str, url: str, **options: Any) -> Element:
        """Return the XML document that the server answers."""
        with self.server.send(method, url, **options) as answer:
            content = answer.content
        try:
            return read_xml(content)
        except XmlError as error:
            raise UnreachableError(f"{url} does not answer with a WPS document") from error


def execute_document(
    process: str, inputs: Iterable[tuple[str, str]], *, is_stored: bool = True
) -> bytes:
    """Return an Execute request with every output, for an asynchronous run if that is kept."""
    root = ElementTree.Element(f"{{{WPS}}}Execute", {"service": "WPS", "version": "1.0.0"})
    ElementTree.SubElement(root, f"{{{OWS}}}Identifier").text = process
    given = ElementTree.SubElement(root, f"{{{WPS}}}DataInputs")
    for identifier, value in inputs:
        one = ElementTree.SubElement(given, f"{{{WPS}}}Input")
        ElementTree.SubElement(one, f"{{{OWS}}}Identifier").text = identifier
        data = ElementTree.SubElement(one, f"{{{WPS}}}Data")
        ElementTree.SubElement(data, f"{{{WPS}}}LiteralData").text = value
    form = ElementTree.SubElement(root, f"{{{WPS}}}ResponseForm")
    options = {"storeExecuteResponse": "true", "status": "true"} if is_stored else {}
    ElementTree.SubElement(form, f"{{{WPS}}}ResponseDocument", options)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def read_status(root: Element) -> JobStatus:
    """Return what a status document says."""
    raise_report(root)
    url = root.get("statusLocation", "")
    status = root.find("wps:Status", NAMES)
    if status is None or len(status) == 0:
        raise UnreachableError("the answer is no status document")
    element = status[0]
    state = _STATES.get(str(element.tag).rpartition("}")[2], "running")
    texts = [one.text for one in element.iterfind(".//ows:ExceptionText", NAMES)]
    message = " ".join(filter(None, [element.text, *texts])).strip()
    if not url and state not in ENDED:
        raise UnreachableError("the answer does not say where the status of the job is")
    return JobStatus(
        id=job_identifier(url),
        url=url,
        state=state,
        percent=100 if state == "succeeded" else int(element.get("percentCompleted", "0")),
        message=message,
        outputs=tuple(map(_output, root.iterfind("wps:ProcessOutputs/wps:Output", NAMES))),
    )


def job_identifier(job: str) -> str:
    """Return the identifier in the address of a status document; an identifier stays itself."""
    found = re.search(r"pywps-([0-9a-f-]+)\.xml", job)
    return found[1] if found else job


def _output(element: Element) -> JobOutput:
    identifier = element.findtext("ows:Identifier", "", NAMES)
    reference = element.find("wps:Reference", NAMES)
    if reference is not None:
        href = reference.get("href") or reference.get(XLINK_HREF)
        return JobOutput(identifier, reference.get("mimeType", ""), href=href)
    data = element.find("wps:Data", NAMES)
    value = "".join(map(str, data.itertext())).strip() if data is not None else ""
    return JobOutput(identifier, "", value=value)


def _receive(answer: requests.Response, write: Callable[[bytes], int], received: Received) -> None:
    """Pass the body of an answer on, and check that it came whole."""
    length = answer.headers.get("Content-Length")
    expected = int(length) if length and "Content-Encoding" not in answer.headers else None
    done = 0
    try:
        for chunk in answer.iter_content(CHUNK_BYTES):
            write(chunk)
            done += len(chunk)
            received(done, expected)
    except requests.RequestException as error:
        raise ClientError(f"{answer.url} broke off after {done} bytes: {error}") from error
    if expected is not None and done != expected:
        raise ClientError(f"{answer.url} broke off after {done} of {expected} bytes")
