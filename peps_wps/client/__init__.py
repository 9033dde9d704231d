"""A client of PEPS servers: search, download, recall, order. Knows their protocols only.

`Peps` is all of it in one object; the commands of `peps` use the same.
"""

from peps_wps.client.credentials import Credentials
from peps_wps.client.download_model import Download, Options, Pace, Progress
from peps_wps.client.errors import (
    ClientError,
    CredentialsError,
    GoneError,
    NoSpaceError,
    NotReadyError,
    RefusedError,
    UnreachableError,
)
from peps_wps.client.filters import Filters
from peps_wps.client.jobs import ListedJob, list_jobs
from peps_wps.client.peps import Peps, Recall
from peps_wps.client.products import Count, Product
from peps_wps.client.server import Server
from peps_wps.client.tape import FileRecall, ListedRecall, RecallStatus
from peps_wps.client.wps import JobOutput, JobStatus, WpsClient

__all__ = [
    "ClientError",
    "Count",
    "Credentials",
    "CredentialsError",
    "Download",
    "FileRecall",
    "Filters",
    "GoneError",
    "JobOutput",
    "JobStatus",
    "ListedJob",
    "ListedRecall",
    "NoSpaceError",
    "NotReadyError",
    "Options",
    "Pace",
    "Peps",
    "Product",
    "Progress",
    "Recall",
    "RecallStatus",
    "RefusedError",
    "Server",
    "UnreachableError",
    "WpsClient",
    "list_jobs",
]
