"""``ows:ExceptionReport`` documents (OGC 06-121r9, clause 8), and the codes of WPS 2.0."""

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
from peps_wps.wps.vocabulary import V2, XML_LANG, one_line
from peps_wps.xml_parsing import Element

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


def exception_report(error: WpsError) -> Element:
    """Return the report of one error."""
    report = V2.root("ows:ExceptionReport", version="2.0.0")
    report.set(XML_LANG, "en-US")
    exception = V2.add(report, "ows:Exception", exceptionCode=error.code)
    if error.locator:
        exception.set("locator", one_line(error.locator))
    V2.add(exception, "ows:ExceptionText", error.message)
    return report
