"""How often and how long a backend beyond the network is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long, in seconds.

    Parameters
    ----------
    poll_s
        Between two looks while something happens; twice as long after each in vain.
    longest_pause_s
        But no longer than this.
    away_s
        How long a service that does not answer is waited for before a batch is given up.
    """

    poll_s: float = 0.5
    longest_pause_s: float = 60.0
    away_s: float = 600.0
