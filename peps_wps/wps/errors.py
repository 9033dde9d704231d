"""What a WPS client is told when a request cannot be served, in the words of both versions."""

from peps_wps.errors import PepsError


class WpsError(PepsError):
    """A request that ends in an ``ows:ExceptionReport``.

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


def no_code(message: str) -> WpsError:
    """Return an error that no code of the standards fits."""
    return WpsError("NoApplicableCode", "", message)
