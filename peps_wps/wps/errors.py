"""What a WPS client is told when a request cannot be served."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from peps_wps.errors import AccessError, ForbiddenError, InvalidInputError, PepsError
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

# How a job is asked for that nobody waits for.
_HOW = ", with status=true and storeExecuteResponse=true"


class WpsError(PepsError):
    """A request that ends in an ``ows:ExceptionReport``, HTTP 400 for OWSLib to read it.

    Parameters
    ----------
    code
        Exception code of OWS Common or WPS: InvalidParameterValue, ServerBusy, NoSuchJob, ...
    locator
        The parameter, input or job it is about; empty when there is none.
    message
        One sentence for a person.
    """

    def __init__(self, code: str, locator: str, message: str) -> None:
        super().__init__(code, locator, message)  # keeps the error picklable
        self.code = code
        self.locator = locator
        self.message = message

    def __str__(self) -> str:
        return self.message


def invalid(locator: str, message: str) -> WpsError:
    """Return the error of a parameter or input with a value it cannot have."""
    return WpsError("InvalidParameterValue", locator, message)


def missing(locator: str, message: str = "") -> WpsError:
    """Return the error of a parameter or input that must be given."""
    return WpsError("MissingParameterValue", locator, message or f"{locator} is missing")


def told(error: PepsError) -> WpsError | None:
    """Return what a client is told of an error; None when it is none of a client's making."""
    if isinstance(error, WpsError):
        return error
    for kind, code, locator_of, how in _TOLD:
        if isinstance(error, kind):
            return WpsError(code, locator_of(error), f"{error}{how}")
    return None


def _no_locator(_error: PepsError) -> str:
    return ""


# The first that fits holds.
_TOLD: tuple[tuple[type[PepsError], str, Callable[[Any], str], str], ...] = (
    (MissingInputError, "MissingParameterValue", attrgetter("locator"), ""),
    (InputTooLargeError, "FileSizeExceeded", attrgetter("locator"), ""),
    (InvalidInputError, "InvalidParameterValue", attrgetter("locator"), ""),
    (NoSuchProcessError, "InvalidParameterValue", lambda _: "identifier", ""),
    (NoSuchJobError, "NoSuchJob", attrgetter("job_id"), ""),
    (SyncRefusedError, "InvalidParameterValue", lambda _: "status", _HOW),
    (AsyncRefusedError, "StorageNotSupported", _no_locator, ""),
    (SyncTimeoutError, "NoApplicableCode", attrgetter("job_id"), _HOW),
    (ServerBusyError, "ServerBusy", _no_locator, ""),
    (NoSuchResultError, "NoApplicableCode", _no_locator, ""),
    (ResultsGoneError, "NoApplicableCode", _no_locator, ""),
    (ForbiddenError, "InvalidParameterValue", attrgetter("locator"), ""),
    # As birdy knows it.
    (AccessError, "AccessForbidden", _no_locator, ""),
)
