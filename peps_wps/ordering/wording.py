"""What a job does, in a sentence that every protocol shows."""

from datetime import datetime

from catalog_db import times
from catalog_db.processing.job_order import STAGE_LANE
from peps_wps.jobs import Job


def in_words(job: Job, now: datetime | None = None) -> str:
    """Return where a job stands: what it waits for, its step, or how it ended.

    Parameters
    ----------
    now
        From when the time that is left counts; by default the present.
    """
    if job.is_finished:
        return job.message or job.state.capitalize()
    now = now or times.now()
    return _running(job, now) if job.shown_state == "running" else _waiting(job, now)


def _running(job: Job, now: datetime) -> str:
    """Say the step, which attempt it is if not the first, and how long it still takes."""
    message = job.message or "Running"
    if job.attempt > 1:
        message = f"Attempt {job.attempt} of {job.max_attempts}: {message}"
    is_at_it = job.state == "running" or job.lane == STAGE_LANE
    if is_at_it and job.expected_finish is not None:
        return f"{message}; about {_left(job.expected_finish, now)} left"
    return message


def _waiting(job: Job, now: datetime) -> str:
    """Say what a job waits for, its place, when it is expected to begin and how long it takes."""
    parts = [job.message or "Accepted"]
    if job.queue_position:
        parts.append(f"number {job.queue_position} in the queue")
    if job.expected_start is not None and job.expected_start > now:
        parts.append(f"expected to begin in about {_left(job.expected_start, now)}")
    if job.expected_s:
        parts.append(f"a run usually takes {_duration(job.expected_s)}")
    return "; ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _left(instant: datetime, now: datetime) -> str:
    """Return the time to an instant, 1 s at least: what is over has not been told yet."""
    return _duration(max(1.0, (instant - now).total_seconds()))
