"""Why an order is not taken, or not answered; each protocol says it with a code of its own."""

from collections.abc import Collection

from peps_wps.errors import InvalidInputError, PepsError


class UnknownInputError(InvalidInputError):
    """The process has no such input."""


class MissingInputError(InvalidInputError):
    """An input that must be given is not, or too rarely."""


class TooManyValuesError(InvalidInputError):
    """An input is given more often than the process takes it."""


class InputTooLargeError(InvalidInputError):
    """A value has more bytes than the service takes."""


class UnusableReferenceError(PepsError):
    """What an input refers to is not allowed or cannot be had; the sentence begins before "it"."""


class UnknownOutputError(InvalidInputError):
    """The process has no such output."""


class NoSuchProcessError(PepsError):
    """No process of this identifier is offered to the caller."""

    def __init__(self, identifier: str, offered: Collection[str]) -> None:
        super().__init__(identifier, offered)
        self.identifier = identifier
        self.offered = offered

    def __str__(self) -> str:
        others = f"; there are {', '.join(sorted(self.offered))}" if self.offered else ""
        return f"there is no process {self.identifier}{others}"


class NoSuchJobError(PepsError):
    """There is no job of this identifier."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"there is no job {self.job_id}"


class SyncRefusedError(PepsError):
    """The process takes minutes: nobody may wait for it on a connection."""

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)
        self.identifier = identifier

    def __str__(self) -> str:
        return f"{self.identifier} can take minutes: ask for it asynchronously"


class AsyncRefusedError(PepsError):
    """The process answers at once: there is no job to follow, and no answer to keep."""

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)
        self.identifier = identifier

    def __str__(self) -> str:
        return f"{self.identifier} answers at once: ask for it synchronously"


class ServerBusyError(PepsError):
    """As many clients as may already wait for an answer on their connection."""

    def __str__(self) -> str:
        return "too many clients wait for an answer, try again later"


class SyncTimeoutError(PepsError):
    """The answer did not come within the time a client may wait; the job was dismissed."""

    def __init__(self, job_id: str, limit_s: float) -> None:
        super().__init__(job_id, limit_s)  # keeps the error picklable
        self.job_id = job_id
        self.limit_s = limit_s

    def __str__(self) -> str:
        return (
            f"the answer took more than {self.limit_s:.0f} s and the job was dismissed: "
            "ask for it asynchronously"
        )


class NoSuchResultError(PepsError):
    """The job has no such file or output."""


class ResultsGoneError(PepsError):
    """The job had results; they have expired, or are lost."""
