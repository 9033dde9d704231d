"""Durable jobs: submission, dispatch, workers."""

from catalog_db.processing.job_listing import JobFilter, JobPage
from catalog_db.processing.jobs import Job
from peps_wps.jobs.dismissal import dismiss
from peps_wps.jobs.submission import get, page_of_jobs, submit

__all__ = [
    "Job",
    "JobFilter",
    "JobPage",
    "dismiss",
    "get",
    "page_of_jobs",
    "submit",
]
