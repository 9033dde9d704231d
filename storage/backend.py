"""What a tape backend offers, be it a directory with a clock, an HSM or an object store.

Recalling is asynchronous: a batch is submitted, polled until its files are staged on the backend's
own disk, fetched from there and released. The backend never waits; the recall engine does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.model import ArchiveFile, Drive, StageStatus


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the engine must know of a backend.

    Parameters
    ----------
    drives
        Batches that it works on at once.
    poll_s
        Time between two polls, seconds.
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

    def drives(self) -> Sequence[Drive]:
        """Return the state of the drives now, those used by other processes included."""

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return tape and position of each file, None where it is not held."""

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files of one tape in the order in which the drive reads them fastest."""

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Start staging files of one tape, in this order; return a handle.

        Raises
        ------
        DriveBusyError
            When the drive or the tape is in use.
        """

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch, by archive path."""

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`.

        Raises
        ------
        TapeError
            When the file is not staged or cannot be read.
        """

    def release(self, handle: str) -> None:
        """Forget the batch, cancelling what is not staged; the drive is free again."""

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds."""
