"""``wps:ExecuteResponse`` documents, written from the row of a job whenever they are asked for.

Valid against the WPS 1.0.0 schema in every state, and laid out as the PEPS scripts read it, by text
line: the start tag of the root on one line with ``statusLocation`` as its last attribute, every
``wps:Reference`` on a line of its own, the JSON report the last of them and there from the moment
the job is accepted.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lxml import etree
from pywps import LiteralInput

from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering.process import REPORT, ChainProcess
from peps_wps.ordering.report import render_report
from peps_wps.wps.documents import serialise
from peps_wps.wps.errors import WpsError
from peps_wps.wps.exception_report import exception_report, one_line
from peps_wps.wps.xml_request import OWS, WPS

_XLINK = "http://www.w3.org/1999/xlink"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# An output is written into the document up to this size; a larger one is referred to.
_LARGEST_INLINE_BYTES = 1_000_000


def render_status(
    job: Job, process: ChainProcess, links: Links, *, folder: Path, now: datetime
) -> bytes:
    """Return the status document of a job.

    Parameters
    ----------
    job
        The job as its row says it; its response options say what the client asked for.
    process
        The process as the client named it.
    links
        Where the service, the document itself and the results are found.
    folder
        The folder of the job's results.
    now
        The time that the document carries while the job has not ended, UTC.
    """
    root = _element(None, "wps:ExecuteResponse")
    root.set("service", "WPS")
    root.set("version", "1.0.0")
    root.set(_XML_LANG, "en-US")
    root.set("serviceInstance", links.capabilities)
    if job.response_options.get("store", True):
        root.set("statusLocation", links.status(job.id))
    described = _element(root, "wps:Process")
    described.set(f"{{{WPS}}}processVersion", process.version)
    _describe(described, process)
    _status(root, job, process, now)
    wanted = _wanted(job, process)
    if job.response_options.get("lineage"):
        _lineage(root, job, process, wanted)
    _outputs(root, job, process, links, folder, wanted)
    return serialise(root)


def _element(parent: etree._Element | None, name: str, text: str | None = None) -> etree._Element:
    """Return a new element, under its parent if it has one."""
    prefix, _, local_name = name.partition(":")
    tag = f"{{{ {'wps': WPS, 'ows': OWS}[prefix] }}}{local_name}"
    if parent is None:
        return etree.Element(tag, nsmap={"wps": WPS, "ows": OWS, "xlink": _XLINK})
    element = etree.SubElement(parent, tag)
    element.text = None if text is None else one_line(text)
    return element


def _describe(parent: etree._Element, described: Any) -> None:
    """Write identifier and title of a process, an input or an output."""
    _element(parent, "ows:Identifier", described.identifier)
    _element(parent, "ows:Title", described.title or described.identifier)


def _status(root: etree._Element, job: Job, process: ChainProcess, now: datetime) -> None:
    """Write the state of the job."""
    status = _element(root, "wps:Status")
    status.set("creationTime", (job.finished or now).strftime("%Y-%m-%dT%H:%M:%SZ"))
    state = job.shown_state
    if state == "running":
        started = _element(status, "wps:ProcessStarted", _running_text(job))
        started.set("percentCompleted", str(min(job.progress, 99)))
    elif state == "succeeded":
        text = f"Process {process.identifier} succeeded"
        _element(status, "wps:ProcessSucceeded", f"{text}: {job.message}" if job.message else text)
    elif state in ("failed", "dismissed"):
        _element(status, "wps:ProcessFailed").append(exception_report(_failure(job)))
    else:
        _element(status, "wps:ProcessAccepted", _accepted_text(job, process))


def _running_text(job: Job) -> str:
    message = job.message or "running"
    is_retry = job.attempt > 1
    return f"Attempt {job.attempt} of {job.max_attempts}: {message}" if is_retry else message


def _accepted_text(job: Job, process: ChainProcess) -> str:
    """Say where the job waits; the first words are the ones that the PEPS scripts look for."""
    is_told = job.message and job.message != "Accepted"
    parts = [f"Process {process.identifier} accepted: {job.message if is_told else 'waiting'}"]
    if job.queue_position:
        parts.append(f"number {job.queue_position} in the queue")
    if job.expected_s:
        parts.append(f"a run usually takes {_duration(job.expected_s)}")
    return "; ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _failure(job: Job) -> WpsError:
    """Return the error that a failed or dismissed job ends with."""
    if job.state == "dismissed":
        return WpsError("JobDismissed", job.id, "The job was dismissed")
    return WpsError(job.error_code or "NoApplicableCode", "", job.message or "Failed")


def _wanted(job: Job, process: ChainProcess) -> dict[str, bool | None]:
    """Return the outputs of the answer, and whether each is wanted as a reference; None: either."""
    asked = job.response_options.get("outputs") or []
    if not asked:
        return {one.identifier: None for one in process.outputs}
    references = {one["identifier"]: one.get("as_reference") for one in asked}
    ordered = [one.identifier for one in process.outputs if one.identifier in references]
    return {identifier: references[identifier] for identifier in ordered}


def _lineage(
    root: etree._Element, job: Job, process: ChainProcess, wanted: Mapping[str, bool | None]
) -> None:
    """Repeat the inputs and the definitions of the outputs."""
    given = [
        (one, job.inputs.get(process.chain_inputs[one.identifier] or "", ()))
        for one in process.inputs
    ]
    if any(values for _, values in given):
        inputs = _element(root, "wps:DataInputs")
        for described, values in given:
            for value in values:
                one = _element(inputs, "wps:Input")
                _describe(one, described)
                kind = "Literal" if isinstance(described, LiteralInput) else "Complex"
                _element(_element(one, "wps:Data"), f"wps:{kind}Data").text = value
    definitions = _element(root, "wps:OutputDefinitions")
    for output in process.outputs:
        if output.identifier in wanted:
            definition = _element(definitions, "wps:Output")
            is_reference = wanted[output.identifier] is not False
            definition.set("asReference", "true" if is_reference else "false")
            _describe(definition, output)


def _outputs(
    root: etree._Element,
    job: Job,
    process: ChainProcess,
    links: Links,
    folder: Path,
    wanted: Mapping[str, bool | None],
) -> None:
    """Write the outputs that exist: the report always, the others once the job has succeeded."""
    results = dict(job.results or {}) if job.state == "succeeded" else {}
    results.pop(REPORT, None)
    present = [one for one in process.outputs if one.identifier in wanted]
    present = [one for one in present if one.identifier in results or one.identifier == REPORT]
    if not present:
        return
    outputs = _element(root, "wps:ProcessOutputs")
    for described in present:
        output = _element(outputs, "wps:Output")
        _describe(output, described)
        inline = wanted[described.identifier] is False
        if described.identifier == REPORT:
            content = render_report(job, process.identifier, links, folder) if inline else None
            _complex(output, links.report(job.id), "application/json", content)
        else:
            _result(output, job, results[described.identifier], links, folder, inline=inline)


def _result(
    output: etree._Element,
    job: Job,
    result: Mapping[str, Any],
    links: Links,
    folder: Path,
    *,
    inline: bool,
) -> None:
    """Write one result of the chain: a literal value, a reference, or the content itself."""
    mime_type = result.get("type", "application/octet-stream")
    if "href" not in result:
        value = result["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        literal = _element(_element(output, "wps:Data"), "wps:LiteralData")
        literal.text = one_line(text)
        return
    path = folder / result["href"]
    is_small = inline and path.is_file() and path.stat().st_size <= _LARGEST_INLINE_BYTES
    content = path.read_bytes() if is_small else None
    _complex(output, links.output(job.id, result["href"]), mime_type, content)


def _complex(output: etree._Element, address: str, mime_type: str, content: bytes | None) -> None:
    """Write a reference, or the content where it is given."""
    if content is None:
        reference = _element(output, "wps:Reference")
        reference.set("href", address)
        reference.set("mimeType", mime_type)
        return
    data = _element(_element(output, "wps:Data"), "wps:ComplexData")
    data.set("mimeType", mime_type)
    try:
        data.text = content.decode("utf-8")
    except ValueError:  # not UTF-8, or a character that XML cannot carry
        data.set("encoding", "base64")
        data.text = base64.b64encode(content).decode("ascii")
