"""What names, tags and items say of a result: the pass it is from, and what was done to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import shapely
from shapely.geometry.base import BaseGeometry

from peps_wps.readers.manifest import Manifest


@dataclass(frozen=True)
class Acquisition:
    """The consecutive frames of one pass of Sentinel-1.

    Parameters
    ----------
    titles, starts, ipf
        Of each frame, in the order of time: product name, first line (UTC), processor version.
    stop
        Last line of the last frame.
    orbit_direction
        "ascending" or "descending".
    datatake_id
        Of the mission.
    footprint
        Of all frames together: longitude and latitude, degrees.
    """

    titles: tuple[str, ...]
    starts: tuple[datetime, ...]
    ipf: tuple[str, ...]
    stop: datetime
    platform: str
    mode: str
    orbit_direction: str
    orbit_number: int
    relative_orbit: int
    datatake_id: int
    footprint: BaseGeometry


@dataclass(frozen=True)
class Processing:
    """What was done to a pass.

    Parameters
    ----------
    calibration
        "gamma0", "sigma0", "beta0", "gamma0_rtc" or "dn".
    denoised
        Whether thermal noise was removed; False also where the product has no noise estimate.
    resampling
        "nearest", "bilinear", "bicubic" or "lanczos".
    resolution
        Pixel size, metres.
    lower_signal_value
        What stands for a signal below the noise, in the unit of the file.
    dem, orbit
        Where heights and state vectors are from, for people.
    version
        Of the software.
    created
        UTC.
    """

    calibration: str
    denoised: bool
    resampling: str
    resolution: float
    lower_signal_value: float
    dem: str
    orbit: str
    version: str
    created: datetime


def acquisition_of(frames: Sequence[Manifest]) -> Acquisition:
    """Return the pass that some frames are from.

    Raises
    ------
    ValueError
        When there is no frame, or they are from several passes.
    """
    passes = {(frame.platform, frame.datatake_id) for frame in frames}
    if len(passes) != 1:
        raise ValueError(f"frames are from {len(passes)} passes, expected 1")
    ordered = sorted(frames, key=lambda frame: frame.start)
    first = ordered[0]
    return Acquisition(
        titles=tuple(frame.title for frame in ordered),
        starts=tuple(frame.start for frame in ordered),
        ipf=tuple(str(frame.ipf_version) for frame in ordered),
        stop=ordered[-1].stop,
        platform=first.platform,
        mode=first.mode,
        orbit_direction=first.orbit_direction,
        orbit_number=first.orbit_number,
        relative_orbit=first.relative_orbit,
        datatake_id=first.datatake_id,
        footprint=shapely.union_all([frame.footprint for frame in ordered]),
    )
