"""The exception codes of WPS 1.0.0 (OGC 06-121r3, clause 8)."""

from peps_wps.errors import InvalidInputError, QueueFullError
from peps_wps.ordering.errors import (
    AsyncRefusedError,
    InputTooLargeError,
    MissingInputError,
    NoSuchJobError,
    NoSuchProcessError,
    NoSuchResultError,
    ResultsGoneError,
    ServerBusyError,
    SyncRefusedError,
    SyncTimeoutError,
)
from peps_wps.wps.translation import Told

# How a job is asked for that nobody waits for.
_HOW = ", with status=true and storeExecuteResponse=true"

TABLE = (
    Told(MissingInputError, "MissingParameterValue", "locator"),
    Told(InputTooLargeError, "FileSizeExceeded", "locator"),
    Told(InvalidInputError, "InvalidParameterValue", "locator"),
    Told(NoSuchProcessError, "InvalidParameterValue", "=identifier"),
    Told(NoSuchJobError, "NoSuchJob", "job_id"),
    Told(SyncRefusedError, "InvalidParameterValue", "=status", how=_HOW),
    Told(AsyncRefusedError, "StorageNotSupported"),
    Told(SyncTimeoutError, "NoApplicableCode", "job_id", how=_HOW),
    Told(ServerBusyError, "ServerBusy"),
    Told(QueueFullError, "ServerBusy"),
    Told(NoSuchResultError, "NoApplicableCode"),
    Told(ResultsGoneError, "NoApplicableCode", status=410),
)
