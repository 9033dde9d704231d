"""Relative burst identifiers of products that were made before the processor wrote them.

Reference: Sentinel-1 Level 1 Detailed Algorithm Definition, SEN-TN-52-7445, section 9.25, which is
how ESA's burst map numbers bursts: cycles of the beam since the ascending node of relative orbit 1.
"""

import math
from dataclasses import dataclass

CYCLE_S = 12 * 86_400.0  # repeat cycle of Sentinel-1
ORBITS = 175  # of a repeat cycle
ORBIT_S = CYCLE_S / ORBITS


@dataclass(frozen=True)
class BeamCycle:
    """How the antenna visits the swaths of a mode in turn.

    Parameters
    ----------
    period
        Seconds from one burst of a swath to the next.
    preamble
        Seconds from the start of an acquisition to its first cycle.
    starts
        Seconds from the start of a cycle to the burst of each swath.
    """

    period: float
    preamble: float
    starts: dict[str, float]


# Periods and preambles of the document; starts as products of IW show them. Those of EW are a
# fifth of the cycle each: real bursts lie within 0.03 cycles of the middle of
# their number, and only half a cycle decides about it.
_CYCLES = {
    "IW": BeamCycle(2.758273, 2.299849, {"IW1": 0.0, "IW2": 0.832, "IW3": 1.910}),
    "EW": BeamCycle(3.038376, 2.299970, {f"EW{n + 1}": n * 3.038376 / 5 for n in range(5)}),
}


def relative_burst_id(swath: str, since_node: float, relative_orbit: int) -> int:
    """Return the number that a burst has in every pass of its track.

    Parameters
    ----------
    swath
        "IW1" to "IW3", "EW1" to "EW5".
    since_node
        Seconds from the ascending node to the sensing time of the burst's first line.
    relative_orbit
        Of the orbit that begins at that node, 1 to 175.

    Raises
    ------
    ValueError
        When the swath is not one of a TOPS mode.
    """
    cycle = _CYCLES.get(swath[:2])
    if cycle is None or swath not in cycle.starts:
        raise ValueError(f"{swath} is not a swath of {' or '.join(_CYCLES)}")
    middle = since_node - cycle.starts[swath] + cycle.period / 2
    # The last orbit of a repeat cycle may run on into the first one of the next.
    since_first = (middle + (relative_orbit - 1) * ORBIT_S) % CYCLE_S
    return 1 + math.floor((since_first - cycle.preamble) / cycle.period)
