"""Acquisition modes, satellites and processor versions: the constants that real products show."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator.orbit import NODAL_PERIOD_S, ORBITS_PER_CYCLE


@dataclass(frozen=True)
class Swath:
    """One swath of a mode: the shares of the image between which it lies, and its noise.

    `noise` is the equivalent beta0 of thermal noise at the near edge, at its lowest, at the far
    edge (linear power).
    """

    name: str
    start: float
    stop: float
    noise: tuple[float, float, float]


@dataclass(frozen=True)
class Mode:
    """A GRD product type. Times in seconds, lengths in metres, looks equivalent.

    `near_delay` is the two-way delay of the first sample, `bulk_delay` the one at mid swath that
    the processor corrects for (`tau0`), `beta_constant` the calibration `A_beta`, `lut_step` the
    time between calibration vectors, `scalloping_s` the period of noise along azimuth.
    """

    name: str
    beam: str
    product_type: str
    spacing: float
    lines: int
    samples: int
    near_delay: float
    bulk_delay: float
    looks: float
    beta_constant: float
    lut_step: float
    scalloping_s: float
    grid_rows: int
    swaths: tuple[Swath, ...]


IW = Mode(
    "IW",
    "IW",
    "GRDH",
    10.0,
    16_680,
    25_900,
    5.3401e-3,
    5.8752e-3,
    4.4,
    474.0,
    1.0,
    2.758,
    10,
    (
        Swath("IW1", 0.0, 0.335, (0.0106, 0.0059, 0.0081)),
        Swath("IW2", 0.335, 0.672, (0.0071, 0.0033, 0.0060)),
        Swath("IW3", 0.672, 1.0, (0.0043, 0.0016, 0.0082)),
    ),
)
EW = Mode(
    "EW",
    "EW",
    "GRDM",
    40.0,
    10_700,
    10_480,
    4.9645e-3,
    5.7348e-3,
    10.7,
    1087.0,
    1.0,
    3.04,
    23,
    (
        Swath("EW1", 0.0, 0.298, (0.0330, 0.0110, 0.0160)),
        Swath("EW2", 0.298, 0.479, (0.0130, 0.0070, 0.0110)),
        Swath("EW3", 0.479, 0.678, (0.0095, 0.0050, 0.0090)),
        Swath("EW4", 0.678, 0.856, (0.0080, 0.0040, 0.0075)),
        Swath("EW5", 0.856, 1.0, (0.0065, 0.0035, 0.0070)),
    ),
)
SM = Mode(
    "SM",
    "S4",
    "GRDH",
    10.0,
    11_520,
    8_090,
    5.5527e-3,
    5.7151e-3,
    29.7,
    169.91,
    1.0,
    0.0,
    10,
    (Swath("S4", 0.0, 1.0, (0.0124, 0.0050, 0.0108)),),
)
MODES = {mode.name: mode for mode in (IW, EW, SM)}


@dataclass(frozen=True)
class Satellite:
    """A satellite and one of its orbits: absolute number and time of the ascending node.

    `relative_shift`: relative orbit number = (absolute - shift) mod 175 + 1. The shifts of S1A
    and S1B are ESA's; those of S1C and S1D, whose orbits moved after launch, are this
    simulator's, as is the reference orbit of S1D.
    """

    name: str
    identifier: str
    reference_orbit: int
    reference_node: datetime
    relative_shift: int

    def absolute_orbit(self, node: datetime) -> int:
        """Absolute orbit number of the ascending node nearest to a time."""
        turns = round((node - self.reference_node) / timedelta(seconds=NODAL_PERIOD_S))
        number = self.reference_orbit + turns
        if number < 1:
            raise ValueError(f"{self.name} was not in orbit yet on {node:%Y-%m-%d}")
        return number

    def relative_orbit(self, absolute: int) -> int:
        """Relative orbit number, 1 to 175."""
        return (absolute - self.relative_shift) % ORBITS_PER_CYCLE + 1


SATELLITES = {
    satellite.name: satellite
    for satellite in (
        Satellite("S1A", "2014-016A", 39_156, datetime(2021, 8, 9, 17, 27, 46, 469908, UTC), 73),
        Satellite("S1B", "2016-025A", 30_148, datetime(2021, 12, 23, 4, 33, 35, 556206, UTC), 27),
        Satellite("S1C", "2024-235A", 638, datetime(2025, 1, 18, 17, 1, 49, 302142, UTC), 172),
        Satellite("S1D", "2025-251A", 0, datetime(2025, 11, 4, 21, 0, 0, 0, UTC), 42),
    )
}


@dataclass(frozen=True)
class Processor:
    """What a version of ESA's processor (IPF) writes.

    `noise_format` is "zero" (vectors of zeros), "range" (one list of vectors) or "blocks" (range
    vectors times azimuth vectors); `azimuth_offset` in seconds as in `RadarFrame`; `clean_border`
    says that pixels outside the swath are 0 and not noise. State vectors come every
    `vector_step_s` from `vector_lead_s` before the image on, ground range records every second
    from `record_lead_s` before it until `record_trail_s` after its last line (before, if negative).
    """

    version: str
    noise_format: str
    range_degree: int
    azimuth_offset: float
    clean_border: bool
    vector_step_s: float
    vector_lead_s: float
    record_lead_s: float
    record_trail_s: float

    @classmethod
    def of(cls, version: str) -> "Processor":
        """Behaviour of a version such as "2.36", "2.70" or "3.40"."""
        if re.fullmatch(r"\d+\.\d\d", version) is None:
            raise ValueError(f"processor version {version}: expected one such as 2.36, 3.31")
        major, minor = (int(part) for part in version.split("."))
        number = major + minor / 100
        return cls(
            version=f"{major:03d}.{minor:02d}",
            noise_format="blocks" if number >= 2.9 else "range" if number >= 2.5 else "zero",
            range_degree=8 if number >= 2.7 else 4,
            azimuth_offset=0.0 if number >= 2.9 else 7.5e-5 if number >= 2.7 else 3.5e-4,
            clean_border=number >= 2.9,
            vector_step_s=10.0 if number >= 2.7 else 1.0,
            vector_lead_s=70.0 if number >= 2.7 else 4.0,
            record_lead_s=1.9 if number >= 2.7 else 0.68,
            record_trail_s=0.1 if number >= 2.7 else -0.3,
        )
