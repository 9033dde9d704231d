"""Who asks for what, when."""

from dataclasses import dataclass

import numpy as np

from storage.model import ArchiveFile
from storage.tape_geometry import TapeGeometry

LEAST_BYTES, MOST_BYTES = 560_000_000, 4_100_000_000


@dataclass(frozen=True)
class Asked:
    """A request for one file: by whom, when (seconds)."""

    user: str
    file: ArchiveFile
    time_s: float


@dataclass(frozen=True)
class Archive:
    """Products on tapes, each tape full of them.

    Parameters
    ----------
    tapes
        How many there are.
    geometry
        What a tape holds.
    """

    tapes: int
    geometry: TapeGeometry

    @property
    def files_per_tape(self) -> int:
        """How many products a tape holds."""
        return self.geometry.capacity_bytes // MOST_BYTES

    def file(self, tape: int, number: int) -> ArchiveFile:
        """Return a product of a tape: its size is drawn from its name."""
        size = np.random.default_rng((tape, number)).integers(LEAST_BYTES, MOST_BYTES)
        path = f"S1/{tape:04d}/{number:05d}.zip"
        position = number * MOST_BYTES
        return ArchiveFile(path, int(size), "sha256", "", "simtape", f"T{tape:04d}", position)

    def draw(self, rng: np.random.Generator, count: int) -> list[ArchiveFile]:
        """Return different products of tapes drawn evenly."""
        total = self.tapes * self.files_per_tape
        numbers = rng.choice(total, count, replace=False)
        return [self.file(*divmod(int(one), self.files_per_tape)) for one in numbers]


def burst(archive: Archive, rng: np.random.Generator, *, count: int) -> list[Asked]:
    """Return requests of one client for everything it wants, within a minute."""
    files = archive.draw(rng, count)
    return [Asked("someone", file, 60.0 * n / count) for n, file in enumerate(files)]


def stream(
    archive: Archive, rng: np.random.Generator, *, rate_per_h: float, hours: float, users: int
) -> list[Asked]:
    """Return requests at random times, of tapes by Zipf's law (the n-th with weight 1 / n)."""
    weights = 1 / np.arange(1, archive.tapes + 1)
    weights /= weights.sum()
    tapes = rng.permutation(archive.tapes)
    asked = []
    time_s = 0.0
    while (time_s := time_s + rng.exponential(3600 / rate_per_h)) < hours * 3600:
        tape = int(rng.choice(tapes, p=weights))
        file = archive.file(tape, int(rng.integers(archive.files_per_tape)))
        asked.append(Asked(f"user-{rng.integers(users):02d}", file, time_s))
    return asked


def crowd(
    archive: Archive, rng: np.random.Generator, *, products: int, users: int, each: int
) -> list[Asked]:
    """Return orders of some of the same products by many users within a minute."""
    files = archive.draw(rng, products)
    return [
        Asked(f"user-{user:02d}", files[int(number)], 60.0 * user / users)
        for user in range(users)
        for number in rng.choice(products, each, replace=False)
    ]


def large_and_small(
    archive: Archive, rng: np.random.Generator, *, large: int, after_s: float
) -> list[Asked]:
    """Return a large order, and one of three files by somebody else later."""
    files = archive.draw(rng, large + 3)
    first = [Asked("large", file, 0.0) for file in files[3:]]
    return first + [Asked("small", file, after_s) for file in files[:3]]
