"""How long tests wait where more wants to run than the machine has cores."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

_CORES = os.cpu_count() or 1


def stretched(limit_s: float) -> float:
    """Return a limit that holds on an idle machine, in proportion to the load of this one."""
    return limit_s * max(1.0, os.getloadavg()[0] / _CORES)


def until(ask: Callable[[], Any], limit_s: float = 20.0, *, pause_s: float = 0.03) -> Any:
    """Return the first true answer; the limit is that of an idle machine."""
    begun = time.monotonic()
    while time.monotonic() - begun < stretched(limit_s):
        if answer := ask():
            return answer
        time.sleep(pause_s)
    pytest.fail(f"not within {limit_s} s: {ask()}")
