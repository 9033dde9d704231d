"""Files in an S3 bucket whose storage class must be restored before it is read: Glacier.

Every object of a batch is asked to be restored, then looked at now and then until its temporary
copy is there. A copy that expires before it is read is restored again. Deep and flexible archives,
and those with instant retrieval, may be mixed in one bucket.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from storage.backends.patience import Patience
from storage.backends.remote_batches import RemoteBatches
from storage.backends.resuming import resumed
from storage.errors import (
    ArchiveConflictError,
    MediaError,
    NotHeldError,
    TapeError,
    TapeUnavailableError,
)
from storage.model import ArchiveFile, StageState, StageStatus
from storage.part_file import CHECKSUM_ALGORITHM, PartFile
from storage.pool import Fill, checked

NAME = "glacier"
_POLL_LIMIT_S = 5.0  # of looks at one poll: a lease is renewed between two polls
_BANDWIDTH_BYTES_S = 100e6  # for estimates
# Upper ends of the times that Amazon states for objects of GLACIER; DEEP_ARCHIVE takes longer.
_RESTORE_S = {"Expedited": 300.0, "Standard": 18_000.0, "Bulk": 43_200.0}


class CopyState(Enum):
    """Whether an object can be read."""

    ARCHIVED = "archived"
    RESTORING = "restoring"
    READABLE = "readable"


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """Whether an object can be read, and its SHA-256 where we wrote it."""

    state: CopyState
    checksum: str


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms files are kept and restored.

    Parameters
    ----------
    tier
        How fast and how dear: ``Expedited``, ``Standard`` or ``Bulk``.
    days
        How long a restored copy is kept.
    storage_class
        Of new files.
    """

    tier: str = "Standard"
    days: int = 2
    storage_class: str = "DEEP_ARCHIVE"


class Bucket(Protocol):
    """The objects of a bucket (`storage.backends.s3`), whose errors are `TapeError`s."""

    def look(self, key: str) -> ObjectFacts | None:
        """Return whether an object can be read, None where there is none."""

    def restore(self, key: str, tier: str, days: int) -> CopyState:
        """Ask for a copy that can be read; return how it is now."""

    def read(self, key: str, start: int, tag: str) -> tuple[str, Iterator[bytes]]:
        """Return tag and bytes of an object from `start` on, of the version `tag`."""

    def write(self, key: str, path: Path, checksum: str, storage_class: str) -> None:
        """Write an object from a file."""


@dataclass(eq=False)
class _Object:
    """An object of a batch, and what is known of its copy."""

    file: ArchiveFile
    status: StageStatus
    pause_s: float
    next_look: float = 0.0


@dataclass(eq=False)
class _Session:
    """A batch; its objects by archive path."""

    slot: str
    objects: dict[str, _Object]
    away_since: float | None = None


class GlacierVault(RemoteBatches[_Session]):
    """Files in a bucket.

    Parameters
    ----------
    bucket
        Where the files are.
    scratch
        Folder for files on their way into the bucket.
    batches
        Batches that this process may have under way.
    name
        What the catalogue calls it.
    prefix
        What keys begin with, before the archive path.
    terms
        On what terms they are kept and restored.
    patience
        How often and how long each object is looked at.
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        scratch: Path,
        batches: int,
        name: str = NAME,
        prefix: str = "",
        terms: Terms | None = None,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(name, batches, patience)
        self._bucket = bucket
        self._scratch = scratch
        self._prefix = prefix
        self._terms = terms or Terms()

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Write an object, in the storage class of new files.

        Raises
        ------
        ArchiveConflictError
            When the bucket holds another content under this path.
        """
        with PartFile(self._scratch, writer) as part:
            fill(part)
            part.stream.flush()
            stored = ArchiveFile(
                archive_path, part.size_bytes, CHECKSUM_ALGORITHM, part.checksum, self.name
            )
            known = self._bucket.look(self._key(stored))
            if known is None:
                key = self._key(stored)
                self._bucket.write(key, part.path, stored.checksum, self._terms.storage_class)
            elif known.checksum != stored.checksum:
                sentence = f"{self.name} holds another content as {archive_path}"
                raise ArchiveConflictError(sentence)
        return stored

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return ``("", 0)`` for each file that is in the bucket, None for the others."""
        return [None if self._bucket.look(self._key(one)) is None else ("", 0) for one in files]

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Begin a batch; its objects are asked for as it is polled.

        Raises
        ------
        DriveBusyError
            When the batch is one too many.
        """
        self._slots.take(drive, None)
        waiting, pause_s = StageStatus(StageState.WAITING), self._patience.poll_s
        handle = str(uuid4())
        objects = {one.path: _Object(one, waiting, pause_s) for one in files}
        self._sessions[handle] = _Session(drive, objects)
        return handle

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch that is not cancelled, by archive path.

        Raises
        ------
        TapeUnavailableError
            When the service has not answered for long.
        """
        session = self._sessions[handle]
        begin = time.monotonic()
        due = [one for one in session.objects.values() if _is_open(one) and one.next_look <= begin]
        try:
            for one in sorted(due, key=lambda one: one.next_look):
                if time.monotonic() - begin > _POLL_LIMIT_S:
                    break
                self._look(one)
                session.away_since = None
        except TapeUnavailableError:
            session.away_since = session.away_since or begin
            if begin - session.away_since > self._patience.away_s:
                raise
            for one in due:
                self._look_later(one)
        return {path: one.status for path, one in session.objects.items()}

    def cancel(self, handle: str, files: Sequence[ArchiveFile]) -> None:
        """Leave out files that nobody waits for any more; a restore cannot be called back."""
        for file in files:
            self._sessions[handle].objects.pop(file.path, None)

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a restored file to `write`, continued where a connection breaks.

        Raises
        ------
        TapeUnavailableError
            When the service does not answer, or the copy has expired: it is restored again.
        TapeError
            When the file is not restored, or changed while it came.
        """
        one = self._sessions[handle].objects[file.path]
        if one.status.state is not StageState.STAGED:
            raise TapeError(f"{file.path} has not been restored yet")
        transfer = _Transfer(self._bucket, self._key(file), file.size_bytes, write)
        try:
            resumed(file.path, transfer.receive, lambda: transfer.done)
        except MediaError as error:
            sentence = f"the restored copy of {file.path} has expired: it is restored again"
            raise TapeUnavailableError(sentence) from error

    def release(self, handle: str) -> None:
        """Forget the batch; copies expire by themselves."""
        self._slots.free(self._sessions.pop(handle).slot)

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds."""
        restore_s = _RESTORE_S[self._terms.tier] if waiting_tapes else 0.0
        return restore_s + waiting_bytes / _BANDWIDTH_BYTES_S

    def _key(self, file: ArchiveFile) -> str:
        return f"{self._prefix}{checked(file.path)}"

    def _look_later(self, one: _Object) -> None:
        """Let the next look wait longer than the last one did."""
        one.next_look = time.monotonic() + one.pause_s
        one.pause_s = min(2 * one.pause_s, self._patience.longest_pause_s)

    def _look(self, one: _Object) -> None:
        """Look at an object, ask for it if it is archived, and note how far it is."""
        key = self._key(one.file)
        self._look_later(one)
        try:
            facts = self._bucket.look(key)
            if facts is None:
                raise NotHeldError(f"{self.name} has no object {key}")
            state = facts.state
            if state is CopyState.ARCHIVED:
                state = self._bucket.restore(key, self._terms.tier, self._terms.days)
        except TapeUnavailableError:
            raise
        except TapeError as error:
            one.status = StageStatus(StageState.FAILED, error=error)
            return
        if state is CopyState.READABLE:
            one.status = StageStatus(StageState.STAGED, one.file.size_bytes)
        else:
            one.status = StageStatus(StageState.READING)


class _Transfer:
    """An object on its way: how much of it has come, and of which version."""

    def __init__(
        self, bucket: Bucket, key: str, size_bytes: int, write: Callable[[memoryview], None]
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._size_bytes = size_bytes
        self._write = write
        self._tag = ""
        self.done = 0

    def receive(self) -> None:
        """Receive what is left."""
        if 0 < self._size_bytes <= self.done:
            return
        self._tag, chunks = self._bucket.read(self._key, self.done, self._tag)
        for chunk in chunks:
            self.done += len(chunk)
            self._write(memoryview(chunk))


def _is_open(one: _Object) -> bool:
    return one.status.state in (StageState.WAITING, StageState.READING)
