"""Which file a map shows: results of jobs, members of their zips, files of the datalake.

A raster is named by its path with ``~`` for each slash: ``<job>~ew.tif``,
``<job>~S1_ORTHO.zip~31TCJ~s1a.tif``, ``S1-L1-ORTHO~31TCJ~2018~07~20~s1a.tif``.
"""

import uuid
from pathlib import Path, PurePosixPath

from werkzeug import Request

from peps_wps.datalake.lake import Lake
from peps_wps.datalake.view import DatalakeView
from peps_wps.jobs import Job
from peps_wps.links import MAP_SEPARATOR
from peps_wps.ordering.errors import NoSuchResultError
from peps_wps.ordering.results import file_of
from peps_wps.services import Services
from peps_wps.tiles.raster import Source
from peps_wps.tiles.stored_member import rasters_in
from peps_wps.web.datalake import check_read
from peps_wps.web.ogcapi.errors import problem_of_job

_ARCHIVE = ".zip"
_RASTERS = (".tif", ".tiff")


def job_of(request: Request, services: Services, job_id: str) -> Job:
    """Return a job that has results, if the caller may read them.

    Raises
    ------
    NoSuchJobError, NoSuchResultError, ProblemError
        When there is none, or it has not succeeded.
    UnauthorizedError, ForbiddenError
        When the caller may not read it.
    """
    if not _is_job(job_id):
        raise NoSuchResultError(f"there is no job {job_id}")
    job = services.desk.job(job_id, services.access.caller(request))
    if problem := problem_of_job(job):
        raise problem
    return job


def rasters_of(services: Services, job: Job) -> list[str]:
    """Return the paths of the GeoTIFFs that a job gave: files, and in zips what is no file too.

    A member of a zip is a file when both have the same name and as many bytes.
    """
    folder = services.desk.folder(job)
    given = dict.fromkeys(one["href"] for one in (job.results or {}).values() if "href" in one)
    files = [name for name in given if name.lower().endswith(_RASTERS)]
    known = {(PurePosixPath(name).name, file_of(job, name, folder).size_bytes) for name in files}
    return files + [
        f"{name}/{member}"
        for name in given
        if name.lower().endswith(_ARCHIVE)
        for member, size in rasters_in(file_of(job, name, folder).path).items()
        if (PurePosixPath(member).name, size) not in known
    ]


def source_of(request: Request, services: Services, result: str) -> Source:
    """Return what the name of a raster stands for, if the caller may read it.

    Raises
    ------
    NoSuchResultError
        When there is no such file, or nothing that the name may lead to.
    ResultsGoneError
        When results have expired.
    NoSuchJobError, ProblemError, UnauthorizedError, ForbiddenError
        As of `job_of`.
    """
    first, *rest = result.split(MAP_SEPARATOR)
    if not all(rest):
        raise NoSuchResultError(f"there is no file {result}")
    if not _is_job(first):
        return Source(_in_datalake(request, services, [first, *rest]))
    job = job_of(request, services, first)
    name, member = _divided(rest)
    return Source(file_of(job, name, services.desk.folder(job)).path, member)


def _is_job(text: str) -> bool:
    """Tell whether a text is the identifier of a job, as addresses have it."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _divided(parts: list[str]) -> tuple[str, str]:
    """Return the path of a file, and of the member if it is a zip and more follows."""
    for index, part in enumerate(parts[:-1], 1):
        if part.lower().endswith(_ARCHIVE):
            return "/".join(parts[:index]), "/".join(parts[index:])
    return "/".join(parts), ""


def _in_datalake(request: Request, services: Services, parts: list[str]) -> Path:
    """Return a published file of the datalake."""
    check_read(request, services)
    relative = "/".join(parts)
    path = DatalakeView(Lake(services.config.datalake.path)).locate(relative)
    if path is None or not path.is_file():
        raise NoSuchResultError(f"there is no file {relative}")
    return path
