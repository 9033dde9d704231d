"""How the errors of the order desk are said to OGC API clients."""

from peps_wps.errors import InvalidInputError, QueueFullError
from peps_wps.jobs import Job
from peps_wps.ordering.errors import (
    InputTooLargeError,
    MissingInputError,
    NoSuchJobError,
    NoSuchProcessError,
    NoSuchResultError,
    ResultsGoneError,
    ServerBusyError,
    SyncTimeoutError,
)
from peps_wps.web.problem import BLANK, ProblemError

_EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
NO_SUCH_PROCESS = _EXCEPTIONS + "no-such-process"
NO_SUCH_JOB = _EXCEPTIONS + "no-such-job"
RESULT_NOT_READY = _EXCEPTIONS + "result-not-ready"
# The standard names no URI for these; the words are those of OWS Common.
INVALID_PARAMETER = "InvalidParameterValue"
MISSING_PARAMETER = "MissingParameterValue"
FAILED = "NoApplicableCode"
DISMISSED = "JobDismissed"

# The first class that fits counts.
_TABLE: tuple[tuple[type[Exception], int, str], ...] = (
    (NoSuchProcessError, 404, NO_SUCH_PROCESS),
    (NoSuchJobError, 404, NO_SUCH_JOB),
    (NoSuchResultError, 404, BLANK),
    (ResultsGoneError, 410, BLANK),
    (ServerBusyError, 503, BLANK),
    (QueueFullError, 503, BLANK),
    (SyncTimeoutError, 504, BLANK),
    (InputTooLargeError, 413, INVALID_PARAMETER),
    (MissingInputError, 400, MISSING_PARAMETER),
    (InvalidInputError, 400, INVALID_PARAMETER),
)


def invalid(locator: str, detail: str) -> ProblemError:
    """Return the error of a parameter or member with a value it cannot have."""
    return ProblemError(400, detail, kind=INVALID_PARAMETER, locator=locator)


def problem_of(error: Exception) -> ProblemError | None:
    """Return what a client is told of an error, None where this table does not know it."""
    for error_type, status, kind_ in _TABLE:
        if isinstance(error, error_type):
            locator = getattr(error, "locator", "")
            return ProblemError(status, str(error), kind=kind_, locator=locator)
    return None


def problem_of_job(job: Job) -> ProblemError | None:
    """Return why a job has no results, None for one that has succeeded."""
    if job.state == "succeeded":
        return None
    if job.state == "dismissed":
        return ProblemError(410, "the job was dismissed", kind=DISMISSED)
    if job.state == "failed":
        is_of_client = job.error_code in (INVALID_PARAMETER, MISSING_PARAMETER)
        detail = job.message or "the job failed"
        return ProblemError(400 if is_of_client else 500, detail, kind=job.error_code or FAILED)
    return ProblemError(404, f"the job is {job.shown_state}", kind=RESULT_NOT_READY)
