"""From the errors of the order desk to the exception reports of one version of WPS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException

from peps_wps.errors import AccessError, PepsError
from peps_wps.wps.errors import WpsError, no_code
from peps_wps.wps.vocabulary import XML_LANG, Vocabulary, one_line
from peps_wps.xml_parsing import Element

# A word that birdy looks for in a refusal, whatever its code.
_FORBIDDEN = "AccessForbidden"


@dataclass(frozen=True)
class Told:
    """What a client is told of one kind of error.

    Parameters
    ----------
    kind
        The error; the first of a table that fits holds.
    code
        The exception code.
    locator
        Attribute of the error that says what it is about, or the word for it after ``=``.
    status
        HTTP status; None leaves it to the address that was asked.
    how
        What the sentence goes on with.
    """

    kind: type[PepsError]
    code: str
    locator: str = ""
    status: int | None = None
    how: str = ""

    def report(self, error: PepsError) -> WpsError:
        """Return the error in the words of WPS."""
        fixed = self.locator.startswith("=")
        locator = self.locator[1:] if fixed else getattr(error, self.locator or "none", "")
        return WpsError(self.code, locator, f"{error}{self.how}")


@dataclass(frozen=True)
class Answer:
    """The exception report, HTTP status and headers that an error ends in."""

    report: WpsError
    status: int
    headers: dict[str, str]


def translate(
    error: Exception,
    table: Sequence[Told],
    *,
    status_of: Callable[[WpsError], int],
) -> Answer | None:
    """Return what a client is told of an error; None for a defect, of which it is told nothing.

    Parameters
    ----------
    error
        Whatever was raised.
    table
        The codes of one version.
    status_of
        HTTP status of what a client did wrong.
    """
    if isinstance(error, WpsError):
        return Answer(error, status_of(error), {})
    if isinstance(error, HTTPException):
        return Answer(no_code(error.description or error.name), error.code or 400, {})
    if isinstance(error, AccessError):
        # PEPS names the process that is refused as a wrong value.
        locator = getattr(error, "locator", "")
        code = "InvalidParameterValue" if locator else _FORBIDDEN
        report = WpsError(code, locator, f"{_FORBIDDEN}: {error}")
        return Answer(report, error.status, error.headers)
    for told in table:
        if isinstance(error, told.kind):
            report = told.report(error)
            return Answer(report, told.status or status_of(report), {})
    return None


def exception_report(error: WpsError, words: Vocabulary) -> Element:
    """Return the ``ows:ExceptionReport`` of one error (OGC 06-121r3 and r9, clause 8)."""
    report = words.root("ows:ExceptionReport", version=words.version)
    report.set(XML_LANG, "en-US")
    exception = words.add(report, "ows:Exception", exceptionCode=error.code)
    if error.locator:
        exception.set("locator", one_line(error.locator))
    words.add(exception, "ows:ExceptionText", error.message)
    return report
