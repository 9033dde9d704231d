"""A folder of an HSM that recalls a file when it is opened: GPFS with TSM, DMF, HPSS through FUSE.

A file is staged by being opened and read to its end, in a thread of its own: whether the HSM blocks
the opening, the first read or every read, all bytes are on its disk then. The copy to the pool
follows; a read that stands still is given up, its thread left behind.
"""

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event
from uuid import uuid4

from storage.backend import Capabilities
from storage.backends.readers import Readers
from storage.backends.slots import Slots
from storage.errors import (
    ArchiveConflictError,
    MediaError,
    NotHeldError,
    TapeError,
    TapeUnavailableError,
)
from storage.model import ArchiveFile, Drive, StageState, StageStatus
from storage.part_file import CHECKSUM_ALGORITHM, PartFile, chunks_of, file_checksum, remove_orphans
from storage.pool import Fill, checked

NAME = "posix"
_POLL_S = 0.2
# A file that is on the HSM's disk comes at once; who waits longer for its bytes loses the lease.
_STALL_S = 10.0
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own
_MOUNT_S, _BANDWIDTH_BYTES_S = 120.0, 300e6  # for estimates: nobody knows what the HSM does
# What an HSM or the network in front of it says when it is not at work.
_AWAY = {errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN, errno.ENODEV, errno.EAGAIN}

# Tells whether a file, whose status is given too, is on tape only.
OfflineTest = Callable[[Path, os.stat_result], bool]


def has_no_blocks(_path: Path, status: os.stat_result) -> bool:
    """Tell whether fewer blocks are allocated than the size needs, as of the stubs of most HSMs.

    File systems that compress do so too, which costs a needless reading and no more.
    """
    return status.st_blocks * _BLOCK_BYTES < status.st_size


def has_attribute(name: str) -> OfflineTest:
    """Return the test for an extended attribute that files on tape have, ``user.offline``."""

    def is_offline(path: Path, _status: os.stat_result) -> bool:
        return name in os.listxattr(path)

    return is_offline


# A file is given up later than readers are held to stand still, as those begun after it: where the
# whole system is away, that is no fault of the file.
_ALONE = 1.25


@dataclass(eq=False)
class _Task:
    """A file on its way to the HSM's disk; `has_ended` with its thread, whatever came of it."""

    file: ArchiveFile
    path: Path
    began: float | None = None
    bytes_done: int = 0
    is_done: bool = False
    has_ended: bool = False
    error: TapeError | None = None
    unwanted: Event = field(default_factory=Event)

    def read(self) -> None:
        """Read the file to its end."""
        self.began = time.monotonic()
        try:
            if self.unwanted.is_set():
                return
            with self.path.open("rb", buffering=0) as stream:
                for chunk in chunks_of(stream):
                    self.bytes_done += len(chunk)
                    if self.unwanted.is_set():
                        return
        except OSError as error:
            self.error = _failure(self.file, error)
        finally:
            self.has_ended = True
        self.is_done = True

    def is_overdue(self, time_limit_s: float) -> bool:
        """Tell whether a thread waits for it longer than that."""
        is_read = self.began is not None and not self.has_ended
        return is_read and time.monotonic() - (self.began or 0.0) > time_limit_s

    def status(self, time_limit_s: float) -> StageStatus:
        """Return how far it is."""
        if self.error is not None:
            return StageStatus(StageState.FAILED, self.bytes_done, self.error)
        if self.is_done:
            return StageStatus(StageState.STAGED, self.file.size_bytes)
        if self.began is None:
            return StageStatus(StageState.WAITING)
        if self.is_overdue(_ALONE * time_limit_s):
            self.unwanted.set()
            self.error = TapeError(f"{self.file.path} did not come within {time_limit_s:.0f} s")
            return StageStatus(StageState.FAILED, self.bytes_done, self.error)
        return StageStatus(StageState.READING, self.bytes_done)


@dataclass(frozen=True, slots=True)
class _Session:
    """A batch; its tasks by archive path."""

    slot: str
    tasks: dict[str, _Task]


class PosixHsm:
    """An HSM seen as a folder.

    Parameters
    ----------
    root
        The folder; archive paths lie below it.
    readers
        Files that are opened at once, and batches under way.
    time_limit_s
        A file that does not come within has failed, seconds.
    name
        What the catalogue calls it.
    is_offline
        Tells which files are on tape only.
    places
        Tape and position of files by archive path, as far as they are known.
    """

    def __init__(
        self,
        root: Path,
        *,
        readers: int,
        time_limit_s: float,
        name: str = NAME,
        is_offline: OfflineTest = has_no_blocks,
        places: Mapping[str, tuple[str, int]] | None = None,
    ) -> None:
        self.name = name
        self._root = root
        self._time_limit_s = time_limit_s
        self._is_offline = is_offline
        self._places = places or {}
        self._slots = Slots(readers)
        self._count = readers
        self._readers = Readers(readers)
        self._copiers = Readers(readers)
        self._sessions: dict[str, _Session] = {}
        self._tasks: list[_Task] = []

    @property
    def capabilities(self) -> Capabilities:
        """What the engine must know of it."""
        return Capabilities(drives=self._count, poll_s=_POLL_S)

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Write a file into the folder; the HSM takes it to tape in its own time.

        Raises
        ------
        ArchiveConflictError
            When the folder holds another content under this path.
        """
        path = self._root / checked(archive_path)
        remove_orphans(self._root)
        with PartFile(self._root, writer) as part:
            fill(part)
            size_bytes, checksum = part.size_bytes, part.checksum
            try:
                part.publish_new(path)
            except FileExistsError as error:
                if path.stat().st_size != size_bytes or file_checksum(path) != checksum:
                    sentence = f"{self.name} holds another content as {archive_path}"
                    raise ArchiveConflictError(sentence) from error
        tape, position = self._places.get(archive_path, (None, None))
        return ArchiveFile(
            archive_path, size_bytes, CHECKSUM_ALGORITHM, checksum, self.name, tape, position
        )

    def drives(self) -> Sequence[Drive]:
        """Return the batches that this process may have under way."""
        return self._slots.drives()

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return tape and position of each file, ``("", 0)`` where only the HSM knows."""
        return [
            self._places.get(file.path, (file.tape or "", file.position or 0))
            if (self._root / checked(file.path)).is_file()
            else None
            for file in files
        ]

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files in the order of their places, those of unknown place as they come."""
        del drive
        places = [place or ("", 0) for place in self.locate(files)]
        ordered = sorted(
            zip(places, range(len(files)), files, strict=True), key=lambda one: one[:2]
        )
        return [file for _place, _number, file in ordered]

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Have files read by the next free threads, in this order; return a handle.

        Raises
        ------
        TapeUnavailableError
            When the batch is one too many, or all threads wait for files that do not come.
        """
        self._check_readers()
        tasks = {file.path: _Task(file, self._root / checked(file.path)) for file in files}
        self._slots.take(drive, files[0].tape)
        for task in tasks.values():
            task.is_done, task.error = self._look(task)
            if not task.is_done and task.error is None:
                self._tasks.append(task)
                self._readers.submit(task.read)
        handle = str(uuid4())
        self._sessions[handle] = _Session(drive, tasks)
        return handle

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch that is not cancelled, by archive path.

        Raises
        ------
        TapeUnavailableError
            When all threads wait for files that do not come.
        """
        self._check_readers()
        tasks = self._sessions[handle].tasks
        return {path: task.status(self._time_limit_s) for path, task in tasks.items()}

    def cancel(self, handle: str, files: Sequence[ArchiveFile]) -> None:
        """Leave out files that nobody waits for any more; one being recalled comes all the same."""
        tasks = self._sessions[handle].tasks
        for file in files:
            if (task := tasks.pop(file.path, None)) is not None:
                task.unwanted.set()

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`.

        Raises
        ------
        MediaError, TapeUnavailableError
            When it cannot be read, or stands still.
        TapeError
            When the file is not staged.
        """
        task = self._sessions[handle].tasks[file.path]
        if not task.is_done or task.error is not None:
            raise TapeError(f"{file.path} has not been recalled yet")
        copy = _Copy(task.path)
        self._copiers.submit(copy.run)
        try:
            while chunk := copy.next_chunk(file):
                write(memoryview(chunk))
        finally:
            copy.unwanted.set()

    def release(self, handle: str) -> None:
        """Forget the batch, cancelling what is not staged."""
        session = self._sessions.pop(handle)
        for task in session.tasks.values():
            task.unwanted.set()
        self._slots.free(session.slot)

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds: a guess."""
        busy = max(1, min(self._count, waiting_tapes))
        return (waiting_tapes * _MOUNT_S + waiting_bytes / _BANDWIDTH_BYTES_S) / busy

    def _check_readers(self) -> None:
        """Raise when no thread is left that could read anything."""
        self._tasks = [task for task in self._tasks if not task.has_ended]
        overdue = sum(task.is_overdue(self._time_limit_s) for task in self._tasks)
        if overdue >= self._count:
            raise TapeUnavailableError(f"{overdue} files do not come: the HSM does not answer")

    def _look(self, task: _Task) -> tuple[bool, TapeError | None]:
        """Tell whether a file is on the HSM's disk already, or why it never will be."""
        try:
            status = task.path.stat()
            return not self._is_offline(task.path, status), None
        except OSError as error:
            return False, _failure(task.file, error)


class _Copy:
    """A file being read in a thread, a few chunks ahead of who takes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._chunks: Queue[bytes | OSError] = Queue(2)
        self.unwanted = Event()

    def run(self) -> None:
        """Read the file; an empty chunk is its end."""
        try:
            with self._path.open("rb", buffering=0) as stream:
                for chunk in chunks_of(stream):
                    self._give(bytes(chunk))
                    if self.unwanted.is_set():
                        return
        except OSError as error:
            self._give(error)
        self._give(b"")

    def _give(self, item: bytes | OSError) -> None:
        is_given = False
        while not (is_given or self.unwanted.is_set()):
            with suppress(Full):
                self._chunks.put(item, timeout=_POLL_S)
                is_given = True

    def next_chunk(self, file: ArchiveFile) -> bytes:
        """Return the next bytes, none at the end."""
        try:
            item = self._chunks.get(timeout=_STALL_S)
        except Empty as error:
            sentence = f"no byte of {file.path} came for {_STALL_S:.0f} s"
            raise TapeUnavailableError(sentence) from error
        if isinstance(item, OSError):
            raise _failure(file, item) from item
        return item


def _failure(file: ArchiveFile, error: OSError) -> TapeError:
    """Return whose fault it is that a file cannot be read."""
    reason = error.strerror or "no reason given"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotHeldError(f"the HSM has no file {file.path}")
    if error.errno in _AWAY:
        return TapeUnavailableError(f"the HSM does not answer: {reason}")
    return MediaError(f"{file.path} cannot be read: {reason}")
