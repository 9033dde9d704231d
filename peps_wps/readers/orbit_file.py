"""Orbit files of Sentinel-1 (AUX_POEORB, AUX_RESORB), plain or zipped, looked up in a folder.

Format: Sentinels POD Service File Format Specification, GMES-GSEG-EOPG-FS-10-0075, section 3.
"""

import logging
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from algorithms.radar.grd import StateVectors
from peps_wps.errors import SafeError
from peps_wps.readers.sentinel1_annotation import seconds_since
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import find_number, find_text, parse_time, parse_xml

logger = logging.getLogger(__name__)

# Vectors needed beside the scene, so that the polynomial through them is never extrapolated.
MARGIN = timedelta(seconds=60)
_SECOND = timedelta(seconds=1)  # that texts of times cut off
_SIZE_LIMIT = 32 * 2**20  # bytes; a day of vectors every 10 s is 4.4 MB
_NAME = re.compile(
    r"(?P<platform>S1[A-D])_OPER_AUX_(?P<kind>POEORB|RESORB)_OPOD_(?P<created>\d{8}T\d{6})"
    r"_V(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})\.EOF(\.zip)?"
)


OrbitKind = Literal["precise", "restituted"]


@dataclass(frozen=True)
class Orbit:
    """State vectors around a scene, and the name of the file that they are from."""

    name: str
    vectors: StateVectors

    @property
    def kind(self) -> OrbitKind:
        """Precise orbits come three weeks later, restituted ones after hours."""
        return "precise" if "_AUX_POEORB_" in self.name else "restituted"


class OrbitFile(NamedTuple):
    """An orbit file as its name tells; times as it writes them, in the order of their texts."""

    path: Path
    platform: str
    is_precise: bool
    created: str
    start: str
    stop: str


def orbit_files(folder: Path) -> tuple[OrbitFile, ...]:
    """List the orbit files of a folder and of those in it: thousands, mostly."""
    named = (
        (path, _NAME.fullmatch(path.name))
        for path in (folder.rglob("S1*.EOF*") if folder.is_dir() else ())
    )
    return tuple(
        OrbitFile(
            path,
            naming["platform"],
            naming["kind"] == "POEORB",
            naming["created"],
            naming["start"],
            naming["stop"],
        )
        for path, naming in named
        if naming is not None
    )


def find_orbit(
    folder: Path, platform: str, start: datetime, stop: datetime, epoch: datetime
) -> Orbit | None:
    """Return the best orbit of a folder that covers a scene; as `best_orbit`."""
    return best_orbit(orbit_files(folder), platform, start, stop, epoch)


def best_orbit(
    files: Iterable[OrbitFile], platform: str, start: datetime, stop: datetime, epoch: datetime
) -> Orbit | None:
    """Return the best orbit that covers a scene with its margin, or None.

    A precise orbit goes before a restituted one, then the one made last. A file that cannot be
    read is logged and the next one taken.

    Parameters
    ----------
    files
        Of `orbit_files`.
    platform
        "S1A" to "S1D".
    start, stop
        Of the scene, UTC.
    epoch
        Zero of the times returned.
    """
    first, last = (f"{time:%Y%m%dT%H%M%S}" for time in (start - MARGIN, stop + MARGIN + _SECOND))
    candidates = [
        (file.is_precise, file.created, file.path)
        for file in files
        if file.platform == platform and file.start <= first and last <= file.stop
    ]
    for _, _, path in sorted(candidates, reverse=True):
        try:
            return Orbit(path.name, read_orbit(path, start, stop, epoch))
        except (SafeError, OSError, zipfile.BadZipFile) as error:
            logger.warning("orbit file %s is passed over: %s", path, error)
    return None


def read_orbit(path: Path, start: datetime, stop: datetime, epoch: datetime) -> StateVectors:
    """Return the state vectors of an orbit file around a scene.

    Raises
    ------
    SafeError
        When the file is not an orbit in the Earth-fixed frame or has a gap there.
    """
    name = path.name
    root = parse_xml(_content(path), name)
    frame = find_text(root, ".//{*}Ref_Frame", name)
    if frame != "EARTH_FIXED":
        raise SafeError(f"{name} is in the frame {printable(frame)}, EARTH_FIXED expected")
    first, last = start - MARGIN, stop + MARGIN
    times, rows = [], []
    for vector in root.iterfind(".//{*}OSV"):
        instant = parse_time(find_text(vector, "{*}UTC", name).removeprefix("UTC="), name)
        # One more vector on either side, whatever the phase of their 10 s.
        if not first - timedelta(seconds=10) <= instant <= last + timedelta(seconds=10):
            continue
        times.append(instant)
        rows.append([find_number(vector, "{*}" + axis, name) for axis in _AXES])
    if not times or times[0] > first or times[-1] < last:
        raise SafeError(f"{name} has no vectors around {start:%Y-%m-%dT%H:%M:%S}")
    seconds = np.array([seconds_since(epoch, instant) for instant in times])
    step = np.diff(seconds)
    if (step <= 0).any() or step.max() > 2 * np.median(step):
        raise SafeError(f"{name} has a gap around {start:%Y-%m-%dT%H:%M:%S}")
    states = np.array(rows)
    return StateVectors(time=seconds, position=states[:, :3], velocity=states[:, 3:])


_AXES = ("X", "Y", "Z", "VX", "VY", "VZ")


def _content(path: Path) -> bytes:
    """Return the XML of a plain or a zipped file."""
    if path.suffix != ".zip":
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    else:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".EOF")]
            if len(members) != 1:
                raise SafeError(f"{path.name} holds {len(members)} orbit files, 1 expected")
            with archive.open(members[0]) as file:
                data = file.read(_SIZE_LIMIT + 1)
    if len(data) > _SIZE_LIMIT:
        raise SafeError(f"{path.name} has more than {_SIZE_LIMIT} bytes")
    return data
