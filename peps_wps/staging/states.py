"""What the archive tells of requests, recalls and the pool."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from catalog_db.archive.backlog import Backlog, ListedRecall
from catalog_db.archive.request_views import ListedRequest, RequestedFile, RequestRow
from catalog_db.archive.requests import DEADLINE_PASSED
from storage.errors import LostFileError, ProductWithdrawnError

# How long it takes to read a backlog, seconds.
Expect = Callable[[Backlog], float]


@dataclass(frozen=True)
class FileStatus:
    """Where a product of a request is.

    Parameters
    ----------
    uid
        The product.
    state
        ``waiting``, ``ready``, ``failed``, ``cancelled`` or ``released``: its pin has ended.
    bytes_done, size_bytes
        How much has come from tape, of how much.
    expected_s
        About how long it will take until it is ready, seconds; None where nobody can say.
    error
        Why it is not to be had, one sentence; empty otherwise.
    title, path
        The product, and its path in the archive.
    position
        Place of its recall in the queue, from 1.
    reason
        What it waits for, where its recall does not simply wait for its turn.
    asked, started, finished
        When it was asked for, its recall began, and it stopped to wait.
    pin_until
        Until when it stays on disk.
    """

    uid: str
    state: str
    bytes_done: int
    size_bytes: int
    expected_s: float | None
    error: str = ""
    title: str = ""
    path: str = ""
    position: int | None = None
    reason: str = ""
    asked: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    pin_until: datetime | None = None


@dataclass(frozen=True)
class RequestStatus:
    """Whether the products of a request can be read.

    Parameters
    ----------
    ready
        All that are still wanted are in the pool and pinned, and there are some.
    failed
        Why it can never become ready, one sentence; None while it can.
    files
        Each product.
    request
        Who asked, for what, on which terms, and when it ended.
    """

    ready: bool
    failed: str | None
    files: tuple[FileStatus, ...]
    request: RequestRow | None = None

    @property
    def expected_s(self) -> float | None:
        """About how long it will take until all are ready, seconds."""
        known = [file.expected_s for file in self.files if file.expected_s is not None]
        return max(known, default=None)


@dataclass(frozen=True)
class RecallStatus:
    """A recall, and when it is expected to end: seconds from now, None where nobody can say."""

    recall: ListedRecall
    expected_s: float | None

    @property
    def position(self) -> int | None:
        """Its place in the queue of its backend, from 1; None when it has ended."""
        return None if self.recall.backlog is None else self.recall.backlog.position


@dataclass(frozen=True)
class PoolState:
    """The disk pool, bytes.

    Parameters
    ----------
    budget_bytes
        What recalled files may take.
    used_bytes, files
        What they take, those on their way included, and how many they are.
    coming_bytes
        Reserved for files on their way.
    pinned_bytes
        Must stay for now.
    evictable_bytes
        May go when room is needed.
    disk_only_bytes
        Files without a copy on tape, beside the budget.
    """

    budget_bytes: int
    used_bytes: int
    files: int
    coming_bytes: int
    pinned_bytes: int
    evictable_bytes: int
    disk_only_bytes: int


@dataclass(frozen=True)
class StagingCounters:
    """What was counted since the installation began.

    Parameters
    ----------
    hits, misses
        Files asked for that were on disk, and that were not.
    recalls, recalled_bytes
        Files that came from tape.
    failures
        Recalls that were given up.
    """

    hits: int
    misses: int
    recalls: int
    recalled_bytes: int
    failures: int


def request_status(
    request: RequestRow,
    rows: list[RequestedFile],
    ahead: dict[int, Backlog],
    expect: Expect,
    now: datetime,
) -> RequestStatus:
    """Return the status of a request and of each of its products."""
    is_late = request.deadline is not None and request.deadline < now
    files = tuple(_file_status(row, ahead, expect, is_late=is_late) for row in rows)
    wanted = [file for file in files if file.state not in ("cancelled", "released")]
    failed = next((file.error for file in wanted if file.error), None)
    if not wanted:
        failed = next((file.error for file in files), None)
    ready = bool(wanted) and all(file.state == "ready" for file in wanted)
    return RequestStatus(ready, failed, files, request)


def _file_status(
    row: RequestedFile, ahead: dict[int, Backlog], expect: Expect, *, is_late: bool
) -> FileStatus:
    """Return the status of one product of a request."""
    state, error = _state(row, is_late=is_late)
    backlog = None if row.recall is None else ahead.get(row.recall)
    waits = state == "waiting"
    is_ready = state == "ready"
    return FileStatus(
        uid=row.uid,
        state=state,
        bytes_done=row.size_bytes if is_ready else row.bytes_done,
        size_bytes=row.size_bytes,
        expected_s=expect(backlog) if waits and backlog else 0.0 if is_ready else None,
        error=error,
        title=row.title,
        path=row.path,
        position=backlog.position if waits and backlog else None,
        reason=row.recall_error or "" if waits else "",
        asked=row.asked,
        started=row.started,
        finished=row.finished,
        pin_until=row.pin_until,
    )


def _state(row: RequestedFile, *, is_late: bool) -> tuple[str, str]:
    """Return the state of a product of a request, and why it is not to be had."""
    if row.withdrawn:
        return "failed", str(ProductWithdrawnError(row.title))
    if row.is_lost and row.state == "ready":
        return "failed", str(LostFileError(row.title))
    if row.state == "ready" and row.is_ready:
        return "ready", ""
    if row.state == "waiting":
        return ("failed", _sentence(row, DEADLINE_PASSED)) if is_late else ("waiting", "")
    if row.state == "failed":
        return "failed", _sentence(row, row.error or "")
    state = "released" if row.state == "ready" else row.state  # the pin ended, the file went
    return state, f"the request for {row.title} has ended"


def _sentence(row: RequestedFile, error: str) -> str:
    """Return an error that names its product."""
    return f"{row.title}: {error}" if error == DEADLINE_PASSED else error


def listed_recall(recall: ListedRecall, expect: Expect) -> RecallStatus:
    """Return a recall with the time it is expected to take."""
    return RecallStatus(recall, None if recall.backlog is None else expect(recall.backlog))


__all__ = [
    "FileStatus",
    "ListedRequest",
    "PoolState",
    "RecallStatus",
    "RequestStatus",
    "StagingCounters",
    "listed_recall",
    "request_status",
]
