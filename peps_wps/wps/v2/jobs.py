"""What WPS 2.0 says of a job: its status, its result as a document, its one output as it is."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pywps import LiteralOutput
from werkzeug import Request, Response

from catalog_db import times
from peps_wps.jobs import Job
from peps_wps.links import Links
from peps_wps.ordering import ChainProcess, OrderDesk
from peps_wps.ordering.boxes import Box, BoxOutput
from peps_wps.ordering.errors import NoSuchResultError, ResultsGoneError
from peps_wps.ordering.results import ValueResult, result_of
from peps_wps.wps import outputs
from peps_wps.wps.content import Content, JobContents
from peps_wps.wps.view import bare, xml
from peps_wps.wps.vocabulary import V2, XLINK, serialise
from peps_wps.xml_parsing import Element

_STATUS = {
    "accepted": "Accepted",
    "staging": "Accepted",
    "queued": "Accepted",
    "running": "Running",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "dismissed": "Dismissed",
}
# When to ask again: soon after a job has begun, rarely while it runs for long.
_NEXT_POLL = {"accepted": 5.0, "staging": 30.0, "queued": 10.0, "running": 5.0}


def render_status(job: Job, now: datetime) -> bytes:
    """Return the ``wps:StatusInfo`` of a job (OGC 14-065, table 18).

    Parameters
    ----------
    job
        The job as its row says it.
    now
        The present, UTC: the next poll is counted from it.
    """
    root = V2.root("wps:StatusInfo")
    V2.add(root, "wps:JobID", job.id)
    V2.add(root, "wps:Status", _STATUS[job.shown_state])
    if job.expires is not None:
        V2.add(root, "wps:ExpirationDate", times.to_text(job.expires))
    if not job.is_finished:
        if job.expected_finish is not None:
            estimated = max(job.expected_finish, now)
            V2.add(root, "wps:EstimatedCompletion", times.to_text(estimated))
        pause = timedelta(seconds=_NEXT_POLL[job.shown_state])
        V2.add(root, "wps:NextPoll", times.to_text(now + pause))
    if job.shown_state in ("running", "succeeded"):
        percent = 100 if job.state == "succeeded" else min(job.progress, 99)
        V2.add(root, "wps:PercentCompleted", str(percent))
    return serialise(root)


def render_result(job: Job, process: ChainProcess, links: Links, folder: Path) -> bytes:
    """Return the ``wps:Result`` of a job that has succeeded (OGC 14-065, table 17).

    Parameters
    ----------
    job, process
        The job as its row says it, and its process as the client named it.
    links, folder
        Where links lead, and where the results lie.

    Raises
    ------
    ResultsGoneError
        When the results have expired.
    NoSuchResultError
        When the job gave none of the outputs that the client wants.
    """
    if job.results is None:
        raise ResultsGoneError("the results of this job have expired: order it again")
    root = V2.root("wps:Result")
    if process.async_allowed:
        V2.add(root, "wps:JobID", job.id)
    if job.expires is not None:
        V2.add(root, "wps:ExpirationDate", times.to_text(job.expires))
    present = JobContents(job, process, links, folder).present()
    if not present:
        raise NoSuchResultError("the job gave none of the outputs that were asked for")
    for described, content in present:
        output = V2.add(root, "wps:Output", id=described.identifier)
        _put(output, described, content)
    return serialise(root)


def send_raw(
    request: Request, desk: OrderDesk, job: Job, process: ChainProcess, links: Links
) -> Response:
    """Answer with the one output that the client wants, and no document around it.

    A literal is a ``wps:LiteralValue``, a box an ``ows:BoundingBox``: the format that their
    descriptions name first. ``text/plain`` gives the bare text.
    """
    asked = (job.response_options.get("outputs") or [{}])[0]
    name = asked.get("identifier") or process.outputs[0].identifier
    described = next((one for one in process.outputs if one.identifier == name), None)
    is_plain = bare(asked.get("mime_type") or "") == "text/plain"
    if isinstance(described, LiteralOutput) and not is_plain:
        result = result_of(job, name, desk.folder(job))
        if isinstance(result, ValueResult):
            return xml(serialise(_literal(described, str(result.value))), is_live=True)
    return outputs.send_output(request, desk, job, name, links)


def _put(output: Element, described: Any, content: Content) -> None:
    """Write an output: a reference, or its data."""
    if content.href is not None:
        reference = V2.add(output, "wps:Reference")
        reference.set(f"{{{XLINK}}}href", content.href)
        reference.set("mimeType", content.mime_type)
        return
    data = V2.add(output, "wps:Data")
    if content.is_literal:
        data.set("mimeType", "text/xml")
        data.append(_literal(described, content.text))
    else:
        data.set("mimeType", content.mime_type)
        content.put_in(data)


def _literal(described: LiteralOutput, text: str) -> Element:
    """Return the element of a literal, or of a box."""
    if not isinstance(described, BoxOutput):
        value = V2.root("wps:LiteralValue")
        value.set("dataType", f"http://www.w3.org/2001/XMLSchema#{described.data_type}")
        value.text = text
        return value
    box = Box.of_text(text)
    element = V2.root("ows:BoundingBox", crs=box.crs, dimensions=str(len(box.lower)))
    for name, corner in (("Lower", box.lower), ("Upper", box.upper)):
        V2.add(element, f"ows:{name}Corner", " ".join(f"{number:.15g}" for number in corner))
    return element
