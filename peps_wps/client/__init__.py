"""A small client of the service: order, follow, fetch, cancel, list. Knows its protocols only."""

from peps_wps.client.credentials import Credentials
from peps_wps.client.errors import ClientError, GoneError, RefusedError, UnreachableError
from peps_wps.client.jobs import ListedJob, list_jobs
from peps_wps.client.server import Server
from peps_wps.client.wps import JobOutput, JobStatus, WpsClient

__all__ = [
    "ClientError",
    "Credentials",
    "GoneError",
    "JobOutput",
    "JobStatus",
    "ListedJob",
    "RefusedError",
    "Server",
    "UnreachableError",
    "WpsClient",
    "list_jobs",
]
