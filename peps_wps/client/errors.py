"""Errors of the client."""

from pathlib import Path


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


class CredentialsError(ClientError):
    """The server does not know who asks, or the file that says it must not be used."""


class StoppedError(ClientError):
    """A transfer was told to stop; what came so far is kept."""


class NoSpaceError(ClientError):
    """The disk has no room for what is to come; what came so far is kept."""

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(folder, needed_bytes, free_bytes)  # keeps the error picklable
        self.folder = folder
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes

    def __str__(self) -> str:
        return (
            f"the disk of {self.folder} is full: {self.needed_bytes / 1e9:.2f} GB are needed, "
            f"{self.free_bytes / 1e9:.2f} GB are free; make room and call this again: what came "
            "is kept"
        )


class BrokenOffError(ClientError):
    """A transfer ended before its last byte, or the server failed: worth another try.

    Parameters
    ----------
    gained
        Bytes that this try added.
    wait_s
        How long the server asks to wait before the next one, None where it does not say.
    """

    def __init__(self, message: str, gained: int = 0, wait_s: float | None = None) -> None:
        super().__init__(message, gained, wait_s)  # keeps the error picklable
        self.message = message
        self.gained = gained
        self.wait_s = wait_s

    def __str__(self) -> str:
        return self.message


class WrongBytesError(ClientError):
    """What came is not what the catalogue promises: its size or its checksum differs."""


class NotReadyError(ClientError):
    """The product cannot be sent yet: it comes from tape, or a quota says to wait.

    Parameters
    ----------
    reason
        In words.
    wait_s
        When the server says to ask again, None where it does not.
    is_quota
        Whether a quota is the reason, not the tape.
    """

    def __init__(self, reason: str, wait_s: float | None, *, is_quota: bool = False) -> None:
        super().__init__(reason, wait_s)  # keeps the error picklable
        self.reason = reason
        self.wait_s = wait_s
        self.is_quota = is_quota

    def __str__(self) -> str:
        return self.reason
