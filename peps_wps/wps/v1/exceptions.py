"""``ows:ExceptionReport`` documents (OGC 06-121r3, clause 8), and the codes of WPS 1.0.0."""

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
from peps_wps.wps.errors import WpsError
from peps_wps.wps.translation import Told
from peps_wps.wps.vocabulary import V1, XML_LANG, one_line
from peps_wps.xml_parsing import Element

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


def exception_report(error: WpsError) -> Element:
    """Return the report of one error."""
    report = V1.root("ows:ExceptionReport", version="1.0.0")
    report.set(XML_LANG, "en-US")
    exception = V1.add(report, "ows:Exception", exceptionCode=error.code)
    if error.locator:
        exception.set("locator", one_line(error.locator))
    V1.add(exception, "ows:ExceptionText", error.message)
    return report
