"""Errors of the archive. Each message is one sentence that a client can be told."""


class StorageError(Exception):
    """Base of what the archive raises."""


class ArchivePathError(StorageError):
    """A path that does not stay inside the archive."""


class ArchiveConflictError(StorageError):
    """The archive holds another content under this path."""


class DatalakeConflictError(StorageError):
    """A product that cannot be published as it is, or not here."""


class DatalakeLockedError(StorageError):
    """Somebody else works on a part of the datalake, for longer than one is ready to wait."""

    def __init__(self, key: str, holder: str) -> None:
        super().__init__(key, holder)
        self.key = key
        self.holder = holder

    def __str__(self) -> str:
        return f"{self.key} is in use by {self.holder}"


class CorruptFileError(StorageError):
    """The bytes that arrived are not those that were archived."""


class LostFileError(StorageError):
    """The only copy of a product has gone."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def __str__(self) -> str:
        return f"the file of {self.title} is lost: it had no copy on tape"


class PoolTooSmallError(StorageError):
    """A file can never be in the pool."""


class PoolFullError(StorageError):
    """The disk of the pool takes no more bytes."""


class PinTooLongError(StorageError):
    """Files are wanted on disk for longer than is allowed."""


class NotRequestedError(StorageError):
    """A product that a request does not contain."""


class TapeError(StorageError):
    """The tape backend could not deliver a file: the attempt failed, another one may not."""


class MediaError(TapeError):
    """The file cannot be read from its medium."""


class NotHeldError(TapeError):
    """The backend has no such file: another attempt is of no use."""


class TapeUnavailableError(TapeError):
    """The backend does not work for now, which is no fault of a file: no attempt is counted."""


class DriveDownError(TapeUnavailableError):
    """The drive or the robot has stopped working."""


class DriveBusyError(TapeUnavailableError):
    """The drive or the tape is in use by somebody else."""


class LedgerError(StorageError):
    """The ledger does not answer; it may at the next attempt."""


class LeaseLostError(StorageError):
    """The recall is no longer ours: cancelled, or given to another service."""


class RecallStoppedError(StorageError):
    """The service was told to stop in the middle of a recall."""


class UnknownRequestError(StorageError):
    """There is no such staging request."""

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"there is no staging request {self.request_id}"


class ProductWithdrawnError(StorageError):
    """The product has been withdrawn from the catalogue."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def __str__(self) -> str:
        return f"the product {self.title} has been withdrawn"


class ProductOnTapeError(StorageError):
    """The product must be recalled before it can be read."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title

    def __str__(self) -> str:
        return f"the product {self.title} is on tape and must be recalled first"
