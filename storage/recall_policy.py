"""How patient a recall engine is."""

from dataclasses import dataclass, field

from storage.eviction import EvictionPolicy
from storage.model import BatchLimits

# Pauses are so much longer or shorter than their mean.
SHORTEST_STRETCH, LONGEST_STRETCH = 0.5, 1.5
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class RecallPolicy:
    """How patient the engine is.

    Parameters
    ----------
    max_attempts
        Attempts at a recall before it fails.
    backoff_s
        Mean pause after the first failed attempt; doubled after each further one. Seconds.
    lease_s
        A service silent for so long is held to be dead, seconds.
    max_wait_s
        Age from which a recall goes before all others, seconds.
    idle_s
        Time between two looks at the queue, seconds.
    error_pause_s
        Time between two looks when the ledger or the disk refused the first, seconds.
    limits
        What one drive takes at once, so that another service gets some too.
    eviction
        Which files leave the pool first.
    """

    max_attempts: int = 3
    backoff_s: float = 10.0
    lease_s: float = 30.0
    max_wait_s: float = 3600.0
    idle_s: float = 0.25
    error_pause_s: float = 2.0
    limits: BatchLimits = field(default_factory=BatchLimits)
    eviction: EvictionPolicy = EvictionPolicy.GDSF

    @property
    def longest_pause_s(self) -> float:
        """Longest pause after a failed attempt, seconds."""
        return self.pause_s(self.max_attempts, LONGEST_STRETCH)

    def pause_s(self, attempt: int, stretch: float) -> float:
        """Return the pause after a failed attempt, seconds, more or less by chance."""
        return float(self.backoff_s * 2 ** min(attempt - 1, _MOST_DOUBLINGS) * stretch)

    @property
    def beat_s(self) -> float:
        """Time between two renewals of a lease, seconds."""
        return min(1.0, self.lease_s / 4)
