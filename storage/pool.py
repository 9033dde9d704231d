"""The disk pool: the files that can be read now, under their archive paths."""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from storage.errors import ArchiveConflictError, ArchivePathError
from storage.model import ArchiveFile
from storage.part_file import CHECKSUM_ALGORITHM, PREFIX, PartFile, file_checksum, remove_orphans

# Writes the content of a new file of the archive.
Fill = Callable[[PartFile], None]


class Pool:
    """A folder of whole, verified files.

    Parameters
    ----------
    root
        The folder; created when first needed.
    name
        What the catalogue calls it, as the backend of files that are nowhere else.
    """

    def __init__(self, root: Path, *, name: str) -> None:
        self.root = root
        self.name = name

    def path(self, archive_path: str) -> Path:
        """Return where a file lies or will lie in the pool."""
        return self.root / checked(archive_path)

    def part(self, name: str) -> PartFile:
        """Return a part to be received; `name` must be the writer's own."""
        return PartFile(self.root, name)

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Store a file whose only copy will be here; the same content again is accepted.

        Raises
        ------
        ArchiveConflictError
            When the pool holds another content under this path.
        """
        destination = self.path(archive_path)
        with self.part(writer) as part:
            fill(part)
            stored = ArchiveFile(
                archive_path, part.size_bytes, CHECKSUM_ALGORITHM, part.checksum, self.name
            )
            try:
                part.publish_new(destination)
            except FileExistsError as error:
                if not self.holds(stored):
                    sentence = f"the pool holds another content as {archive_path}"
                    raise ArchiveConflictError(sentence) from error
        return stored

    def holds(self, file: ArchiveFile) -> bool:
        """Tell whether the pool has the file with the right size and digest; reads it all."""
        path = self.path(file.path)
        return (
            path.is_file()
            and path.stat().st_size == file.size_bytes
            and file_checksum(path) == file.checksum
        )

    def has_size(self, archive_path: str, size_bytes: int) -> bool:
        """Tell whether the pool has a file of this path and size."""
        path = self.path(archive_path)
        return path.is_file() and path.stat().st_size == size_bytes

    def open(self, archive_path: str) -> FileIO:
        """Open a file to be read; until it is closed it is not evicted.

        The lock that says so is the kernel's: it goes with the descriptor, however its process
        ends. Should the file be removed all the same, the descriptor keeps its bytes.

        Raises
        ------
        FileNotFoundError
            When the pool has no such file, or it was removed in this moment.
        """
        stream = FileIO(self.path(archive_path))
        fcntl.flock(stream, fcntl.LOCK_SH)  # waits for `is_open`, no longer
        if os.fstat(stream.fileno()).st_nlink:
            return stream
        stream.close()
        raise FileNotFoundError(archive_path)

    def is_open(self, archive_path: str) -> bool:
        """Tell whether somebody has opened the file to read it."""
        try:
            # For writing: file systems on the network give an exclusive lock on no other terms.
            descriptor = os.open(self.path(archive_path), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def older_than(self, age_s: float) -> list[str]:
        """Return the paths of the files that were written so long ago, parts not included."""
        before = time.time() - age_s
        old = []
        for path in self.root.rglob("*"):
            with suppress(FileNotFoundError):  # others evict meanwhile
                status = path.stat()
                is_whole = S_ISREG(status.st_mode) and not path.name.startswith(PREFIX)
                if is_whole and status.st_mtime < before:
                    old.append(str(path.relative_to(self.root)))
        return sorted(old)

    def remove(self, archive_path: str) -> None:
        """Remove a file; who has it open can read it to its end."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self.path(archive_path).unlink()

    def remove_orphans(self) -> list[Path]:
        """Remove the parts that dead processes left behind."""
        return remove_orphans(self.root)


def checked(archive_path: str) -> PurePosixPath:
    """Return the path, which must be relative and go nowhere but down."""
    path = PurePosixPath(archive_path)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in archive_path:
        raise ArchivePathError(f"{archive_path} is not a path inside the archive")
    return path
