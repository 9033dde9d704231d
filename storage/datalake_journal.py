"""What was published and removed, in the order in which it was: a line each, a file a day.

The products themselves are the truth; these lines answer "what came since?" and "how much is
there?" without looking at each of them.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from storage.held_file import open_held
from storage.part_file import make_folder, sync_folder

_LOCK = "lock"
_SUFFIX = ".ndjson"
_TAIL_BYTES = 1 << 14  # holds the longest line
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Entry:
    """A product that appeared (or was replaced), or went.

    Parameters
    ----------
    at
        When, UTC: of each entry another instant, later than that of the one before.
    path
        Of its item, below the root.
    size_bytes
        Of its files; None when it was removed.
    """

    at: datetime
    path: str
    size_bytes: int | None


class Journal:
    """The entries, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, path: str, size_bytes: int | None) -> Entry:
        """Write an entry, as the latest: who has read up to an instant misses none before it."""
        make_folder(self._folder)
        with open_held(self._folder / _LOCK):
            now = datetime.now(UTC)
            last = self._last()
            # A clock set back, or that of another machine, makes no entry of the past.
            if last is not None and last.at >= now:
                now = last.at + _MICROSECOND
            entry = Entry(now, path, size_bytes)
            self._append(entry)
        return entry

    def since(self, instant: datetime | None = None) -> Iterator[Entry]:
        """Yield the entries later than an instant, or all."""
        for day in self._days():
            if instant is None or day.stem >= f"{instant.astimezone(UTC):%Y-%m-%d}":
                with day.open("rb") as stream:
                    if instant is not None:
                        _skip(stream, instant)
                    for entry in _entries(stream):
                        if instant is None or entry.at > instant:
                            yield entry

    def present(self) -> dict[str, Entry]:
        """Return the last entry of each product that was not removed, the oldest first."""
        found: dict[str, Entry] = {}
        for entry in self.since():
            found.pop(entry.path, None)
            if entry.size_bytes is not None:
                found[entry.path] = entry
        return found

    def _last(self) -> Entry | None:
        """Return the latest entry."""
        for day in reversed(self._days()):
            with day.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
                lines = stream.read().split(b"\n")
            if len(lines) > 1 and lines[-2]:
                return _entry(lines[-2])
        return None

    def _days(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _append(self, entry: Entry) -> None:
        """Append a whole line, durably, behind the last whole line."""
        path = self._folder / f"{entry.at:%Y-%m-%d}{_SUFFIX}"
        is_new = not path.exists()
        line = {"at": entry.at.isoformat(), "path": entry.path, "size": entry.size_bytes}
        with path.open("a+b") as stream:
            _cut_torn(stream)
            stream.write(json.dumps(line).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(self._folder)


def _entries(stream: IO[bytes]) -> Iterator[Entry]:
    """Yield the entries of a day; a line without its end is being written, or was never."""
    for line in stream:
        if line.endswith(b"\n"):
            yield _entry(line)


def _skip(stream: IO[bytes], instant: datetime) -> None:
    """Move to a line, past most entries that are not later than an instant: they are in order."""
    low, high = 0, stream.seek(0, os.SEEK_END)
    while high - low > _TAIL_BYTES:
        middle = (low + high) // 2
        stream.seek(middle)
        stream.readline()  # the rest of a line
        line = stream.readline()
        if line.endswith(b"\n") and _entry(line).at <= instant:
            low = middle
        else:
            high = middle
    stream.seek(low)
    if low:
        stream.readline()


def _entry(line: bytes) -> Entry:
    said = json.loads(line)
    return Entry(datetime.fromisoformat(said["at"]), said["path"], said["size"])


def _cut_torn(stream: IO[bytes]) -> None:
    """Drop a line that its writer did not end."""
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        return
    stream.seek(size - 1)
    if stream.read(1) != b"\n":
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)
