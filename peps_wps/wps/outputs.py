"""Files of a job as a client fetches them: report and log from the row, results from the disk."""

import json
import mimetypes
import os
from datetime import UTC, datetime
from pathlib import Path

from werkzeug import Request, Response
from werkzeug.exceptions import Gone, NotFound

from catalog_db import jobs as job_table
from catalog_db.engine import Engine
from peps_wps.file_response import FileFacts, file_response
from peps_wps.jobs import Job
from peps_wps.links import Links, log_name, report_name
from peps_wps.wps.process import REPORT
from peps_wps.wps.report import render_report

_EXPIRED = "the results of this job have expired: order it again"
# What a client may read of a log; the rest holds stacks and paths, for operators.
_SHOWN_LEVELS = ("INFO", "WARNING")


def send(
    request: Request,
    job: Job,
    name: str,
    *,
    identifier: str,
    links: Links,
    folder: Path,
    engine: Engine,
) -> Response:
    """Return one file of a job.

    Parameters
    ----------
    name
        Path inside the folder of the job's results.
    identifier
        The process as the client named it.
    links, folder, engine
        Where links lead, where the results lie, and where the log is.

    Raises
    ------
    NotFound
        When there is no such file, or `name` leads out of the folder.
    Gone
        When it was there: results have expired, or were removed from the disk.
    """
    if name == report_name(job.id):
        return _live(render_report(job, identifier, links, folder), "application/json")
    if name == log_name(job.id):
        return _live(_log(engine, job.id), "text/plain; charset=utf-8")
    if job.state != "succeeded":
        raise NotFound(f"there is no file {name}")  # what lies there was never published
    _refuse_gone(job, name, folder)
    return _send_file(request, folder, name)


def send_raw(
    request: Request, job: Job, output: str, *, identifier: str, links: Links, folder: Path
) -> Response:
    """Return the value of one output of a job that has succeeded, as the answer itself."""
    if output == REPORT:
        return _live(render_report(job, identifier, links, folder), "application/json")
    if job.results is None:
        raise Gone(_EXPIRED)
    result = job.results.get(output)
    if result is None:
        raise NotFound(f"the job gave no output {output}")
    if "href" in result:
        _refuse_gone(job, result["href"], folder)
        return _send_file(request, folder, result["href"], result.get("type"))
    value = result["value"]
    text = value if isinstance(value, str) else json.dumps(value)
    return Response(text, content_type=f"{result.get('type', 'text/plain')}; charset=utf-8")


def _refuse_gone(job: Job, name: str, folder: Path) -> None:
    """Refuse what the job has published and the disk has no more."""
    if job.results is None:
        raise Gone(_EXPIRED)
    published = {result.get("href") for result in job.results.values()}
    if name in published and not (folder / name).is_file():
        raise Gone("the results of this job are gone from the server: order it again")


def _live(content: bytes, content_type: str) -> Response:
    return Response(content, content_type=content_type, headers={"Cache-Control": "no-store"})


def _log(engine: Engine, job_id: str) -> bytes:
    """Return the log of a job, one line an event."""
    with engine.connect() as connection:
        lines = job_table.log_of(connection, job_id)
    shown = (line for line in lines if line.level in _SHOWN_LEVELS)
    text = "".join(f"{line.time:%Y-%m-%dT%H:%M:%SZ} {line.message}\n" for line in shown)
    return text.encode()


def _send_file(request: Request, folder: Path, name: str, mime_type: str | None = None) -> Response:
    """Return a file below `folder`, whole or the range asked for."""
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        is_served = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # longer than a name can be, or with a null byte
        is_served = False
    if not is_served:
        raise NotFound(f"there is no file {name}")
    stream = path.open("rb", buffering=0)
    written = os.fstat(stream.fileno())
    content_type = mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_shown = content_type.startswith(("image/", "text/")) or content_type.endswith("json")
    facts = FileFacts(
        size_bytes=written.st_size,
        etag=f"{written.st_mtime_ns:x}{written.st_size:x}",
        modified=datetime.fromtimestamp(written.st_mtime, UTC),
        content_type=content_type,
        filename=None if is_shown else path.name,
    )
    return file_response(request, stream, facts)
