"""Perpendicular baselines of dates before anything is recalled: by orbit files, or annotations.

Where neither tells where a pass flew, the task of a pair finds out before it reads a pixel.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from algorithms.geodesy import geodetic_to_ecef
from algorithms.interferometry.geometry import baseline_at
from algorithms.interferometry.model import RadarFrame
from algorithms.radar.grd import StateVectors
from peps_wps.chains.interferometry.passes import Pass
from peps_wps.config import Config
from peps_wps.errors import SafeError
from peps_wps.readers.orbit_file import OrbitFile, best_orbit, orbit_files
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc import open_slc
from peps_wps.staging.backends import open_pool
from storage.errors import ArchivePathError

logger = logging.getLogger(__name__)

_FREQUENCY = 5.405000454e9  # Hz, of Sentinel-1; no baseline depends on it


@dataclass(frozen=True)
class Baselines:
    """Perpendicular baselines of dates at one place.

    Parameters
    ----------
    frames
        Where each date flew; None where nothing on disk says it.
    ground
        The place, ECEF, metres.
    """

    frames: tuple[RadarFrame | None, ...]
    ground: NDArray[np.float64]

    def between(self, first: int, second: int) -> float:
        """Return the baseline from one date to another, metres; NaN where it is not known."""
        one, other = self.frames[first], self.frames[second]
        if one is None or other is None:
            return math.nan
        return float(baseline_at(one, other, self.ground).perpendicular)


def baselines_of(
    passes: Sequence[Pass], polarization: str, area: BaseGeometry, config: Config
) -> Baselines:
    """Return the perpendicular baselines between passes at the middle of an area.

    Parameters
    ----------
    passes
        The dates.
    polarization
        That they are used in.
    area
        Longitude and latitude, degrees.
    config
        Where orbit files and products lie.
    """
    middle = np.radians([area.centroid.x, area.centroid.y])
    ground = np.asarray(geodetic_to_ecef(middle[0], middle[1], 0.0), np.float64)
    files = orbit_files(config.orbits.path)
    return Baselines(tuple(_frame(one, polarization, files, config) for one in passes), ground)


def _frame(
    one: Pass, polarization: str, files: Sequence[OrbitFile], config: Config
) -> RadarFrame | None:
    """Return where a pass flew, as a frame of two lines; None where nothing tells."""
    whole = one.whole
    epoch = datetime.combine(whole.start.date(), datetime.min.time(), UTC)
    orbit = best_orbit(files, whole.platform, whole.start, whole.end, epoch)
    vectors = _annotated(one, polarization, epoch, config) if orbit is None else orbit.vectors
    if vectors is None:
        return None
    begin = (one.slices[0].start - epoch).total_seconds()
    end = (one.slices[0].end - epoch).total_seconds()
    return RadarFrame(
        azimuth_time=begin,
        azimuth_time_interval=0.5 * (end - begin),
        slant_range_time=0.0,
        range_sampling_rate=1.0,
        lines=2,
        samples=1,
        radar_frequency=_FREQUENCY,
        orbit=vectors,
    )


def _annotated(
    one: Pass, polarization: str, epoch: datetime, config: Config
) -> StateVectors | None:
    """Return the state vectors of the annotation of the first slice; None where it is on tape."""
    product = one.slices[0]
    if product.file_path is None:
        return None
    try:
        path = open_pool(config).path(product.file_path)
        if not path.exists():
            return None
        swaths = (product.swath or "").split()[:1] or None
        opened = open_slc(Safe.open(path), polarization, swaths=swaths, epoch=epoch)
    except (SafeError, OSError, ArchivePathError) as error:
        # The task that needs the product says what is wrong with it.
        logger.warning("the orbit of %s is not known before it is staged: %s", product.title, error)
        return None
    return next(iter(opened.swaths.values())).bursts[0].orbit
