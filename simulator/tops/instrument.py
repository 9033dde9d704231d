"""The TOPS modes: what real SLC products state of each swath.

IW as in products of 2022 to 2025, EW1 as in one of 2021; ranges, sizes and range bandwidths of the
other swaths of EW are near the real ones, no more. Steering rates as in Miranda (2017), Definition
of the TOPS SLC deramping function, COPE-GSEG-EOPG-TN-14-0025, table 4-1.
"""

from dataclasses import dataclass

RADAR_FREQUENCY = 5.405000454334350e9  # Hz


@dataclass(frozen=True)
class Swath:
    """One swath of a TOPS mode.

    Parameters
    ----------
    name
        "IW1" and so on.
    near_delay
        Two-way time of the first sample, seconds.
    start
        Seconds from the start of the beam's cycle to the burst of this swath.
    dwell
        Seconds of one burst.
    steering_rate_deg
        Degrees a second.
    lines, samples
        Of a whole burst.
    azimuth_band, range_band
        Processed bandwidth (Hz) and Hamming's coefficient.
    """

    name: str
    near_delay: float
    start: float
    dwell: float
    steering_rate_deg: float
    lines: int
    samples: int
    azimuth_band: tuple[float, float]
    range_band: tuple[float, float]


@dataclass(frozen=True)
class TopsMode:
    """A mode: its swaths, its sampling, and the cycle of the beam.

    Parameters
    ----------
    name
        "IW" or "EW".
    line_interval
        Seconds between lines.
    sampling_rate
        In range, Hz.
    cycle, preamble
        Seconds between bursts of a swath, and before the first cycle that is numbered: what ESA's
        burst map counts.
    bulk_delay
        Two-way time for which the processor corrects the bistatic delay, seconds.
    swaths
        From near to far.
    """

    name: str
    line_interval: float
    sampling_rate: float
    cycle: float
    preamble: float
    bulk_delay: float
    swaths: tuple[Swath, ...]

    def swath(self, name: str) -> Swath:
        """Return a swath by its name."""
        for swath in self.swaths:
            if swath.name == name:
                return swath
        known = ", ".join(swath.name for swath in self.swaths)
        raise ValueError(f"{self.name} has no swath {name}: {known} expected")


IW = TopsMode(
    name="IW",
    line_interval=2.055556299999998e-3,
    sampling_rate=6.434523812571428e7,
    cycle=2.758273,
    preamble=2.299849,
    bulk_delay=5.8546e-3,
    swaths=(
        Swath(
            "IW1", 5.339839e-3, 0.0, 0.822, 1.590368784, 1502, 22_612,
            (327.0, 0.70), (56.5e6, 0.75),
        ),
        Swath(
            "IW2", 5.649388e-3, 0.832, 1.068, 0.979863325, 1513, 26_395,
            (313.0, 0.75), (48.3e6, 0.75),
        ),
        Swath(
            "IW3", 6.019874e-3, 1.910, 0.838, 1.397440818, 1518, 25_384,
            (314.0, 0.75), (42_789_918.403, 0.75),
        ),
    ),
)  # fmt: skip
EW = TopsMode(
    name="EW",
    line_interval=2.919194958309765e-3,
    sampling_rate=2.502314816e7,
    cycle=3.038376,
    preamble=2.299970,
    bulk_delay=5.7281e-3,
    swaths=tuple(
        Swath(f"EW{k + 1}", near, 0.6077 * k, 0.55, rate, 1168, samples, (233.0, 0.5), band)
        for k, (near, rate, samples, band) in enumerate(
            (
                (4.975388e-3, 2.390895448, 8_185, (22.2e6, 0.6)),
                (5.2500e-3, 2.811502724, 8_600, (16.7e6, 0.6)),
                (5.5200e-3, 2.366195855, 8_700, (14.4e6, 0.6)),
                (5.8300e-3, 2.512694636, 8_800, (12.2e6, 0.6)),
                (6.1200e-3, 2.122855427, 8_900, (10.4e6, 0.6)),
            )
        )
    ),
)
MODES = {mode.name: mode for mode in (IW, EW)}
