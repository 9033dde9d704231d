"""What a job has given: its files, its values, its report and its log."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog_db import times
from catalog_db.engine import Engine
from catalog_db.processing import jobs as job_table
from peps_wps.jobs import Job
from peps_wps.ordering.errors import NoSuchResultError, ResultsGoneError

# A document of any protocol is read whole: it holds a file up to this size, else refers to it.
LARGEST_INLINE_BYTES = 1_000_000
_EXPIRED = "the results of this job have expired: order it again"
# What a client may read of a log; the rest holds stacks and paths, for operators.
_SHOWN_LEVELS = ("INFO", "WARNING")


@dataclass(frozen=True)
class ValueResult:
    """An output that is a value: text, or what JSON can say."""

    value: Any
    mime_type: str


@dataclass(frozen=True)
class FileResult:
    """An output that is a file.

    Parameters
    ----------
    path
        Where it lies.
    name
        Its path inside the folder of the job's results, as links have it.
    """

    path: Path
    name: str
    mime_type: str
    size_bytes: int


def result_of(job: Job, output: str, folder: Path) -> FileResult | ValueResult:
    """Return one output of a job that has succeeded.

    Parameters
    ----------
    job, output
        The job, and the identifier of the output; the report is not one of them.
    folder
        The folder of the job's results.

    Raises
    ------
    NoSuchResultError
        When the job gave no such output.
    ResultsGoneError
        When results have expired, or were removed from the disk.
    """
    if job.state == "succeeded" and job.results is None:
        raise ResultsGoneError(_EXPIRED)
    result = (job.results or {}).get(output)
    if result is None:
        raise NoSuchResultError(f"the job gave no output {output}")
    if "href" not in result:
        return ValueResult(result["value"], result.get("type", "text/plain"))
    return file_of(job, result["href"], folder)


def file_of(job: Job, name: str, folder: Path) -> FileResult:
    """Return one file of a job.

    Parameters
    ----------
    name
        Path inside the folder of the job's results, as a client gave it.

    Raises
    ------
    NoSuchResultError
        When there is no such file, it was never published, or `name` leads out of the folder.
    ResultsGoneError
        As of `result_of`.
    """
    if job.state != "succeeded":
        raise NoSuchResultError(f"there is no file {name}")  # what lies there was never published
    if job.results is None:
        raise ResultsGoneError(_EXPIRED)
    published = {one["href"]: one for one in job.results.values() if "href" in one}
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        is_served = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # longer than a name can be, or with a null byte
        is_served = False
    if not is_served and name in published:
        raise ResultsGoneError("the results of this job are gone from the server: order it again")
    if not is_served:
        raise NoSuchResultError(f"there is no file {name}")
    return _described(path, name, published.get(name, {}))


def _described(path: Path, name: str, result: Mapping[str, Any]) -> FileResult:
    mime_type = result.get("type") or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResult(path, name, mime_type, path.stat().st_size)


def log_of(engine: Engine, job: Job) -> bytes:
    """Return the log of a job, one line an event, as text."""
    with engine.connect() as connection:
        lines = job_table.log_of(connection, job.id)
    shown = (line for line in lines if line.level in _SHOWN_LEVELS)
    return "".join(f"{times.to_text(line.time)} {line.message}\n" for line in shown).encode()
