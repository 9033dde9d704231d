"""What leaves the datalake, when it is asked to: the old, then the oldest until the rest fits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from peps_wps.datalake.lake import Lake
from storage.datalake_journal import Entry
from storage.errors import DatalakeLockedError


@dataclass(frozen=True)
class Limits:
    """How long products are kept after they were published, and how many bytes; None: no limit."""

    age: timedelta | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class Due:
    """A product that is to go, and why: "age" or "size"."""

    path: str
    published: datetime
    size_bytes: int
    reason: str


@dataclass
class Removal:
    """What was done: items that went with their files, and those that are in use, with by whom."""

    removed: list[str] = field(default_factory=list)
    freed_bytes: int = 0
    in_use: dict[str, str] = field(default_factory=dict)


def due(present: Mapping[str, Entry], limits: Limits, now: datetime) -> Iterator[Due]:
    """Yield what is beyond the limits, the oldest first.

    Parameters
    ----------
    present
        What there is, the oldest first, as `Journal.present` gives it.
    limits
        What may stay.
    now
        UTC.
    """
    left = sum(entry.size_bytes or 0 for entry in present.values())
    for path, entry in present.items():
        size_bytes = entry.size_bytes or 0
        if limits.age is not None and entry.at < now - limits.age:
            reason = "age"
        elif limits.size_bytes is not None and left > limits.size_bytes:
            reason = "size"
        else:
            continue
        left -= size_bytes
        yield Due(path, entry.at, size_bytes, reason)


def remove_all(lake: Lake, products: Iterable[Due]) -> Removal:
    """Remove products, but those of tiles on which somebody works."""
    done = Removal()
    for one in products:
        try:
            with lake.lock(tile_of(one.path), holder="peps datalake", patience_s=0):
                lake.remove(one.path)
        except DatalakeLockedError as error:
            done.in_use[one.path] = error.holder
            continue
        done.removed.append(one.path)
        done.freed_bytes += one.size_bytes
    return done


def tile_of(path: str) -> str:
    """Return what is locked while a product is worked on: its collection and tile."""
    return "/".join(path.split("/")[:2])
