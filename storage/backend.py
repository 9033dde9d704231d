"""What a tape backend offers, be it a directory with a clock, an HSM or an object store.

Recalling is asynchronous: a batch is submitted, polled until its files are staged on the backend's
own disk, fetched from there and released. The backend never waits; the recall engine does. What a
method raises says whose fault it is: `MediaError` and other plain `TapeError`s are of a file and
cost it an attempt, `NotHeldError` ends it, `TapeUnavailableError` is of nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.model import ArchiveFile, Drive, StageStatus
from storage.pool import Fill


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the engine must know of a backend.

    Parameters
    ----------
    drives
        Batches that this process may have under way at once.
    poll_s
        Time between two polls, seconds. A backend that must be asked more seldom sees to it itself.
    """

    drives: int
    poll_s: float


class TapeBackend(Protocol):
    """A store from which files come back slowly."""

    @property
    def name(self) -> str:
        """What the catalogue calls it."""

    @property
    def capabilities(self) -> Capabilities:
        """What the engine must know of it."""

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Archive a new file; the same content again is accepted.

        Parameters
        ----------
        archive_path
            Its path inside the archive.
        fill
            Writes its content.
        writer
            Name that no other writer has now.

        Raises
        ------
        ArchiveConflictError
            When the backend holds another content under this path and would have to replace it.
        TapeError
            When it cannot be written.
        """

    def drives(self) -> Sequence[Drive]:
        """Return the state of the drives now, those used by other processes included."""

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return tape and position of each file, None where it is not held.

        A backend that keeps the place to itself answers ``("", 0)``.
        """

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files of one tape in the order in which the drive reads them fastest."""

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Start staging files of one tape, in this order; return a handle.

        Raises
        ------
        TapeUnavailableError
            When the drive or the tape is in use, or the backend does not work for now.
        """

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch that is not cancelled, by archive path.

        Raises
        ------
        TapeUnavailableError
            When the backend has been out of reach for so long that the batch is better given up.
        """

    def cancel(self, handle: str, files: Sequence[ArchiveFile]) -> None:
        """Leave out files that nobody waits for any more; the rest goes on."""

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`, in order and each once.

        Raises
        ------
        TapeError
            When the file is not staged or cannot be read.
        """

    def release(self, handle: str) -> None:
        """Forget the batch, cancelling what is not staged; the drive is free again."""

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds."""
