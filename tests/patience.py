"""How long tests wait where more wants to run than the machine has cores."""

import os

_CORES = os.cpu_count() or 1


def stretched(limit_s: float) -> float:
    """Return a limit that holds on an idle machine, in proportion to the load of this one."""
    return limit_s * max(1.0, os.getloadavg()[0] / _CORES)
