"""Why a file, or a part of it, is not shown as a map."""

from peps_wps.errors import PepsError


class TileError(PepsError):
    """A tile cannot be made."""


class NotACogError(TileError):
    """The file is no Cloud Optimized GeoTIFF on a map: no part of it can be read alone."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name} cannot be shown as a map: {self.reason}"


class NoSuchMemberError(TileError):
    """The zip holds no such file."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no {self.name} in the archive"


class WmtsError(PepsError):
    """A request to a WMTS that ends in an exception report.

    Parameters
    ----------
    code
        Exception code of OWS Common or WMTS: InvalidParameterValue, TileOutOfRange, ...
    locator
        The parameter it is about; empty when there is none.
    message
        One sentence for a person.
    """

    def __init__(self, code: str, locator: str, message: str) -> None:
        super().__init__(code, locator, message)
        self.code = code
        self.locator = locator
        self.message = message

    def __str__(self) -> str:
        return self.message


class ReplacedError(TileError):
    """The file was replaced while it was opened."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is being replaced, try again"
