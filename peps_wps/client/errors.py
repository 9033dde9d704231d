"""Errors of the client."""


class ClientError(Exception):
    """Base of what the client raises."""


class UnreachableError(ClientError):
    """The server does not answer, or what answers is no PEPS server."""


class GoneError(ClientError):
    """The job has succeeded and the server keeps its results no more."""


class RefusedError(ClientError):
    """The server refused, with the code, locator and sentence of its exception report."""

    def __init__(self, code: str, locator: str, message: str) -> None:
        super().__init__(code, locator, message)  # keeps the error picklable
        self.code = code
        self.locator = locator
        self.message = message

    def __str__(self) -> str:
        return f"{self.locator}: {self.message}" if self.locator else self.message
