"""`peps jobs`: the list of a server, or for operators that of a database of this machine."""

import argparse
import dataclasses
import os

from catalog_db.processing.jobs import Job
from peps_wps.cli.archive import is_there, open_services
from peps_wps.cli.orders import client_of, told
from peps_wps.cli.terminal import OK, USAGE, answer, answer_json, say
from peps_wps.client import ListedJob, list_jobs
from peps_wps.config import Config
from peps_wps.jobs import JobFilter, page_of_jobs


def jobs(arguments: argparse.Namespace) -> int:
    """List jobs, the newest first."""
    has_var = arguments.var is not None or bool(os.environ.get("PEPS_VAR"))
    if arguments.url is None and has_var:
        return _of_database(arguments)
    return told(lambda: _of_server(arguments))


def _of_server(arguments: argparse.Namespace) -> int:
    """List the jobs that a server shows to who asks."""
    since = arguments.since
    found = list_jobs(
        client_of(arguments.url or arguments.usual_url).server,
        states=arguments.state,
        processes=arguments.process,
        since=since.isoformat().replace("+00:00", "Z") if since else None,
        limit=arguments.limit,
    )
    if arguments.json:
        answer_json([dataclasses.asdict(job) for job in found])
    for job in () if arguments.json else found:
        answer(_line(job, job.created or ""))
    return OK


def _of_database(arguments: argparse.Namespace) -> int:
    """List the jobs of every user, as their rows say it."""
    config = Config.load(var=arguments.var)
    if not is_there(config):
        say(f"peps: there is no database {config.catalog.url}: nothing was ordered there yet")
        return USAGE
    wanted = JobFilter(
        row_states=arguments.state, processes=arguments.process, created_from=arguments.since
    )
    page = page_of_jobs(open_services(config).engine, wanted, limit=arguments.limit)
    if arguments.json:
        answer_json([_fields(job) for job in page.jobs])
    for job in () if arguments.json else page.jobs:
        answer(_line(job, job.created.isoformat()))
    return OK


def _line(job: Job | ListedJob, created: str) -> str:
    day_and_time = created[:16].replace("T", " ")
    return (
        f"{job.id}  {day_and_time}  {job.state:9}  {job.progress:3d} %  {job.process}  "
        f"{job.message}"
    )


def _fields(job: Job) -> dict[str, object]:
    """Return what a machine is told of a job of the database."""
    return {
        "id": job.id,
        "process": job.process,
        "owner": job.owner,
        "title": job.title,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "created": job.created.isoformat(),
        "started": job.started.isoformat() if job.started else None,
        "finished": job.finished.isoformat() if job.finished else None,
        "inputs": job.inputs,
        "results": job.results,
    }
