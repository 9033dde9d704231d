"""The exception codes of WPS 2.0 and their HTTP statuses (OGC 06-121r9, clause 8)."""

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
    TooManyValuesError,
    UnknownInputError,
    UnknownOutputError,
)
from peps_wps.wps.errors import WpsError
from peps_wps.wps.translation import Told

TABLE = (
    Told(MissingInputError, "MissingParameterValue", "locator"),
    Told(UnknownInputError, "NoSuchInput", "locator"),
    Told(UnknownOutputError, "NoSuchOutput", "locator"),
    Told(TooManyValuesError, "TooManyInputs", "locator"),
    Told(InputTooLargeError, "SizeExceeded", "locator"),
    Told(InvalidInputError, "InvalidParameterValue", "locator"),
    Told(NoSuchProcessError, "NoSuchProcess", "identifier"),
    Told(NoSuchJobError, "NoSuchJob", "job_id"),
    Told(SyncRefusedError, "NoSuchMode", "identifier", how=", with mode=async"),
    Told(AsyncRefusedError, "NoSuchMode", "identifier", how=", with mode=sync"),
    Told(SyncTimeoutError, "NoApplicableCode", "job_id", how=", with mode=async"),
    Told(ServerBusyError, "ServerBusy", status=503),
    Told(QueueFullError, "ServerBusy", status=503),
    Told(NoSuchResultError, "NoApplicableCode"),
    Told(ResultsGoneError, "NoApplicableCode", status=410),
)
# OGC 06-121r9, table 28; what is not here is 400.
_STATUS_OF = {"OperationNotSupported": 501, "OptionNotSupported": 501}


def status_of(error: WpsError) -> int:
    """Return the HTTP status of an exception code."""
    return _STATUS_OF.get(error.code, 400)
