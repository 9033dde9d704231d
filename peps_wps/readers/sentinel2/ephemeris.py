"""Where the satellite was: the positions that the metadata of a datastrip hold.

Sentinel-2 Products Specification Document, issue 14.9, datastrip metadata,
Satellite_Ancillary_Data_Info: Earth fixed (ITRF), in millimetres, at times of the GPS.
"""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from peps_wps.errors import SafeError
from peps_wps.readers.safe import Safe
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import find, find_text, parse_time, parse_xml
from peps_wps.xml_parsing import Element

_DATASTRIP = re.compile(r"DATASTRIP/[^/]+/(MTD_DS|S2[A-D]_[A-Z]{4}_MTD_L(1C|2A)_DS_[^/]*)\.xml")
_UNITS = {"mm": 1e-3, "mm/s": 1e-3, "m": 1.0, "m/s": 1.0}
# GPS time runs ahead of UTC by the leap seconds since 1980 (IERS Bulletin C).
_LEAPS = ((datetime(2017, 1, 1, tzinfo=UTC), 18), (datetime(2015, 7, 1, tzinfo=UTC), 17))
_LEAPS_BEFORE = 16

Float64 = NDArray[np.float64]


def read_ephemeris(safe: Safe) -> tuple[list[datetime], Float64]:
    """Return the positions around the acquisition of a product.

    Returns
    -------
    Times, UTC, increasing; and states, shape (n, 6): position in metres and velocity in metres a
    second, Earth fixed. Both are empty where the product holds none.

    Raises
    ------
    SafeError
        When what it holds is malformed.
    """
    states: dict[datetime, list[float]] = {}
    for name in safe.names("DATASTRIP/", ".xml"):
        if _DATASTRIP.fullmatch(name) and safe.size(name):
            label = f"{printable(name.rsplit('/', 1)[-1])} of {safe.title}"
            states |= _states(parse_xml(safe.read(name), label), label)
    times = sorted(states)
    return times, np.array([states[time] for time in times], np.float64).reshape(-1, 6)


def _states(root: Element, name: str) -> dict[datetime, list[float]]:
    """Return position and velocity by time."""
    ahead = _ahead_of_utc(root, name)
    states = {}
    for point in root.iterfind(".//{*}GPS_Points_List/{*}GPS_Point"):
        gps_time = parse_time(find_text(point, "{*}GPS_TIME", name), name)
        utc = gps_time - (_leaps(gps_time) if ahead is None else ahead)
        position = _triple(point, "POSITION_VALUES", name)
        states[utc] = [*position, *_triple(point, "VELOCITY_VALUES", name)]
    return states


def _ahead_of_utc(root: Element, name: str) -> timedelta | None:
    """Return what GPS time is ahead of UTC as the metadata tell it, None where they do not."""
    both = root.find(".//{*}Time_Correlation_Data")
    if both is None:
        return None
    gps, utc = (parse_time(find_text(both, f"{{*}}{kind}_TIME", name), name) for kind in _CLOCKS)
    return gps - utc


_CLOCKS = ("GPS", "UTC")


def _leaps(gps_time: datetime) -> timedelta:
    seconds = next((count for since, count in _LEAPS if gps_time >= since), _LEAPS_BEFORE)
    return timedelta(seconds=seconds)


def _triple(point: Element, tag: str, name: str) -> list[float]:
    """Return three numbers in metres or metres a second."""
    element = find(point, f"{{*}}{tag}", name)
    unit = _UNITS.get(element.get("unit", ""))
    try:
        numbers = [float(word) for word in (element.text or "").split()]
    except ValueError as error:
        raise SafeError(f"{name} has {tag} that are no numbers") from error
    if unit is None or len(numbers) != 3 or not np.isfinite(numbers).all():
        raise SafeError(f"{name} has {tag} that are not three lengths")
    return [unit * number for number in numbers]
