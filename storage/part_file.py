"""Files that appear whole or not at all.

A `PartFile` is written beside its destination, digested on the way, forced to disk and renamed. Its
writer holds a lock on it that the kernel drops with the process, so a part that nobody locks is an
orphan and can be removed at any time, by any process.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from storage.errors import CorruptFileError

PREFIX = ".part-"
CHECKSUM_ALGORITHM = "sha256"
CHUNK_BYTES = 4 << 20
# A small file does not pay for clearing a large buffer.
_FIRST_CHUNK_BYTES = 64 << 10


class PartFile:
    """A file that is being received; unlinked on exit unless it was published.

    Parameters
    ----------
    folder
        Folder on the file system of the destination.
    name
        Distinguishes this writer from every other one: ``<recall>-<attempt>``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{PREFIX}{name}"
        self._published = False

    def __enter__(self) -> Self:
        make_folder(self.path.parent)
        self.stream = _open_locked(self.path)
        self._digest = hashlib.new(CHECKSUM_ALGORITHM)
        self.size_bytes = 0
        return self

    def __exit__(self, *_: object) -> None:
        if not self._published:
            self.path.unlink(missing_ok=True)
        self.stream.close()

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes, digesting them."""
        self.stream.write(chunk)
        self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def redigest(self) -> None:
        """Digest what was written straight to `stream`, in any order."""
        self._digest = hashlib.new(CHECKSUM_ALGORITHM)
        self.size_bytes = 0
        self.stream.seek(0)
        for chunk in chunks_of(self.stream):
            self._digest.update(chunk)
            self.size_bytes += len(chunk)

    @property
    def checksum(self) -> str:
        """Digest of the bytes so far, hexadecimal."""
        return self._digest.hexdigest()

    def verify(self, size_bytes: int, checksum: str) -> None:
        """Raise `CorruptFileError` unless size and digest are those expected."""
        if self.size_bytes != size_bytes:
            raise CorruptFileError(f"{self.size_bytes} bytes arrived, {size_bytes} are expected")
        if self.checksum != checksum:
            raise CorruptFileError(
                f"the checksum of the bytes that arrived is {self.checksum}, {checksum} is expected"
            )

    def sync(self) -> None:
        """Force the bytes to disk."""
        self.stream.flush()
        os.fsync(self.stream.fileno())

    def publish(self, destination: Path) -> None:
        """Force the bytes to disk and let them appear under their name."""
        self.sync()
        self.appear(destination)
        sync_folder(destination.parent)

    def appear(self, destination: Path) -> None:
        """Let bytes on disk (`sync`) appear under their name; it lasts after `sync_folder`."""
        make_folder(destination.parent)
        self.path.replace(destination)
        self._published = True

    def publish_new(self, destination: Path) -> None:
        """Publish unless there is a file of that name, `FileExistsError` then: none is replaced."""
        self.sync()
        make_folder(destination.parent)
        os.link(self.path, destination)  # the part's own name goes on exit
        sync_folder(destination.parent)


def remove_orphans(folder: Path) -> list[Path]:
    """Remove the parts in `folder` that no living process writes; return them."""
    removed = []
    for path in sorted(folder.glob(f"{PREFIX}*")):
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            removed.append(path)
    return removed


def chunks_of(stream: BinaryIO) -> Iterator[memoryview]:
    """Yield the rest of a stream; each chunk is valid until the next one."""
    buffer = memoryview(bytearray(_FIRST_CHUNK_BYTES))
    while count := stream.readinto(buffer):  # type: ignore[attr-defined]
        yield buffer[:count]
        if len(buffer) < CHUNK_BYTES:
            buffer = memoryview(bytearray(CHUNK_BYTES))


def file_checksum(path: Path) -> str:
    """Digest of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, CHECKSUM_ALGORITHM).hexdigest()


def make_folder(folder: Path) -> None:
    """Create a folder and its parents so that they survive a crash."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_locked(path: Path) -> BinaryIO:
    """Open a new part and lock it; again if it was taken for an orphan in between."""
    while True:
        stream = path.open("w+b")
        fcntl.flock(stream, fcntl.LOCK_EX)
        if os.fstat(stream.fileno()).st_nlink:
            return stream
        stream.close()
