"""``wps:ExecuteResponse`` documents, written from the row of a job whenever they are asked for.

Valid against the WPS 1.0.0 schema in every state, and laid out as the PEPS scripts read it, by text
line: the start tag of the root on one line with ``statusLocation`` as its last attribute, every
``wps:Reference`` on a line of its own, the JSON report the last of them and there from the moment
the job is accepted.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pywps import LiteralInput

from catalog_db import times
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess
from peps_wps.ordering.wording import in_words
from peps_wps.wps.content import (
    Content,
    JobContents,
    failure_of,
    put_document,
    wanted_outputs,
)
from peps_wps.wps.translation import exception_report
from peps_wps.wps.vocabulary import V1, XML_LANG, serialise
from peps_wps.xml_parsing import Element


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
    root = V1.root("wps:ExecuteResponse", service="WPS", version="1.0.0")
    root.set(XML_LANG, "en-US")
    root.set("serviceInstance", links.capabilities)
    if job.response_options.get("store", True):
        root.set("statusLocation", links.status(job.id))
    described = V1.add(root, "wps:Process")
    described.set(V1.name("wps:processVersion"), process.version)
    _describe(described, process)
    _status(root, job, process, now)
    if job.response_options.get("lineage"):
        _lineage(root, job, process)
    present = JobContents(job, process, links, folder).present()
    if present:
        outputs = V1.add(root, "wps:ProcessOutputs")
        for output, content in present:
            element = V1.add(outputs, "wps:Output")
            _describe(element, output)
            _content(element, content)
    return serialise(root)


def _describe(parent: Element, described: Any) -> None:
    """Write identifier and title of a process, an input or an output."""
    V1.add(parent, "ows:Identifier", described.identifier)
    V1.add(parent, "ows:Title", described.title or described.identifier)


def _status(root: Element, job: Job, process: ChainProcess, now: datetime) -> None:
    """Write the state of the job."""
    status = V1.add(root, "wps:Status")
    status.set("creationTime", times.to_text(job.finished or now))
    state = job.shown_state
    if state == "running":
        percent = str(min(job.progress, 99))
        V1.add(status, "wps:ProcessStarted", in_words(job), percentCompleted=percent)
    elif state == "succeeded":
        text = f"Process {process.identifier} succeeded"
        text = f"{text}: {job.message}" if job.message else text
        V1.add(status, "wps:ProcessSucceeded", text)
    elif state in ("failed", "dismissed"):
        V1.add(status, "wps:ProcessFailed").append(exception_report(failure_of(job), V1))
    else:
        # The first words are the ones that the PEPS scripts look for.
        words = f"Process {process.identifier} accepted: {in_words(job)}"
        V1.add(status, "wps:ProcessAccepted", words)


def _lineage(root: Element, job: Job, process: ChainProcess) -> None:
    """Repeat the inputs and the definitions of the outputs."""
    given = [
        (one, job.inputs.get(process.chain_inputs[one.identifier] or "", ()))
        for one in process.inputs
    ]
    if any(values for _, values in given):
        inputs = V1.add(root, "wps:DataInputs")
        for described, values in given:
            for value in values:
                one = V1.add(inputs, "wps:Input")
                _describe(one, described)
                data = V1.add(one, "wps:Data")
                if isinstance(described, LiteralInput):
                    V1.add(data, "wps:LiteralData", value)
                else:
                    put_document(V1.add(data, "wps:ComplexData"), value)
    wanted = wanted_outputs(job, process)
    definitions = V1.add(root, "wps:OutputDefinitions")
    for output in process.outputs:
        if output.identifier in wanted:
            definition = V1.add(definitions, "wps:Output")
            is_reference = wanted[output.identifier] is not False
            definition.set("asReference", "true" if is_reference else "false")
            _describe(definition, output)


def _content(output: Element, content: Content) -> None:
    """Write a literal value, a reference, or the content itself."""
    if content.href is not None:
        attributes = {"href": content.href, "mimeType": content.mime_type}
        V1.add(output, "wps:Reference", **attributes)
    elif content.is_literal:
        V1.add(V1.add(output, "wps:Data"), "wps:LiteralData", content.text)
    else:
        data = V1.add(V1.add(output, "wps:Data"), "wps:ComplexData", mimeType=content.mime_type)
        content.put_in(data)
