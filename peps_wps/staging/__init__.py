"""Adapts catalog_db to storage's ledgers; transactions begin and end here."""

from peps_wps.staging.archive import Archive, FileStatus, RequestStatus
from peps_wps.staging.service import RecallService

__all__ = ["Archive", "FileStatus", "RecallService", "RequestStatus"]
