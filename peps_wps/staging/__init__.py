"""Adapts catalog_db to storage's ledgers; transactions begin and end here."""

from peps_wps.staging.archive import Archive
from peps_wps.staging.service import RecallService
from peps_wps.staging.states import (
    FileStatus,
    PoolState,
    RecallStatus,
    RequestStatus,
    StagingCounters,
)

__all__ = [
    "Archive",
    "FileStatus",
    "PoolState",
    "RecallService",
    "RecallStatus",
    "RequestStatus",
    "StagingCounters",
]
