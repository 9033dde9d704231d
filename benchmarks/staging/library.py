"""A tape library under a virtual clock, driven by the decisions of the service."""

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from benchmarks.staging.workloads import Asked
from storage.model import ArchiveFile, Batch, Drive, PendingRecall
from storage.read_order import read_order
from storage.scheduling import next_batch
from storage.tape_geometry import TapeDriveModel

MAX_WAIT_S = 3600.0
_WINDOW_S = 24 * 3600.0
_START = datetime(2021, 8, 9, tzinfo=UTC)

Chooser = Callable[
    [Sequence[PendingRecall], Sequence[Drive], datetime, Mapping[str, int]], Batch | None
]
Orderer = Callable[[TapeDriveModel, int, Sequence[tuple[int, int]]], Sequence[int]]


@dataclass(frozen=True)
class Policy:
    """How the library is run: what a drive reads next, in which order."""

    name: str
    choose: Chooser
    order: Orderer


@dataclass(frozen=True)
class Session:
    """What one drive did in one go.

    Parameters
    ----------
    drive, tape, files
        Who read how many files of what.
    begin_s, end_s
        From the decision, or the dismount of the tape before, to the end of the last file, seconds.
    is_mount
        The tape had to be mounted.
    oldest
        Number of the oldest recall among those read.
    """

    drive: str
    tape: str
    begin_s: float
    end_s: float
    is_mount: bool
    files: int
    oldest: int


@dataclass(frozen=True)
class Served:
    """A request that ended: when it was asked and when its file was ready, seconds."""

    user: str
    size_bytes: int
    asked_s: float
    ready_s: float

    @property
    def wait_s(self) -> float:
        """How long somebody waited."""
        return self.ready_s - self.asked_s


@dataclass
class Run:
    """What came of a simulation."""

    served: list[Served] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    @property
    def makespan_s(self) -> float:
        """When the last file was ready."""
        return max(one.ready_s for one in self.served)

    @property
    def mounts(self) -> int:
        """How many times a tape was mounted."""
        return sum(one.is_mount for one in self.sessions)

    @property
    def recalls(self) -> int:
        """How many files were read."""
        return sum(one.files for one in self.sessions)

    @property
    def longest_session_s(self) -> float:
        """The longest time that a drive was busy with one batch."""
        return max(one.end_s - one.begin_s for one in self.sessions)


def simulate(asked: Iterable[Asked], policy: Policy, model: TapeDriveModel, drives: int = 4) -> Run:
    """Let a library serve requests, sorted by time, until the last has its file."""
    return _Library(policy, model, drives).run(asked)


class _Library:
    """The state of a simulation: drives, queue, what everybody received."""

    def __init__(self, policy: Policy, model: TapeDriveModel, drives: int) -> None:
        self._policy = policy
        self._model = model
        self._drives = {name: Drive(name) for name in (f"drive-{n}" for n in range(1, drives + 1))}
        self._heads = dict.fromkeys(self._drives, 0)
        self._pending: dict[ArchiveFile, PendingRecall] = {}
        self._waiting: dict[ArchiveFile, list[Asked]] = defaultdict(list)
        self._ready_s: dict[ArchiveFile, float] = {}
        self._ends: list[tuple[float, str, list[ArchiveFile]]] = []
        self._shares = _Shares()
        self._numbers = count()
        self._run = Run()

    def run(self, asked: Iterable[Asked]) -> Run:
        """Serve all requests."""
        coming = deque(asked)
        while coming or self._ends:
            if coming and (not self._ends or coming[0].time_s <= self._ends[0][0]):
                now_s = coming[0].time_s
                while coming and coming[0].time_s == now_s:
                    self._ask(coming.popleft())
            else:
                now_s = self._finish()
            while self._start(now_s):
                pass
        return self._run

    def _ask(self, asked: Asked) -> None:
        """Queue a recall, join one, or take what is on disk by now."""
        file = asked.file
        if file in self._ready_s:
            self._serve(asked, max(asked.time_s, self._ready_s[file]))
            return
        self._waiting[file].append(asked)
        first = self._waiting[file][0]
        users = tuple(sorted({one.user for one in self._waiting[file]}))
        number = self._pending[file].recall_id if file in self._pending else next(self._numbers)
        self._pending[file] = PendingRecall(
            number, file, _at(first.time_s), demand=len(self._waiting[file]), users=users
        )

    def _start(self, now_s: float) -> bool:
        """Give a drive something to read; tell whether there was a drive and something."""
        if all(drive.is_busy for drive in self._drives.values()):
            return False
        batch = self._policy.choose(
            list(self._pending.values()),
            list(self._drives.values()),
            _at(now_s),
            self._shares.received(now_s),
        )
        if batch is None:
            return False
        self._read(batch, now_s)
        return True

    def _read(self, batch: Batch, now_s: float) -> None:
        """Let a drive mount and read; when each file will be ready is known at once."""
        is_mount = self._drives[batch.drive].tape != batch.tape
        begin_s = now_s + (self._change_s(batch.drive) if is_mount else 0.0)
        head = 0 if is_mount else self._heads[batch.drive]
        files = [recall.file for recall in batch.recalls]
        spans = [(file.position or 0, file.size_bytes) for file in files]
        order = self._policy.order(self._model, head, spans)
        readings = self._model.readings_s(head, [spans[index] for index in order])
        for index, (_, end_s) in zip(order, readings, strict=True):
            self._take(files[index], now_s, begin_s + end_s)
        end_s = begin_s + readings[-1][1]
        self._heads[batch.drive] = sum(spans[order[-1]])
        self._drives[batch.drive] = Drive(batch.drive, batch.tape, is_busy=True)
        heapq.heappush(self._ends, (end_s, batch.drive, files))
        oldest = min(recall.recall_id for recall in batch.recalls)
        self._run.sessions.append(
            Session(batch.drive, batch.tape, now_s, end_s, is_mount, len(files), oldest)
        )

    def _change_s(self, drive: str) -> float:
        """Return the time to put another tape into a drive, seconds."""
        is_empty = self._drives[drive].tape is None
        dismount_s = 0.0 if is_empty else self._model.dismount_s(self._heads[drive])
        return dismount_s + self._model.mount_s()

    def _take(self, file: ArchiveFile, now_s: float, ready_s: float) -> None:
        """Move a file from the queue to those being read."""
        del self._pending[file]
        self._ready_s[file] = ready_s
        self._shares.note(now_s, {one.user for one in self._waiting[file]}, file.size_bytes)
        for asked in self._waiting.pop(file):
            self._serve(asked, ready_s)

    def _serve(self, asked: Asked, ready_s: float) -> None:
        served = Served(asked.user, asked.file.size_bytes, asked.time_s, ready_s)
        self._run.served.append(served)

    def _finish(self) -> float:
        """Free the drive that ends next; return when that is. Nothing stays on disk."""
        now_s, drive, files = heapq.heappop(self._ends)
        self._drives[drive] = Drive(drive, self._drives[drive].tape)
        for file in files:
            del self._ready_s[file]
        return now_s


class _Shares:
    """What each user received in the sliding window."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()
        self._notes: deque[tuple[float, str, int]] = deque()

    def note(self, now_s: float, users: Iterable[str], size_bytes: int) -> None:
        """Count a file for all who waited for it."""
        for user in users:
            self._bytes[user] += size_bytes
            self._notes.append((now_s, user, size_bytes))

    def received(self, now_s: float) -> Mapping[str, int]:
        """Return bytes of each user."""
        while self._notes and self._notes[0][0] < now_s - _WINDOW_S:
            _, user, size_bytes = self._notes.popleft()
            self._bytes[user] -= size_bytes
        return self._bytes


def _at(time_s: float) -> datetime:
    return _START + timedelta(seconds=time_s)


def _first_come(
    pending: Sequence[PendingRecall],
    drives: Sequence[Drive],
    now: datetime,
    _served_bytes: Mapping[str, int],
) -> Batch | None:
    """One file at a time, the oldest request first, as a queue without knowledge would."""
    taken = {drive.tape for drive in drives if drive.is_busy}
    readable = (recall for recall in pending if recall.file.tape not in taken)
    oldest = min(readable, key=lambda one: one.recall_id, default=None)
    if oldest is None:
        return None
    return next_batch([oldest], drives, now, max_wait=MAX_WAIT_S)


def _service(
    pending: Sequence[PendingRecall],
    drives: Sequence[Drive],
    now: datetime,
    served_bytes: Mapping[str, int],
) -> Batch | None:
    return next_batch(pending, drives, now, max_wait=MAX_WAIT_S, served_bytes=served_bytes)


def _as_asked(
    _model: TapeDriveModel, _head: int, spans: Sequence[tuple[int, int]]
) -> Sequence[int]:
    return range(len(spans))


def _by_position(
    _model: TapeDriveModel, _head: int, spans: Sequence[tuple[int, int]]
) -> Sequence[int]:
    return sorted(range(len(spans)), key=spans.__getitem__)


def _recommended(
    model: TapeDriveModel, head: int, spans: Sequence[tuple[int, int]]
) -> Sequence[int]:
    return read_order(model.locate, head, spans)


FIFO = Policy("FIFO", _first_come, _as_asked)
GROUPED = Policy("grouped by tape", _service, _as_asked)
BY_POSITION = Policy("grouped, order of positions", _service, _by_position)
SERVICE = Policy("grouped, recommended order", _service, _recommended)
POLICIES = (FIFO, GROUPED, BY_POSITION, SERVICE)
