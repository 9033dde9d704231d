"""The values that the archive's parts pass to each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive: where its master copy lies and what its bytes must be.

    Parameters
    ----------
    path
        Path inside the archive, ``S1/2021/08/09/<title>.zip``: its identity everywhere.
    size_bytes, checksum_algorithm, checksum
        What arrives must have this size and this digest (hexadecimal).
    backend
        Name of the tape backend, or of the pool where that holds the only copy.
    tape, position
        Place of the master copy, None where the backend keeps it to itself.
    """

    path: str
    size_bytes: int
    checksum_algorithm: str
    checksum: str
    backend: str
    tape: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """A file in the pool: its archive path, its size, when and how often it was read."""

    path: str
    size_bytes: int
    last_access: datetime
    hits: int


@dataclass(frozen=True, slots=True)
class PendingRecall:
    """A file that somebody waits for.

    Parameters
    ----------
    recall_id
        Key of the recall in the ledger.
    file
        What to bring to the pool.
    created
        When it was first asked for.
    attempt
        Number of the current attempt, 0 before the first claim.
    demand
        How many requests wait for it.
    is_urgent
        Work that was accepted waits for it: it goes first where there is no room for all.
    """

    recall_id: int
    file: ArchiveFile
    created: datetime
    attempt: int = 0
    demand: int = 1
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Drive:
    """A tape drive as the scheduler sees it; `tape` is what is mounted."""

    name: str
    tape: str | None = None
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one tape to be read by one drive in one go."""

    drive: str
    tape: str
    recalls: tuple[PendingRecall, ...]


class StageState(Enum):
    """How far the backend is with a file."""

    WAITING = "waiting"
    READING = "reading"
    STAGED = "staged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StageStatus:
    """State of a file inside the backend, and why it failed."""

    state: StageState
    bytes_done: int = 0
    error: str = ""
