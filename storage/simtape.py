"""A tape library that is a directory with a clock: the embedded default.

``<root>/<tape>/<position>-<name>`` are the files of a tape, ``<root>/drives/`` says what is
mounted. Reading takes as long as mounting, locating and streaming would; bytes really come from the
file, so a damaged tape is a damaged file. Drives and tapes are locked through the kernel: several
processes share the library as they would a real one, and a killed one leaves nothing locked.
"""

import fcntl
import glob
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import uuid4

from storage.backend import Capabilities
from storage.errors import DriveBusyError, MediaError, TapeError
from storage.model import ArchiveFile, Drive, StageState, StageStatus
from storage.part_file import (
    CHECKSUM_ALGORITHM,
    PartFile,
    chunks_of,
    file_checksum,
    make_folder,
    remove_orphans,
)
from storage.pool import Fill, checked
from storage.tape_geometry import TapeGeometry, nearest_first

NAME = "simtape"
_ENTRY = re.compile(r"(?P<position>\d{15})-(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class TapeTimes:
    """How slow the library is.

    Parameters
    ----------
    mount_s
        To mount a tape, and as much again to unload the one before, seconds.
    locate_m_s
        Speed of the tape past the head while it looks for a file, m/s.
    bandwidth_bytes_s
        Streaming rate, bytes/s.
    speed
        The clock runs this many times faster than it should.
    """

    mount_s: float
    locate_m_s: float
    bandwidth_bytes_s: float
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """When a file is under the head, in seconds of the library's clock."""

    file: ArchiveFile
    begin: float
    end: float
    error: TapeError | None = None


@dataclass(frozen=True, slots=True)
class _Session:
    """A drive at work; closing `locks` frees it."""

    drive: str
    tape: str
    readings: tuple[_Reading, ...]
    locks: ExitStack


class SimulatedTape:
    """A tape library in a directory.

    Parameters
    ----------
    root
        Its folder.
    drives
        How many drives it has.
    times
        How slow it is.
    geometry
        Where on the tape a byte lies.
    """

    name = NAME

    def __init__(
        self, root: Path, *, drives: int, times: TapeTimes, geometry: TapeGeometry | None = None
    ) -> None:
        self._root = root
        self._times = times
        self._geometry = geometry or TapeGeometry()
        self._drive_names = tuple(f"drive-{number}" for number in range(1, drives + 1))
        self._sessions: dict[str, _Session] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the engine must know of it."""
        return Capabilities(drives=len(self._drive_names), poll_s=0.05)

    # ------------------------------------------------------------------------------ writing

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Append a file to a tape of its family, the first folder of its path.

        Writing is not slowed down. A file that the tape holds already is not written again.
        """
        path = checked(archive_path)
        family = path.parts[0] if len(path.parts) > 1 else "archive"
        make_folder(self._root)
        remove_orphans(self._root)
        with PartFile(self._root, writer) as part, _lock(self._root / f".{family}.lock"):
            fill(part)
            stored = ArchiveFile(
                archive_path, part.size_bytes, CHECKSUM_ALGORITHM, part.checksum, NAME
            )
            found = self._find_same(family, path.name, stored)
            if found:
                return found
            tape, position = self._end_of(family, part.size_bytes)
            part.publish(self._root / tape / f"{position:015d}-{path.name}")
        return replace(stored, tape=tape, position=position)

    def _find_same(self, family: str, name: str, file: ArchiveFile) -> ArchiveFile | None:
        """Return the file as an earlier write left it on a tape."""
        for path in sorted(self._root.glob(f"{glob.escape(family)}-*/*-{glob.escape(name)}")):
            entry = _ENTRY.fullmatch(path.name)
            if (
                entry
                and entry["name"] == name
                and path.stat().st_size == file.size_bytes
                and file_checksum(path) == file.checksum
            ):
                return replace(file, tape=path.parent.name, position=int(entry["position"]))
        return None

    def _end_of(self, family: str, size_bytes: int) -> tuple[str, int]:
        """Return the tape with room for the bytes, and where they go on it."""
        number = 1
        while True:
            tape = f"{family}-{number:04d}"
            end = max((begin + size for begin, size in _content(self._root / tape)), default=0)
            if end == 0 or end + size_bytes <= self._geometry.capacity_bytes:
                return tape, end
            number += 1

    # ------------------------------------------------------------------------------ reading

    def drives(self) -> Sequence[Drive]:
        """Return the state of the drives now, those used by other processes included."""
        return [
            Drive(name, self._head(name)[0], _is_locked(self._drive_path(name, "lock")))
            for name in self._drive_names
        ]

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return tape and position of each file, None where it is not held."""
        return [
            (file.tape, file.position)
            if file.tape is not None and file.position is not None and self._path(file).is_file()
            else None
            for file in files
        ]

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files of one tape so that the tape moves little between them."""
        tape, head = self._head(drive)
        start = head if files and files[0].tape == tape else 0
        spans = [(file.position or 0, file.size_bytes) for file in files]
        return [files[index] for index in nearest_first(self._geometry, start, spans)]

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Start staging files of one tape, in this order; return a handle.

        Raises
        ------
        DriveBusyError
            When the drive or the tape is in use.
        """
        tape = files[0].tape or ""
        make_folder(self._root / "drives")
        make_folder(self._root / tape)
        with ExitStack() as locks:
            locks.enter_context(_lock(self._drive_path(drive, "lock"), wait=False))
            locks.enter_context(_lock(self._root / tape / ".lock", wait=False))
            readings = self._schedule(drive, tape, files)
            self._unload_elsewhere(drive, tape)
            self._remember(drive, tape, 0)
            handle = str(uuid4())
            self._sessions[handle] = _Session(drive, tape, readings, locks.pop_all())
        return handle

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch, by archive path."""
        now = self._clock()
        return {
            reading.file.path: _status(reading, now) for reading in self._sessions[handle].readings
        }

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`.

        Raises
        ------
        TapeError
            When the file is not staged or cannot be read.
        """
        if self.poll(handle)[file.path].state is not StageState.STAGED:
            raise TapeError(f"{file.path} has not been read from tape {file.tape} yet")
        try:
            with self._path(file).open("rb") as stream:
                for chunk in chunks_of(stream):
                    write(chunk)
        except FileNotFoundError as error:
            raise MediaError(_unreadable(file)) from error

    def release(self, handle: str) -> None:
        """Forget the batch, cancelling what is not staged; the drive is free again."""
        session = self._sessions.pop(handle)
        with session.locks:
            now = self._clock()
            passed = [reading.file for reading in session.readings if reading.begin <= now]
            head = (passed[-1].position or 0) + passed[-1].size_bytes if passed else 0
            self._remember(session.drive, session.tape, head)

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds."""
        times = self._times
        busy_drives = max(1, min(len(self._drive_names), waiting_tapes))
        tape_s = waiting_tapes * times.mount_s + waiting_bytes / times.bandwidth_bytes_s
        return tape_s / busy_drives / times.speed

    def _clock(self) -> float:
        """Seconds of the library's clock."""
        return time.monotonic() * self._times.speed

    def _schedule(
        self, drive: str, tape: str, files: Sequence[ArchiveFile]
    ) -> tuple[_Reading, ...]:
        """Return when each file will be read, mounting first."""
        mounted, head = self._head(drive)
        now = self._clock()
        if mounted != tape:
            now += self._times.mount_s * (1 if mounted is None else 2)
            head = 0
        readings = []
        for file in files:
            position = file.position or 0
            now += self._geometry.distance_m(head, position) / self._times.locate_m_s
            error = None if self._path(file).is_file() else MediaError(_unreadable(file))
            end = now + file.size_bytes / self._times.bandwidth_bytes_s
            readings.append(_Reading(file, now, end, error))
            now, head = end, position + file.size_bytes
        return tuple(readings)

    def _path(self, file: ArchiveFile) -> Path:
        """Return the file on its tape."""
        name = f"{file.position or 0:015d}-{PurePosixPath(file.path).name}"
        return self._root / (file.tape or "") / name

    def _drive_path(self, drive: str, suffix: str) -> Path:
        return self._root / "drives" / f"{drive}.{suffix}"

    def _head(self, drive: str) -> tuple[str | None, int]:
        """Return the tape in a drive and the position of its head."""
        with suppress(FileNotFoundError):
            state = json.loads(self._drive_path(drive, "json").read_text("utf-8"))
            return state["tape"], state["head"]
        return None, 0

    def _remember(self, drive: str, tape: str | None, head: int) -> None:
        """Note what is mounted; a torn note would be worse than an old one."""
        path = self._drive_path(drive, "json")
        draft = path.with_suffix(".json.partial")
        draft.write_text(json.dumps({"tape": tape, "head": head}), "utf-8")
        draft.replace(path)

    def _unload_elsewhere(self, drive: str, tape: str) -> None:
        """Take the tape out of an idle drive, for it can be in one only."""
        for name in self._drive_names:
            if name != drive and self._head(name)[0] == tape:
                self._remember(name, None, 0)


def _status(reading: _Reading, now: float) -> StageStatus:
    """Return the state of a file at a time of the library's clock."""
    if now < reading.begin:
        return StageStatus(StageState.WAITING)
    if reading.error:
        return StageStatus(StageState.FAILED, error=reading.error)
    if now < reading.end:
        done = (now - reading.begin) / (reading.end - reading.begin)
        return StageStatus(StageState.READING, int(done * reading.file.size_bytes))
    return StageStatus(StageState.STAGED, reading.file.size_bytes)


def _unreadable(file: ArchiveFile) -> str:
    return f"tape {file.tape} cannot be read at position {file.position}"


def _content(tape: Path) -> list[tuple[int, int]]:
    """Return position and size of the files of a tape."""
    if not tape.is_dir():
        return []
    entries = ((_ENTRY.fullmatch(path.name), path) for path in tape.iterdir())
    return [(int(entry["position"]), path.stat().st_size) for entry, path in entries if entry]


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
