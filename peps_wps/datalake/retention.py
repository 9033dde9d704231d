"""What leaves the datalake, when it is asked to: the old, then the oldest until the rest fits.

What was made of a product goes with it, as one: when the last of them is due, and before it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

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


def due(
    present: Mapping[str, Entry],
    limits: Limits,
    now: datetime,
    origin: Callable[[str], str] = str,
) -> Iterator[Due]:
    """Yield what is beyond the limits, the oldest first.

    Parameters
    ----------
    present
        What there is, the oldest first, as `Journal.present` gives it.
    limits
        What may stay.
    now
        UTC.
    origin
        Returns the path of what a product was made of, in the same folder, or its own; asked only
        in folders of products that are beyond the limits.
    """
    left = _bytes_of(present.values())
    of_folder: dict[str, list[Entry]] = {}
    for entry in present.values():
        of_folder.setdefault(_folder_of(entry), []).append(entry)

    @cache
    def products_of(folder: str) -> dict[str, list[Entry]]:
        """Return what goes as one, its origin at the end, by the path of what came last."""
        made: dict[str, list[Entry]] = {}
        for entry in of_folder[folder]:
            made.setdefault(origin(entry.path), []).append(entry)
        return {
            entries[-1].path: sorted(entries, key=lambda one: one.path == first)
            for first, entries in made.items()
        }

    for latest in present.values():
        reason = _reason(latest, left, limits, now)
        if reason is None:
            return  # nor is there one for what came later
        for entry in products_of(_folder_of(latest)).get(latest.path, ()):
            left -= entry.size_bytes or 0
            yield Due(entry.path, entry.at, entry.size_bytes or 0, reason)


def _folder_of(entry: Entry) -> str:
    return entry.path.rpartition("/")[0]


def _reason(latest: Entry, left_bytes: int, limits: Limits, now: datetime) -> str | None:
    """Return why products go of which this one came last, None where they stay."""
    if limits.age is not None and latest.at < now - limits.age:
        return "age"
    return "size" if limits.size_bytes is not None and left_bytes > limits.size_bytes else None


def _bytes_of(entries: Iterable[Entry]) -> int:
    return sum(entry.size_bytes or 0 for entry in entries)


def remove_all(lake: Lake, products: Iterable[Due]) -> Removal:
    """Remove products, but those of tiles on which somebody works."""
    done = Removal()
    of_tiles: dict[str, list[Due]] = {}
    for one in products:
        of_tiles.setdefault(tile_of(one.path), []).append(one)
    for tile, of_tile in of_tiles.items():
        try:
            with lake.lock(tile, holder="peps datalake", patience_s=0):
                for one in of_tile:
                    lake.remove(one.path)
                    done.removed.append(one.path)
                    done.freed_bytes += one.size_bytes
        except DatalakeLockedError as error:
            done.in_use |= {one.path: error.holder for one in of_tile}
    return done


def tile_of(path: str) -> str:
    """Return what is locked while a product is worked on: its collection and tile."""
    return "/".join(path.split("/")[:2])
