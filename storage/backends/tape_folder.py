"""The folder of the simulated library: its tapes, what is mounted, and who uses what.

``<root>/<tape>/<position>-<name>`` are the files of a tape, ``<root>/drives/`` says what is mounted
and which drive is down. Drives and tapes are locked through the kernel: a killed process leaves
nothing locked.
"""

import fcntl
import glob
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from storage.errors import DriveBusyError
from storage.model import ArchiveFile
from storage.part_file import (
    CHECKSUM_ALGORITHM,
    PartFile,
    file_checksum,
    make_folder,
    sync_folder,
)
from storage.part_file import remove_orphans as remove_orphan_parts
from storage.pool import Fill, checked

_ENTRY = re.compile(r"(?P<position>\d{15})-(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class DriveNote:
    """What is known of a drive.

    Parameters
    ----------
    tape
        What is mounted.
    head
        Position of its head, bytes.
    down_until
        Until when it does not work, seconds of the library's clock.
    """

    tape: str | None = None
    head: int = 0
    down_until: float = 0.0


class TapeFolder:
    """A folder of tapes and drives.

    Parameters
    ----------
    root
        The folder; created when something is written.
    backend
        What the catalogue calls the library.
    capacity_bytes
        How much goes on a tape.
    """

    def __init__(self, root: Path, *, backend: str, capacity_bytes: int) -> None:
        self._root = root
        self._backend = backend
        self._capacity_bytes = capacity_bytes

    # ------------------------------------------------------------------------------ tapes

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Append a file to a tape of its family, the first folder of its path.

        A file that the tape holds already is not written again.
        """
        path = checked(archive_path)
        family = path.parts[0] if len(path.parts) > 1 else "archive"
        make_folder(self._root)
        remove_orphan_parts(self._root)
        with PartFile(self._root, writer) as part:
            fill(part)
            part.sync()  # before the lock: others may put theirs on the tape meanwhile
            stored = ArchiveFile(
                archive_path, part.size_bytes, CHECKSUM_ALGORITHM, part.checksum, self._backend
            )
            with _lock(self._root / f".{family}.lock"):
                placed = self._find_same(family, path.name, stored)
                if placed is None:
                    tape, position = self._end_of(family, part.size_bytes)
                    placed = replace(stored, tape=tape, position=position)
                    part.appear(self.path(placed))
        # After the lock, for the wait is long; also for a name that a killed writer left.
        sync_folder(self.path(placed).parent)
        return placed

    def path(self, file: ArchiveFile) -> Path:
        """Return the file on its tape."""
        name = f"{file.position or 0:015d}-{PurePosixPath(file.path).name}"
        return self._root / (file.tape or "") / name

    def lock_tape(self, tape: str) -> BinaryIO:
        """Return what holds a tape until it is closed; `DriveBusyError` when it is in use."""
        make_folder(self._root / tape)
        return _lock(self._root / tape / ".lock", wait=False)

    def _find_same(self, family: str, name: str, file: ArchiveFile) -> ArchiveFile | None:
        """Return the file as an earlier write left it on a tape."""
        for tape in sorted(self._root.glob(f"{glob.escape(family)}-*/")):
            same = sorted(one for one in _names(tape) if one.endswith(f"-{name}"))
            for entry in map(_ENTRY.fullmatch, same):
                if not entry or entry["name"] != name:
                    continue
                path = tape / entry.string
                if path.stat().st_size == file.size_bytes and file_checksum(path) == file.checksum:
                    return replace(file, tape=tape.name, position=int(entry["position"]))
        return None

    def _end_of(self, family: str, size_bytes: int) -> tuple[str, int]:
        """Return the tape with room for the bytes, and where they go on it."""
        number = 1
        while True:
            tape = f"{family}-{number:04d}"
            end = _end(self._root / tape)
            if end == 0 or end + size_bytes <= self._capacity_bytes:
                return tape, end
            number += 1

    # ------------------------------------------------------------------------------ drives

    def note(self, drive: str) -> DriveNote:
        """Return what is known of a drive."""
        # A power cut may leave a note torn: the drive is empty then, as far as anybody knows.
        with suppress(FileNotFoundError, ValueError):
            return DriveNote(**json.loads(self._drive_path(drive, "json").read_text("utf-8")))
        return DriveNote()

    def remember(self, drive: str, note: DriveNote) -> None:
        """Note the state of a drive; a torn note would be worse than an old one."""
        path = self._drive_path(drive, "json")
        draft = path.with_suffix(".json.partial")
        draft.write_text(json.dumps(asdict(note)), "utf-8")
        draft.replace(path)

    def lock_drive(self, drive: str) -> BinaryIO:
        """Return what holds a drive until it is closed; `DriveBusyError` when it is in use."""
        make_folder(self._root / "drives")
        return _lock(self._drive_path(drive, "lock"), wait=False)

    def is_busy(self, drive: str) -> bool:
        """Tell whether a drive is in use, by whatever process."""
        return _is_locked(self._drive_path(drive, "lock"))

    def _drive_path(self, drive: str, suffix: str) -> Path:
        return self._root / "drives" / f"{drive}.{suffix}"


def _names(tape: Path) -> list[str]:
    """Return what a tape has; it may have a hundred thousand files, and is looked at for each."""
    with suppress(FileNotFoundError), os.scandir(tape) as entries:
        return [entry.name for entry in entries]
    return []


def _end(tape: Path) -> int:
    """Return where the last file of a tape ends, 0 of one without files."""
    entries = list(filter(_ENTRY.fullmatch, _names(tape)))
    position = max(entries, default="0").partition("-")[0]  # all have the same length
    # Files without bytes lie where the next one begins.
    there = (tape / name for name in entries if name.startswith(f"{position}-"))
    return int(position) + max((path.stat().st_size for path in there), default=0)


def _lock(path: Path, *, wait: bool = True) -> BinaryIO:
    """Return an open file that holds an exclusive lock until it is closed."""
    stream = path.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.close()
        raise DriveBusyError(f"{path.name} is in use") from error
    return stream


def _is_locked(path: Path) -> bool:
    """Tell whether somebody holds the lock, without disturbing who wants it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
