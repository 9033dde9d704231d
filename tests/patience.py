"""How long tests wait where more wants to run than the machine has cores."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

_CORES = len(os.sched_getaffinity(0))
# Of the limit on an idle machine, at least: the load average tells of a load a minute late, and
# nothing of disks that are busy and of other guests of the hardware.
_LEAST = 3.0
# What waits says so itself before the whole test is ended, as setup.cfg has it: seconds.
_MOST_S = 300.0


def stretched(limit_s: float) -> float:
    """Return a limit that holds on an idle machine, several times over, more under load."""
    longer_s = limit_s * max(_LEAST, os.getloadavg()[0] / _CORES)
    return max(limit_s, min(longer_s, _MOST_S))


def until(ask: Callable[[], Any], limit_s: float = 20.0, *, pause_s: float = 0.03) -> Any:
    """Return the first true answer; the limit is that of an idle machine.

    It has passed only when it had passed before the last question: a machine that stood still
    between two questions tells nothing of what was asked for.
    """
    begun = time.monotonic()
    while True:
        is_last = time.monotonic() - begun > stretched(limit_s)
        if answer := ask():
            return answer
        if is_last:
            pytest.fail(f"not within {limit_s} s: {answer}")
        time.sleep(pause_s)
