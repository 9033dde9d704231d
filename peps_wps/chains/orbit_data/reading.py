"""What a product says of its orbit, place and time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from peps_wps.readers.orbit_file import find_orbit
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_annotation import state_vectors_of
from peps_wps.readers.sentinel2.ephemeris import read_ephemeris
from peps_wps.readers.sentinel2_metadata import metadata_name, read_sentinel2
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import parse_xml

Float64 = NDArray[np.float64]

NO_VECTORS = "none"


@dataclass(frozen=True)
class OrbitData:
    """State vectors, footprint and times of one product.

    Parameters
    ----------
    title, platform
        "S1A" and so on.
    start, stop
        Of the acquisition, UTC.
    orbit_number, relative_orbit, orbit_direction
        Absolute orbit is None where the product does not say.
    footprint
        Longitude and latitude.
    source
        "annotation", "datastrip", the name of an orbit file, or "none" without state vectors.
    times
        Of the state vectors, UTC.
    states
        Positions in metres and velocities in metres a second, Earth fixed, shape (n, 6).
    """

    title: str
    platform: str
    start: datetime
    stop: datetime
    orbit_number: int | None
    relative_orbit: int
    orbit_direction: str
    footprint: BaseGeometry
    source: str
    times: tuple[datetime, ...]
    states: Float64


def read_orbit_data(path: Path, orbit_folder: Path) -> OrbitData:
    """Return the orbit data of a Sentinel-1 or Sentinel-2 product.

    Parameters
    ----------
    orbit_folder
        Precise orbits of Sentinel-1 go before what the annotation holds; it may not exist.

    Raises
    ------
    SafeError
        When the product is broken, or of neither mission.
    """
    safe = Safe.open(path)
    if metadata_name(safe) is None:
        return _of_sentinel1(safe, orbit_folder)
    product = read_sentinel2(safe)
    times, states = read_ephemeris(safe)
    return OrbitData(
        title=product.title,
        platform=product.platform,
        start=product.start,
        stop=product.stop,
        orbit_number=product.orbit_number,
        relative_orbit=product.relative_orbit,
        orbit_direction=product.orbit_direction,
        footprint=product.footprint,
        source="datastrip" if times else NO_VECTORS,
        times=tuple(times),
        states=states,
    )


def _of_sentinel1(safe: Safe, orbit_folder: Path) -> OrbitData:
    manifest = safe.manifest
    source, times, states = _vectors(safe, orbit_folder)
    return OrbitData(
        title=safe.title,
        platform=manifest.platform,
        start=manifest.start,
        stop=manifest.stop,
        orbit_number=manifest.orbit_number,
        relative_orbit=manifest.relative_orbit,
        orbit_direction=manifest.orbit_direction,
        footprint=manifest.footprint,
        source=source,
        times=times,
        states=states,
    )


def _vectors(safe: Safe, orbit_folder: Path) -> tuple[str, tuple[datetime, ...], Float64]:
    """Return source, times and states: of an orbit file, else of the first annotation."""
    manifest = safe.manifest
    epoch = datetime.combine(manifest.start.date(), datetime.min.time(), UTC)
    orbit = find_orbit(orbit_folder, manifest.platform, manifest.start, manifest.stop, epoch)
    annotations = [name for name in safe.names("annotation/", ".xml") if name.count("/") == 1]
    if orbit is not None:
        source, vectors = orbit.name, orbit.vectors
    elif annotations:
        name = f"{printable(annotations[0].rsplit('/', 1)[-1])} of {safe.title}"
        source = "annotation"
        vectors = state_vectors_of(parse_xml(safe.read(annotations[0]), name), name, epoch)
    else:
        return NO_VECTORS, (), np.empty((0, 6))
    times = tuple(epoch + timedelta(microseconds=round(1e6 * time)) for time in vectors.time)
    return source, times, np.hstack([vectors.position, vectors.velocity])
