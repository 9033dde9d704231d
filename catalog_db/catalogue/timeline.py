"""How many products to expect from one instant to another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog_db.catalogue.counts import DAY_US

Span = tuple[int, int]


@dataclass(frozen=True)
class Timeline:
    """Expected products along time, spread evenly within a day.

    Positions along it are numbers of products expected before, from 0 to `total`.

    Parameters
    ----------
    starts, ends
        First instant of each day that has any, and first one after it, microseconds since 1970.
    before
        Shape (day + 1,): products expected before each day, and all.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    before: NDArray[np.float64]

    @classmethod
    def of(
        cls, first_day: int, expected: NDArray[np.float64], first_us: int, last_us: int
    ) -> "Timeline":
        """Return the timeline of products expected on consecutive days, within two instants.

        Parameters
        ----------
        first_day
            Days since 1970 to the first.
        expected
            Products a day.
        first_us, last_us
            Both inclusive.
        """
        there = np.flatnonzero(expected)
        edges = (there + first_day) * float(DAY_US)
        starts, ends = np.maximum(edges, first_us), np.minimum(edges + DAY_US, last_us + 1)
        within = expected[there] * (ends - starts) / DAY_US
        return cls(starts, ends, np.concatenate([[0.0], np.cumsum(within)]))

    @property
    def total(self) -> float:
        """All products expected."""
        return float(self.before[-1])

    def instants(self, positions: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return when so many products are expected before, rounded up."""
        day = np.searchsorted(self.before, positions, side="right") - 1
        day = np.clip(day, 0, len(self.starts) - 1)
        expected = self.before[day + 1] - self.before[day]
        share = np.clip((positions - self.before[day]) / expected, 0.0, 1.0)
        found = self.starts[day] + share * (self.ends[day] - self.starts[day])
        return np.ceil(found).astype(np.int64)

    def spans(self, low: float, high: float, *, is_broken: bool) -> list[Span]:
        """Return the spans of time between two positions, each with first and last instant.

        Parameters
        ----------
        low, high
            Positions.
        is_broken
            Leave out days on which nothing is expected; else they are one span.
        """
        first, end = (int(instant) for instant in self.instants(np.array([low, high])))
        last = end - 1
        if first > last:
            return []
        if not is_broken:
            return [(first, last)]
        starts, ends = np.maximum(self.starts, first), np.minimum(self.ends, last + 1)
        there = np.flatnonzero(starts < ends)
        gaps = np.flatnonzero(starts[there[1:]] > ends[there[:-1]])
        firsts = starts[there[np.append(0, gaps + 1)]]
        lasts = ends[there[np.append(gaps, len(there) - 1)]] - 1
        return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]
