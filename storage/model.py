"""The values that the archive's parts pass to each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from storage.errors import TapeError


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
    """A file in the pool.

    Parameters
    ----------
    path, size_bytes
        Its archive path and size.
    last_access, hits
        When it was read last, and how often since it came.
    inflation
        The pool's inflation at that last reading (`storage.eviction`).
    """

    path: str
    size_bytes: int
    last_access: datetime
    hits: int
    inflation: float = 0.0


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
    users
        Names of those who wait for it, each once.
    """

    recall_id: int
    file: ArchiveFile
    created: datetime
    attempt: int = 0
    demand: int = 1
    is_urgent: bool = False
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drive:
    """A tape drive as the scheduler sees it; `tape` is what is mounted.

    One that `is_down` reads nothing, and neither does another the tape that is stuck in it.
    """

    name: str
    tape: str | None = None
    is_busy: bool = False
    is_down: bool = False


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much one drive may take at once: who waits for the drive waits no longer than that."""

    files: int = 200
    size_bytes: int = 500 * 10**9


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
    """State of a file inside the backend; where it failed, the error tells whose fault it is."""

    state: StageState
    bytes_done: int = 0
    error: TapeError | None = None
