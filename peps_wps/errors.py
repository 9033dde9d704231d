"""Errors of the service that a client is told about; each outer edge maps them once.

Every message is one sentence that names the value found and what is expected. It is written with
letters, digits, spaces and ``.:!?=,;-_/`` so that it reaches WPS clients unchanged.
"""


class PepsError(Exception):
    """Base of what the service itself raises."""


class ConfigError(PepsError):
    """The configuration cannot be used."""


class InvalidInputError(PepsError):
    """An input of an order is wrong in itself; `locator` is its identifier."""

    def __init__(self, locator: str, message: str) -> None:
        super().__init__(locator, message)  # keeps the error picklable
        self.locator = locator
        self.message = message

    def __str__(self) -> str:
        return self.message


class OrderRefusedError(InvalidInputError):
    """The order is well formed and cannot work: unknown product, no coverage, no DEM."""


class ChainError(PepsError):
    """A task failed for a reason in its data; the job fails with this sentence, no retry."""


class UnauthorizedError(PepsError):
    """It must be known who asks, and is not: no credentials, or wrong ones."""

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class ForbiddenError(PepsError):
    """It is known who asks, and they have no right to it; `locator` says to what."""

    def __init__(self, locator: str, message: str = "Forbidden") -> None:
        super().__init__(locator, message)  # keeps the error picklable
        self.locator = locator
        self.message = message

    def __str__(self) -> str:
        return self.message


class SafeError(ChainError):
    """A SAFE product is not what its format says."""


class DemError(ChainError):
    """No usable height for a place."""
