"""What the manifest of a Sentinel-1 SAFE product says of the product as a whole."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shapely import force_2d
from shapely.geometry import MultiPoint, Polygon

from peps_wps.errors import SafeError
from peps_wps.readers.footprint import nearest_turn, outline
from peps_wps.readers.wording import printable
from peps_wps.readers.xml_document import (
    find_integer,
    find_text,
    find_time,
    parse_xml,
)
from peps_wps.xml_parsing import Element

# MMM_BB_TTTR_LFPP_ (Sentinel-1 Product Specification S1-RS-MDA-52-7441, 4.1 naming convention).
_PLATFORMS = ("S1A", "S1B", "S1C", "S1D")
_NAME = re.compile(r"S1[A-D]_(?P<mode>[A-Z0-9]{2})_(?P<type>[A-Z]{3})(?P<resolution>[A-Z_])_")


class IpfVersion(NamedTuple):
    """Version of the Instrument Processing Facility; versions compare as they were released."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor:02d}"


@dataclass(frozen=True)
class Manifest:
    """A Sentinel-1 product as a whole.

    Parameters
    ----------
    title
        Name without ``.SAFE``.
    platform
        "S1A" to "S1D".
    mode
        "IW", "EW", "SM" or "WV".
    swath
        "IW", "EW" or "S1" to "S6" of a GRD; all of them of an SLC: "IW1 IW2 IW3".
    product_type
        "GRD", "SLC", "OCN" or "RAW".
    resolution
        "F", "H", "M" of a GRD, else empty.
    start, stop
        Acquisition, UTC.
    polarizations
        Co-polarised first: ("VV", "VH").
    orbit_direction
        "ascending" or "descending".
    datatake_id
        One for all frames of one acquisition, also where the orbit number changes.
    ipf_version
        None where the manifest names no processor (RAW).
    footprint
        Longitude and latitude in degrees; longitudes of a product across the antimeridian run on
        past 180.
    """

    title: str
    platform: str
    mode: str
    swath: str
    product_type: str
    resolution: str
    start: datetime
    stop: datetime
    orbit_number: int
    relative_orbit: int
    cycle_number: int
    orbit_direction: str
    polarizations: tuple[str, ...]
    datatake_id: int
    ipf_version: IpfVersion | None
    footprint: Polygon


def parse_manifest(data: bytes, title: str) -> Manifest:
    """Return what a manifest says; raise SafeError when it is not that of a Sentinel-1 product."""
    name = f"manifest of {title}"
    root = parse_xml(data, name)
    family = find_text(root, ".//{*}platform/{*}familyName", name).upper()
    if family.replace(" ", "-") != "SENTINEL-1":
        raise SafeError(f"{title} is not a Sentinel-1 product")
    platform = "S1" + find_text(root, ".//{*}platform/{*}number", name)
    _check(platform, _PLATFORMS, "platform", name)
    direction = find_text(root, ".//{*}orbitProperties/{*}pass", name).lower()
    _check(direction, ("ascending", "descending"), "pass", name)
    naming = _NAME.match(title)
    return Manifest(
        title=title,
        platform=platform,
        mode=find_text(root, ".//{*}instrumentMode/{*}mode", name),
        swath=_swath(root, name),
        product_type=_product_type(root, naming, name),
        resolution=naming["resolution"].strip("_") if naming else "",
        start=find_time(root, ".//{*}acquisitionPeriod/{*}startTime", name),
        stop=find_time(root, ".//{*}acquisitionPeriod/{*}stopTime", name),
        orbit_number=find_integer(root, ".//{*}orbitReference/{*}orbitNumber", name),
        relative_orbit=find_integer(root, ".//{*}orbitReference/{*}relativeOrbitNumber", name),
        cycle_number=find_integer(root, ".//{*}orbitReference/{*}cycleNumber", name),
        orbit_direction=direction,
        polarizations=_polarizations(root, name),
        datatake_id=find_integer(root, ".//{*}missionDataTakeID", name),
        ipf_version=_ipf_version(root),
        footprint=_footprint(root, name),
    )


def _check(value: str, expected: tuple[str, ...], what: str, name: str) -> None:
    if value not in expected:
        raise SafeError(f"{name} has {what} {printable(value)}, {' or '.join(expected)} expected")


def _swath(root: Element, name: str) -> str:
    swaths = {
        (element.text or "").strip() for element in root.iterfind(".//{*}instrumentMode/{*}swath")
    }
    if not any(swaths):
        raise SafeError(f"{name} names no swath")
    return " ".join(sorted(swaths))


def _product_type(root: Element, naming: re.Match[str] | None, name: str) -> str:
    element = root.find(".//{*}productType")
    if element is not None and element.text:
        return element.text.strip()
    if naming is None:
        raise SafeError(f"{name} has no productType")
    return naming["type"]


def _polarizations(root: Element, name: str) -> tuple[str, ...]:
    found = {
        (element.text or "").strip().upper()
        for element in root.iterfind(".//{*}transmitterReceiverPolarisation")
    }
    if not found or not found <= {"VV", "VH", "HH", "HV"}:
        raise SafeError(f"{name} names no polarisation of Sentinel-1")
    # Co-polarised first, as in every listing of Sentinel-1.
    return tuple(sorted(found, key=lambda name: (name[0] != name[1], name)))


def _ipf_version(root: Element) -> IpfVersion | None:
    """Return the version of the outermost processing: the others are those of its inputs."""
    for element in root.iterfind(".//{*}software"):
        version = re.fullmatch(r"0*(\d+)\.(\d+)", element.get("version", ""))
        if version and "IPF" in element.get("name", ""):
            return IpfVersion(int(version[1]), int(version[2]))
    return None


def _footprint(root: Element, name: str) -> Polygon:
    """Return the footprint: the convex hull where a product (OCN, SLC of WV) has many frames."""
    rings = [
        _ring(element.text or "", name)
        for element in root.iterfind(".//{*}footPrint/{*}coordinates")
    ]
    if not rings:
        raise SafeError(f"{name} has no footprint")
    first = rings[0][0][0]
    points = [(nearest_turn(x, first), y) for ring in rings for x, y in ring]
    footprint = outline(rings[0]) if len(rings) == 1 else MultiPoint(points).convex_hull
    if not isinstance(footprint, Polygon) or not footprint.is_valid or footprint.area == 0:
        raise SafeError(f"{name} has a footprint that is no polygon")
    return force_2d(footprint)


def _ring(text: str, name: str) -> list[tuple[float, float]]:
    """Return (longitude, latitude) of a text of "latitude,longitude" pairs."""
    try:
        ring = []
        for pair in text.split():
            latitude, longitude = (float(number) for number in pair.split(","))
            ring.append((longitude, latitude))
    except ValueError as error:
        raise SafeError(f"{name} has a malformed footprint") from error
    if len(ring) < 3 or any(abs(x) > 180 or not abs(y) <= 90 for x, y in ring):
        raise SafeError(f"{name} has a footprint outside the Earth")
    return ring
