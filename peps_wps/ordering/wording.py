"""What a job does, in a sentence that every protocol shows."""

from peps_wps.jobs import Job


def in_words(job: Job) -> str:
    """Return where a job stands: what it waits for, its step, or how it ended."""
    if job.shown_state == "running":
        return _running(job)
    if job.is_finished:
        return job.message or job.state.capitalize()
    return _waiting(job)


def _running(job: Job) -> str:
    message = job.message or "Running"
    return f"Attempt {job.attempt} of {job.max_attempts}: {message}" if job.attempt > 1 else message


def _waiting(job: Job) -> str:
    """Say what a job waits for, its place, and how long a run takes."""
    parts = [job.message or "Accepted"]
    if job.queue_position:
        parts.append(f"number {job.queue_position} in the queue")
    if job.expected_s:
        parts.append(f"a run usually takes {_duration(job.expected_s)}")
    return "; ".join(parts)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
