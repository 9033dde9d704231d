"""What can go wrong in the simulated library, by plan. A library without one never fails."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from storage.model import ArchiveFile


class Fault(Enum):
    """A mishap while one file is read."""

    MEDIA_ERROR = "the file cannot be read"
    SHORT_READ = "half of the bytes arrive"
    FLIPPED_BIT = "one bit arrives wrong"
    DRIVE_DOWN = "the drive stops, with this file and those after it unread"
    ROBOT_STUCK = "the tape is not mounted"


# Returns what happens at the n-th reading of a file, counted from 1 in each process.
FaultPlan = Callable[[ArchiveFile, int], Fault | None]


@dataclass(frozen=True)
class SeededFaults:
    """A plan drawn from a seed: the same readings fail in the same way in every run.

    Parameters
    ----------
    seed
        What the draws depend on, beside path and number of the reading.
    rates
        Share of the readings at which each mishap happens, 0 to 1 together.
    bad_files
        Share of the files that can never be read.
    """

    seed: int
    rates: Mapping[Fault, float] = field(default_factory=dict)
    bad_files: float = 0.0

    def __call__(self, file: ArchiveFile, reading: int) -> Fault | None:
        """Return what happens at a reading."""
        if self._draw(file.path) < self.bad_files:
            return Fault.MEDIA_ERROR
        return _chosen(self._draw(f"{file.path}#{reading}"), self.rates.items())

    def _draw(self, subject: str) -> float:
        return random.Random(f"{self.seed}/{subject}").random()  # noqa: S311, no secret


def _chosen(draw: float, rates: Iterable[tuple[Fault, float]]) -> Fault | None:
    """Return the mishap into whose share of [0, 1) a draw falls."""
    for fault, rate in rates:
        if draw < rate:
            return fault
        draw -= rate
    return None
