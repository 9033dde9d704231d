"""Ending a job from outside, and removing what a job leaves behind."""

import contextlib
import logging
import shutil
from pathlib import Path
from uuid import uuid4

from catalog_db.engine import Engine
from catalog_db.processing import job_queue, job_tasks
from peps_wps.config import Config
from peps_wps.staging import Archive
from storage.errors import UnknownRequestError

logger = logging.getLogger(__name__)

# Heads the name of a folder that is being removed.
REMOVED = ".removed-"


def dismiss(engine: Engine, config: Config, job_id: str) -> bool:
    """Dismiss a job: at once in every view; a running one is killed by its supervisor.

    A finished job loses its results.

    Returns
    -------
    False when the job is unknown or dismissed already.
    """
    with engine.begin() as connection:
        changed = job_queue.dismiss(connection, job_id)
    if not changed:
        return False
    logger.info("job %s: dismissed", job_id)
    clean_folder(results_folder(config, job_id))
    release_all(engine, Archive(config, engine), job_id)
    return True


def release_all(engine: Engine, archive: Archive, job_id: str) -> None:
    """Release everything that the tasks of a job have had pinned."""
    with engine.connect() as connection:
        held = job_tasks.requests_of(connection, job_id)
    for request in held:
        release(engine, archive, request)


def release(engine: Engine, archive: Archive, held: job_tasks.HeldRequest) -> None:
    """Release one request of a task; doing it twice does no harm."""
    with contextlib.suppress(UnknownRequestError):
        archive.release(held.request)
    with engine.begin() as connection:
        job_tasks.forget_request(connection, held)


def results_folder(config: Config, job_id: str) -> Path:
    """Return where the published results of a job lie."""
    return config.results.path / job_id


def scratch_folder(config: Config, job_id: str) -> Path:
    """Return where the attempts of a job work."""
    return config.results.path / ".work" / job_id


def remove_folder(folder: Path) -> None:
    """Remove a folder that may not exist: out of sight at once, then file by file.

    What cannot be deleted stays out of sight, under a name that begins with `REMOVED`.

    Raises
    ------
    OSError
        When the folder cannot even be renamed.
    """
    doomed = folder
    if not folder.name.startswith(REMOVED):
        doomed = folder.with_name(f"{REMOVED}{folder.name}-{uuid4().hex[:8]}")
        try:
            folder.rename(doomed)
        except FileNotFoundError:
            return
    shutil.rmtree(doomed, ignore_errors=True)
    if doomed.exists():
        logger.warning("%s cannot be deleted whole", doomed)


def clean_folder(folder: Path) -> None:
    """Remove a folder that nothing depends on; a disk that refuses is logged, no more."""
    try:
        remove_folder(folder)
    except OSError as error:
        logger.warning("%s cannot be removed: %s", folder, error)
