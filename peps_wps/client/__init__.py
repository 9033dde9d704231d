"""A small client of the service: order, follow, fetch, cancel. Knows HTTP and WPS, nothing else."""

from peps_wps.client.credentials import Credentials
from peps_wps.client.errors import ClientError, GoneError, RefusedError, UnreachableError
from peps_wps.client.wps import JobOutput, JobStatus, WpsClient

__all__ = [
    "ClientError",
    "Credentials",
    "GoneError",
    "JobOutput",
    "JobStatus",
    "RefusedError",
    "UnreachableError",
    "WpsClient",
]
