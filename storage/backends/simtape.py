"""A tape library that is a directory with a clock: the embedded default.

Reading takes as long as mounting, locating and streaming would; bytes really come from a file of
the folder (`storage.backends.tape_folder`), so a damaged tape is a damaged file. Several processes
share the library as they would a real one.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from storage.backend import Capabilities
from storage.backends.faults import Fault, FaultPlan
from storage.backends.tape_folder import DriveNote, TapeFolder
from storage.errors import DriveBusyError, DriveDownError, MediaError, TapeError
from storage.model import ArchiveFile, Drive, StageState, StageStatus
from storage.part_file import chunks_of
from storage.pool import Fill
from storage.read_order import read_order
from storage.tape_geometry import LTO8, TapeDriveModel

NAME = "simtape"
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _Reading:
    """When a file is under the head, in seconds of the library's clock, and what goes wrong."""

    file: ArchiveFile
    begin: float
    end: float
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Session:
    """A drive at work, which looks for what follows from `begin` and `head` on.

    Closing `locks` frees it.
    """

    drive: str
    tape: str
    begin: float
    head: int
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
    model
        The make of the drives and tapes.
    speed
        The clock runs this many times faster than it should.
    name
        What the catalogue calls it.
    faults
        What goes wrong; by default nothing.
    repair_s
        How long a drive stays down once it or the robot has failed, seconds of its clock.
    """

    def __init__(
        self,
        root: Path,
        *,
        drives: int,
        model: TapeDriveModel = LTO8,
        speed: float = 1.0,
        name: str = NAME,
        faults: FaultPlan | None = None,
        repair_s: float = 600.0,
    ) -> None:
        self.name = name
        self._model = model
        self._speed = speed
        capacity_bytes = model.locate.geometry.capacity_bytes
        self._folder = TapeFolder(root, backend=name, capacity_bytes=capacity_bytes)
        self._faults = faults
        self._repair_s = repair_s
        self._drive_names = tuple(f"drive-{number}" for number in range(1, drives + 1))
        self._sessions: dict[str, _Session] = {}
        self._times_read: Counter[str] = Counter()

    @property
    def capabilities(self) -> Capabilities:
        """What the engine must know of it."""
        return Capabilities(drives=len(self._drive_names), poll_s=_POLL_S)

    def store(self, archive_path: str, fill: Fill, *, writer: str) -> ArchiveFile:
        """Append a file to a tape of its family; writing is not slowed down."""
        return self._folder.store(archive_path, fill, writer=writer)

    def drives(self) -> Sequence[Drive]:
        """Return the state of the drives now, those used by other processes included."""
        now = self._clock()
        notes = {name: self._folder.note(name) for name in self._drive_names}
        return [
            Drive(name, note.tape, self._folder.is_busy(name), note.down_until > now)
            for name, note in notes.items()
        ]

    def locate(self, files: Sequence[ArchiveFile]) -> Sequence[tuple[str, int] | None]:
        """Return tape and position of each file, None where it is not held."""
        return [
            (file.tape, file.position)
            if file.tape is not None
            and file.position is not None
            and self._folder.path(file).is_file()
            else None
            for file in files
        ]

    def order(self, drive: str, files: Sequence[ArchiveFile]) -> Sequence[ArchiveFile]:
        """Return files of one tape so that the tape moves little between them."""
        note = self._folder.note(drive)
        start = note.head if files and files[0].tape == note.tape else 0
        return [files[index] for index in read_order(self._model.locate, start, _spans(files))]

    def submit(self, drive: str, files: Sequence[ArchiveFile]) -> str:
        """Start staging files of one tape, in this order; return a handle.

        Raises
        ------
        DriveBusyError
            When the drive or the tape is in use.
        DriveDownError
            When the drive does not work.
        """
        tape = files[0].tape or ""
        with ExitStack() as locks:
            locks.enter_context(self._folder.lock_drive(drive))
            locks.enter_context(self._folder.lock_tape(tape))
            now = self._clock()
            note = self._folder.note(drive)
            if note.down_until > now:
                raise DriveDownError(f"{drive} is down")
            self._unload_elsewhere(drive, tape, now)
            begin, head = now, note.head
            if note.tape != tape:
                begin += self._model.mount_s()
                begin += 0.0 if note.tape is None else self._model.dismount_s(note.head)
                head = 0
            readings = tuple(self._readings(files, begin, head))
            self._folder.remember(drive, DriveNote(tape, 0))
            handle = str(uuid4())
            self._sessions[handle] = _Session(drive, tape, begin, head, readings, locks.pop_all())
        return handle

    def poll(self, handle: str) -> Mapping[str, StageStatus]:
        """Return the state of every file of the batch, by archive path."""
        session = self._sessions[handle]
        now = self._clock()
        return {one.file.path: self._status(session, one, now) for one in session.readings}

    def cancel(self, handle: str, files: Sequence[ArchiveFile]) -> None:
        """Leave out what nobody waits for any more; the rest is read without it."""
        session = self._sessions[handle]
        unwanted = {file.path for file in files}
        now = self._clock()
        passed = [one for one in session.readings if one.begin <= now]
        left = [one for one in session.readings[len(passed) :] if one.file.path not in unwanted]
        begin, head = session.begin, session.head
        if passed:
            begin, head = passed[-1].end, _end(passed[-1].file)
        rest = [
            replace(moved, fault=one.fault)
            for one, moved in zip(
                left, self._path_of_head([one.file for one in left], begin, head), strict=True
            )
        ]
        kept = [one for one in passed if one.file.path not in unwanted]
        self._sessions[handle] = replace(session, begin=begin, head=head, readings=(*kept, *rest))

    def fetch(self, handle: str, file: ArchiveFile, write: Callable[[memoryview], None]) -> None:
        """Pass the bytes of a staged file to `write`.

        Raises
        ------
        TapeError
            When the file is not staged or cannot be read.
        """
        if self.poll(handle)[file.path].state is not StageState.STAGED:
            raise TapeError(f"{file.path} has not been read from tape {file.tape} yet")
        readings = self._sessions[handle].readings
        fault = next(one.fault for one in readings if one.file.path == file.path)
        left = file.size_bytes // 2 if fault is Fault.SHORT_READ else file.size_bytes + 1
        try:
            with self._folder.path(file).open("rb") as stream:
                for chunk in chunks_of(stream):
                    if fault is Fault.FLIPPED_BIT:
                        chunk[0] ^= 1
                        fault = None
                    write(chunk[:left])
                    left -= len(chunk[:left])
        except FileNotFoundError as error:
            raise _unreadable(file) from error

    def release(self, handle: str) -> None:
        """Forget the batch, cancelling what is not staged; the drive is free again."""
        session = self._sessions.pop(handle)
        with session.locks:
            now = self._clock()
            passed = [one.file for one in session.readings if one.begin <= now]
            head = _end(passed[-1]) if passed else session.head
            stopped = _stop_of(session)
            if stopped is None or stopped.begin > now:
                note = DriveNote(session.tape, head)
            else:
                is_mounted = stopped.fault is Fault.DRIVE_DOWN
                down_until = stopped.begin + self._repair_s
                note = DriveNote(session.tape if is_mounted else None, head, down_until)
            self._folder.remember(session.drive, note)

    def expected_s(self, waiting_bytes: int, waiting_tapes: int) -> float:
        """Return about how long files already waiting will take, seconds."""
        busy_drives = max(1, min(len(self._drive_names), waiting_tapes))
        tape_s = waiting_tapes * self._model.mount_s()
        tape_s += waiting_bytes / self._model.bandwidth_bytes_s
        return tape_s / busy_drives / self._speed

    def _clock(self) -> float:
        """Seconds of the library's clock."""
        return time.monotonic() * self._speed

    def _readings(
        self, files: Sequence[ArchiveFile], begin: float, head: int
    ) -> Iterator[_Reading]:
        """Yield when each file will be read, and what goes wrong then."""
        for reading in self._path_of_head(files, begin, head):
            file = reading.file
            self._times_read[file.path] += 1
            fault = self._faults(file, self._times_read[file.path]) if self._faults else None
            if fault is None and not self._folder.path(file).is_file():
                fault = Fault.MEDIA_ERROR
            yield replace(reading, fault=fault)

    def _path_of_head(
        self, files: Sequence[ArchiveFile], begin: float, head: int
    ) -> Iterator[_Reading]:
        """Yield when each file will be under the head, which starts at a time and position."""
        times = self._model.readings_s(head, _spans(files))
        for file, (begin_s, end_s) in zip(files, times, strict=True):
            yield _Reading(file, begin + begin_s, begin + end_s)

    def _status(self, session: _Session, reading: _Reading, now: float) -> StageStatus:
        """Return the state of a file at a time of the library's clock."""
        stopped = _stop_of(session)
        if stopped is not None and stopped.begin <= min(now, reading.begin):
            reason = stopped.fault.value if stopped.fault else ""
            return StageStatus(
                StageState.FAILED, error=DriveDownError(f"{session.drive}: {reason}")
            )
        if now < reading.begin:
            return StageStatus(StageState.WAITING)
        if reading.fault is Fault.MEDIA_ERROR:
            return StageStatus(StageState.FAILED, error=_unreadable(reading.file))
        if now < reading.end:
            done = (now - reading.begin) / (reading.end - reading.begin)
            return StageStatus(StageState.READING, int(done * reading.file.size_bytes))
        return StageStatus(StageState.STAGED, reading.file.size_bytes)

    def _unload_elsewhere(self, drive: str, tape: str, now: float) -> None:
        """Take the tape out of an idle drive, for it can be in one only."""
        for name in self._drive_names:
            note = self._folder.note(name)
            if name == drive or note.tape != tape:
                continue
            if note.down_until > now:
                raise DriveBusyError(f"tape {tape} is stuck in {name}")
            self._folder.remember(name, DriveNote())


def _stop_of(session: _Session) -> _Reading | None:
    """Return the reading at which the drive or the robot fails."""
    stops = (Fault.DRIVE_DOWN, Fault.ROBOT_STUCK)
    return next((one for one in session.readings if one.fault in stops), None)


def _spans(files: Sequence[ArchiveFile]) -> list[tuple[int, int]]:
    """Return position and size of each file, bytes."""
    return [(file.position or 0, file.size_bytes) for file in files]


def _end(file: ArchiveFile) -> int:
    """Return the position behind a file, bytes."""
    return (file.position or 0) + file.size_bytes


def _unreadable(file: ArchiveFile) -> MediaError:
    return MediaError(f"tape {file.tape} cannot be read at position {file.position}")
