"""Durable jobs: submission, dispatch, workers."""

from catalog_db.jobs import Job
from peps_wps.jobs.dismissal import dismiss
from peps_wps.jobs.submission import get, list_jobs, submit

__all__ = ["Job", "dismiss", "get", "list_jobs", "submit"]
