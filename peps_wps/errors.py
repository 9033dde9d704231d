"""Errors of the service that a client is told about; each outer edge maps them once.

Every message is one sentence that names the value found and what is expected. It is written with
letters, digits, spaces and ``.:!?=,;-_/`` so that it reaches WPS clients unchanged.
"""

import math


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


class QueueFullError(PepsError):
    """As many jobs wait as are allowed; the order can be given again later."""


class ChainError(PepsError):
    """A task failed for a reason in its data; the job fails with this sentence, no retry."""


class AccessError(PepsError):
    """A caller may not do what they ask; each protocol says so in its own form.

    `status` and `headers` are those of the HTTP answer, whatever its body.
    """

    status = 403

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries beside its body."""
        return {}


class UnauthorizedError(AccessError):
    """It must be known who asks, and is not: no credentials, or wrong ones."""

    status = 401

    def __str__(self) -> str:
        return "credentials are needed and there are none, or wrong ones"

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 9110, section 11.6.1, and RFC 7617."""
        return {"WWW-Authenticate": 'Basic realm="PEPS", charset="UTF-8"'}


class TooManyAttemptsError(AccessError):
    """Too many wrong passwords; the next one is looked at in `wait_s` seconds."""

    status = 429

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)  # keeps the error picklable
        self.wait_s = wait_s

    def __str__(self) -> str:
        return f"too many attempts, try again in {math.ceil(self.wait_s)} s"

    @property
    def headers(self) -> dict[str, str]:
        """When to come back (RFC 6585, section 4)."""
        return {"Retry-After": str(math.ceil(self.wait_s))}


class QuotaError(AccessError):
    """A user has as much as one may have.

    Parameters
    ----------
    message
        Which limit it is, what is used, and until when.
    retry_after_s
        About when there is room again, seconds from now.
    """

    status = 429

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s)  # keeps the error picklable
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.message

    @property
    def headers(self) -> dict[str, str]:
        """When to come back (RFC 6585, section 4)."""
        return {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}


class ForbiddenError(AccessError):
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


class AirError(ChainError):
    """No usable file of the state of the air for a time and a place."""
